//! Why somebody was refused: the record of each refusal, and what an attempt would meet now.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{AUDIENCE, Admin, Attacker, Backend, World, on_both_engines};

const ANA: &str = "ana@example.com";
const NOBODY: &str = "eve@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.77";

async fn list(admin: &Admin<'_>, query: &str) -> Vec<Value> {
    let listed = admin
        .get(&format!("portcullis/decisions?{query}"))
        .await
        .expect(200);
    listed.json().as_array().unwrap().clone()
}

async fn ids(admin: &Admin<'_>, query: &str) -> Vec<String> {
    let listed = list(admin, query).await;
    listed
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn now(admin: &Admin<'_>, query: &str) -> Value {
    admin
        .get(&format!("portcullis/decisions/now?{query}"))
        .await
        .expect(200)
        .json()
}

fn meter<'r>(record: &'r Value, kind: &str) -> &'r Value {
    let meters = record["meters"].as_array().unwrap();
    meters
        .iter()
        .find(|meter| meter["kind"] == kind)
        .unwrap_or_else(|| panic!("no {kind} in {record}"))
}

/// One refusal of each kind that a login can meet, at different times.
async fn refuse(world: &World, backend: &Backend<'_>) {
    Attacker::at(backend, HOME).guesses(ANA, 10).await;
    world.clock.advance(Duration::from_secs(60));
    let admin = world.admin().await;
    let few = json!({"stage": {"pre-login": {"max_attempts": 3, "rate": 864_000}}});
    admin
        .patch("attack-protection/suspicious-ip-throttling", few)
        .await
        .expect(200);
    for number in 0..3 {
        backend
            .login_wrong(&format!("user{number}@example.com"), "192.0.2.2")
            .await
            .expect(403);
    }
    world.clock.advance(Duration::from_secs(60));
    let few = json!({"same_user": {"max_attempts": 2, "rate": 3_600_000}});
    admin
        .patch("portcullis/attack-protection", few)
        .await
        .expect(200);
    for status in [200, 200, 429] {
        backend.login_right(ANA, "192.0.2.3").await.expect(status);
    }
    world.clock.advance(Duration::from_secs(60));
    for status in std::iter::repeat_n(401, 100).chain([429]) {
        let guess = backend
            .login(ANA, "x")
            .with("client_secret", "guessed")
            .from(ELSEWHERE);
        guess.send().await.expect(status);
    }
}

on_both_engines! {
    async fn each_refusal_leaves_a_record_of_what_was_read(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        refuse(&world, &backend).await;
        let admin = world.admin().await;
        let all = list(&admin, "").await;
        let reasons: Vec<&str> = all.iter().map(|record| record["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["client_secrets", "same_user", "suspicious_ip", "brute_force"], "the newest first");

        let block = &all[3];
        assert_eq!((&block["type"], &block["identifier"], &block["ip"]), (&json!("limit_wc"), &json!(ANA), &json!(HOME)));
        assert_eq!((&block["refused"], &block["ends_at"]), (&json!(true), &json!("2026-01-31T00:00:00.000Z")));
        let pair = meter(block, "account_and_source");
        assert_eq!((&pair["counted"], &pair["limit"], &pair["says"]), (&json!(10), &json!(10), &json!("refuse")));
        assert_eq!((&pair["network"], &pair["enforced"]), (&json!("192.0.2.1/32"), &json!(true)));
        let source = meter(block, "source");
        assert_eq!((&source["counted"], &source["limit"], &source["says"]), (&json!(10), &json!(100), &json!("admit")));
        assert_eq!(source["one_back_every_ms"], 864_000);
        assert_eq!((&block["source"]["header"], &block["source"]["network"]), (&json!("used"), &json!("192.0.2.1/32")));
        assert!(block["lift"][0]["call"].as_str().unwrap().starts_with("DELETE /api/v2/user-blocks?identifier=ana%40"));

        let throttled = &all[2];
        assert_eq!((&throttled["type"], &throttled["ip"]), (&json!("limit_mu"), &json!("192.0.2.2")));
        assert_eq!(meter(throttled, "source")["counted"], 3);
        assert_eq!(throttled["lift"][0]["call"], "DELETE /api/v2/anomaly/blocks/ips/192.0.2.2");
        let delayed = &all[1];
        assert_eq!(delayed["type"], "limit_sul");
        assert_eq!(meter(delayed, "logins_of_account_and_source")["counted"], 2);
        let secrets = &all[0];
        assert_eq!((&secrets["client_id"], &secrets["ip"]), (&json!(backend.client_id), &json!(ELSEWHERE)));
        assert_eq!(secrets["source"]["header"], "not looked at");

        for record in &all {
            let id = record["id"].as_str().unwrap();
            let alone = admin.get(&format!("portcullis/decisions/{id}")).await.expect(200);
            assert_eq!(&alone.json(), record);
            let event = admin.get(&format!("logs/{id}")).await.expect(200).json();
            assert_eq!(event["details"]["portcullis"]["decision"]["meters"], record["meters"]);
        }
        let login = admin.events("sepft").await[0]["log_id"].as_str().unwrap().to_owned();
        admin.get(&format!("portcullis/decisions/{login}")).await.expect(404);
        admin.get("portcullis/decisions/nothing").await.expect(404);
    }

    async fn full_pools_of_links_mails_and_confirmations_leave_records_too(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let visitor = world.visitor(ELSEWHERE);
        for status in std::iter::repeat_n(404, 20).chain([429, 429]) {
            visitor.open("/u/reset-password?ticket=guessed").await.expect(status);
        }
        let links = list(&admin, "reason=tickets").await;
        assert_eq!(links.len(), 1, "once an hour");
        assert_eq!((&links[0]["type"], &links[0]["ip"], &links[0]["refused"]), (&json!("w"), &json!(ELSEWHERE), &json!(true)));
        let counted = meter(&links[0], "wrong_tickets_of_source");
        assert_eq!((&counted["counted"], &counted["limit"]), (&json!(20), &json!(20)));
        let lift = links[0]["lift"][0]["call"].as_str().unwrap().strip_prefix("DELETE /api/v2/").unwrap();
        admin.delete(lift).await.expect(204);
        visitor.open("/u/reset-password?ticket=guessed").await.expect(404);

        // One source asks too often; others fill the mailbox, of which they are not told.
        for status in std::iter::repeat_n(200, 10).chain([429, 429]) {
            crate::people::ask_for_reset(&backend, HOME, ANA).await.expect(status);
        }
        for number in 0..3 {
            crate::people::ask_for_reset(&backend, &format!("192.0.2.10{number}"), ANA).await.expect(200);
        }
        let mut mails = list(&admin, "reason=mails&identifier=ana%40example.com").await;
        mails.sort_by_key(|record| record["type"].as_str().unwrap().to_owned());
        let types: Vec<&str> = mails.iter().map(|record| record["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["fcpr", "w"]);
        let counted = meter(&mails[0], "mails_asked_by_source_for_address");
        assert_eq!((&counted["counted"], &counted["limit"], &mails[0]["ip"]), (&json!(10), &json!(10), &json!(HOME)));
        let counted = meter(&mails[1], "mails_to_address");
        assert_eq!((&counted["counted"], &counted["limit"]), (&json!(10), &json!(10)));

        let leaked = "AUTH0-TEST-Correct-Horse-7";
        let user = json!({"connection": "Users", "email": "ben@example.com", "password": leaked, "verify_email": false});
        admin.post("users", user).await.expect(201);
        let shield = json!({"enabled": true, "shields": ["block"]});
        admin.patch("attack-protection/breached-password-detection", shield).await.expect(200);
        let few = json!({"confirmations": {"max_attempts": 1, "rate": 3_600_000}});
        admin.patch("portcullis/attack-protection", few).await.expect(200);
        for status in [401, 403, 403] {
            backend.login("ben@example.com", leaked).end_user("192.0.2.77").send().await.expect(status);
        }
        let withheld = list(&admin, "reason=confirmations").await;
        assert_eq!(withheld.len(), 1, "once an hour");
        assert_eq!((&withheld[0]["type"], &withheld[0]["identifier"]), (&json!("fp"), &json!("ben@example.com")));
        let counted = meter(&withheld[0], "breach_confirmations_of_source");
        assert_eq!((&counted["counted"], &counted["limit"]), (&json!(1), &json!(1)));
    }

    async fn refused_sign_ups_and_breached_passwords_leave_records_too(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let few = json!({"stage": {"pre-user-registration": {"max_attempts": 1, "rate": 60_000}}});
        admin.patch("attack-protection/suspicious-ip-throttling", few).await.expect(200);
        for (name, status) in [("one@example.com", 200), ("two@example.com", 429), ("three@example.com", 429)] {
            crate::people::sign_up(&backend, name).await.expect(status);
        }
        let refused = list(&admin, "reason=sign_up").await;
        assert_eq!(refused.len(), 1, "once an hour");
        assert_eq!((&refused[0]["type"], &refused[0]["refused"]), (&json!("limit_mu"), &json!(true)));
        let counted = meter(&refused[0], "sign_ups_of_source");
        assert_eq!((&counted["counted"], &counted["limit"]), (&json!(1), &json!(1)));

        let leaked = "AUTH0-TEST-Correct-Horse-7";
        let user = json!({"connection": "Users", "email": ANA, "password": leaked});
        admin.post("users", user).await.expect(201);
        let shield = json!({"enabled": true, "shields": ["block"]});
        admin.patch("attack-protection/breached-password-detection", shield).await.expect(200);
        backend.login(ANA, leaked).end_user(HOME).send().await.expect(401);
        let refused = list(&admin, "reason=breached_password").await;
        assert_eq!(refused.len(), 1);
        assert_eq!((&refused[0]["type"], &refused[0]["ip"]), (&json!("pwd_leak"), &json!(HOME)));
        assert_eq!((&refused[0]["refused"], &refused[0]["source"]["header"]), (&json!(true), &json!("used")));
        assert!(refused[0]["lift"][0]["how"].as_str().unwrap().contains("new password"), "{refused:?}");
    }

    async fn a_record_covers_the_refusals_of_its_hour(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 30).await;
        assert_eq!(ids(&world.admin().await, "").await.len(), 1, "also those that a node remembers");
        world.clock.advance(Duration::from_secs(3_600));
        world.app.forget_cached();
        Attacker::at(&backend, HOME).guesses(ANA, 30).await;
        let records = list(&world.admin().await, "").await;
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["ends_at"], records[1]["ends_at"], "guesses during a block do not move its end");
    }

    async fn records_are_found_by_whom_where_why_and_when(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await.replace('|', "%7C");
        refuse(&world, &backend).await;
        let admin = world.admin().await;
        let all = ids(&admin, "").await;
        let of = |places: &[usize]| places.iter().map(|place| all[*place].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&admin, "identifier=ana%40example.com").await, of(&[1, 3]));
        assert_eq!(ids(&admin, "identifier=%20ANA%40Example.com").await, of(&[1, 3]));
        assert_eq!(ids(&admin, &format!("user_id={user}")).await, of(&[1, 3]));
        assert_eq!(ids(&admin, &format!("user_id={user}&reason=same_user")).await, of(&[1]));
        assert_eq!(ids(&admin, "user_id=auth0%7Cnobody").await, of(&[]));
        assert_eq!(ids(&admin, &format!("ip={ELSEWHERE}")).await, of(&[0]));
        assert_eq!(ids(&admin, "reason=suspicious_ip").await, of(&[2]));
        assert_eq!(ids(&admin, "from=2026-01-01T00:01:00Z&to=2026-01-01T00:03:00Z").await, of(&[1, 2]));
        let page = admin.get("portcullis/decisions?per_page=1&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((&page["total"], &page["start"], &page["decisions"][0]["id"]), (&json!(4), &json!(1), &json!(all[1])));

        for (query, word) in [
            ("reason=because", "client_secrets"),
            ("ip=here", "ip"),
            ("from=yesterday", "from"),
            ("to=1", "to"),
            ("take=5", "take"),
            ("page=-1", "page"),
        ] {
            let refused = admin.get(&format!("portcullis/decisions?{query}")).await.expect(400);
            assert!(refused.text_of("message").contains(word), "{query}: {refused:?}");
        }
    }

    async fn a_shield_that_only_watches_says_so(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let watch = json!({"shields": []});
        world.admin().await.patch("attack-protection/brute-force-protection", watch).await.expect(200);
        for _ in 0..10 {
            backend.login_wrong(ANA, HOME).await.expect(403);
        }
        let admin = world.admin().await;
        let record = list(&admin, "").await.remove(0);
        assert_eq!((&record["reason"], &record["refused"]), (&json!("brute_force"), &json!(false)));
        assert_eq!(meter(&record, "account_and_source")["enforced"], false);
        let shown = now(&admin, &format!("identifier={ANA}&ip={HOME}")).await;
        assert_eq!(shown["answer"], "admitted");
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn what_an_attempt_would_meet_now_is_what_it_meets(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let query = |name: &str| format!("identifier={name}&ip={HOME}&client_id={}", backend.client_id);
        for name in [ANA, NOBODY] {
            let before = now(&admin, &query(name)).await;
            assert_eq!((&before["answer"], &before["connection"]), (&json!("admitted"), &json!("Users")));
            assert_eq!(before["account"]["is_known"], name == ANA);
            assert_eq!(before["source"]["standing"], "named by a trusted application");
            for count in 1..=9 {
                backend.login_wrong(name, HOME).await.expect(403);
                let shown = now(&admin, &query(name)).await;
                assert_eq!(shown["answer"], "admitted");
                assert_eq!(meter(&shown, "account_and_source")["counted"], count);
            }
            for _ in 0..20 {
                now(&admin, &query(name)).await;
            }
            assert_eq!(meter(&now(&admin, &query(name)).await, "account_and_source")["counted"], 9, "asking counts nothing");
            backend.login_wrong(name, HOME).await.expect(403);
            let blocked = now(&admin, &query(name)).await;
            assert_eq!((&blocked["answer"], &blocked["status"], &blocked["reason"]), (&json!("refused"), &json!(429), &json!("brute_force")));
            assert_eq!(blocked["ends_at"], "2026-01-31T00:00:00.000Z");
            backend.login_wrong(name, HOME).await.expect(429);
            let lift = blocked["lift"][0]["call"].as_str().unwrap().strip_prefix("DELETE /api/v2/").unwrap();
            admin.delete(lift).await.expect(204);
            assert_eq!(now(&admin, &query(name)).await["answer"], "admitted", "what it says to do ends it");
        }
        backend.login_right(ANA, HOME).await.expect(200);

        admin.patch(&format!("users/{}", user.replace('|', "%7C")), json!({"blocked": true})).await.expect(200);
        let shown = now(&admin, &query(ANA)).await;
        assert_eq!((&shown["answer"], &shown["account"]["is_blocked_by_administrator"]), (&json!("admitted"), &json!(true)));
        assert!(shown["lift"][0]["how"].as_str().unwrap().contains("administrator"), "{shown}");
    }

    async fn asking_writes_nothing(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = format!("portcullis/decisions/now?identifier={ANA}&ip={HOME}&client_id={}&client_ip={HOME}", backend.client_id);
        admin.get(&path).await.expect(200);
        let before = world.app.store.commit_counts().units;
        admin.get(&path).await.expect(200);
        admin.get("portcullis/decisions").await.expect(200);
        assert_eq!(world.app.store.commit_counts().units, before);
    }

    async fn it_tells_how_the_address_would_be_found(world: World) {
        let trusted = world.backend(true).await;
        let plain = world.backend(false).await;
        let admin = world.admin().await;
        let path = format!("portcullis/clients/{}", trusted.client_id);
        admin.patch(&path, json!({"header_trust": {"networks": ["203.0.113.0/24"]}})).await.expect(200);
        let ask = async |client: &str, caller: &str| {
            let query = format!("identifier={ANA}&ip={HOME}&client_id={client}&client_ip={caller}");
            let shown = now(&admin, &query).await;
            (shown["source"]["address"].as_str().unwrap().to_owned(), shown["source"]["header"].as_str().unwrap().to_owned())
        };
        let pair = |address: &str, header: &str| (address.to_owned(), header.to_owned());
        assert_eq!(ask(&trusted.client_id, "203.0.113.10").await, pair(HOME, "used"));
        assert_eq!(ask(&trusted.client_id, ELSEWHERE).await, pair(ELSEWHERE, "ignored: foreign network"));
        assert_eq!(ask(&plain.client_id, "203.0.113.10").await, pair("203.0.113.10", "ignored: untrusted client"));

        for _ in 0..100 {
            let guess = plain.login(ANA, "x").with("client_secret", "guessed").from("203.0.113.10");
            guess.send().await.expect(401);
        }
        let query = format!("identifier={ANA}&ip={HOME}&client_id={}&client_ip=203.0.113.10", plain.client_id);
        let shown = now(&admin, &query).await;
        assert_eq!((&shown["answer"], &shown["reason"]), (&json!("refused"), &json!("client_secrets")));
        plain.login_right(ANA, HOME).await.expect(429);
        let lift = shown["lift"][0]["call"].as_str().unwrap().strip_prefix("DELETE /api/v2/").unwrap();
        admin.delete(lift).await.expect(204);
        assert_eq!(now(&admin, &query).await["answer"], "admitted");
    }

    async fn bad_questions_are_told_what_is_missing(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        for (query, status, word) in [
            ("", 400, "identifier"),
            ("identifier=ana%40example.com", 400, "ip"),
            ("identifier=%20&ip=192.0.2.1", 400, "identifier"),
            ("identifier=a&ip=192.0.2", 400, "ip"),
            ("identifier=a&ip=192.0.2.1&client_ip=x", 400, "client_ip"),
            ("identifier=a&ip=192.0.2.1&connection=None", 404, "connection"),
            ("identifier=a&ip=192.0.2.1&client_id=none", 404, "application"),
        ] {
            let refused = admin.get(&format!("portcullis/decisions/now?{query}")).await.expect(status);
            assert!(refused.text_of("message").contains(word), "{query}: {refused:?}");
        }
    }

    async fn only_readers_of_logs_see_decisions(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let audience = "https://login.example.com/api/v2/";
        let paths = ["portcullis/decisions", "portcullis/decisions/x", "portcullis/decisions/now"];
        for path in paths {
            admin.with_token("never.issued.token").get(path).await.expect(401);
        }
        let grant = json!({"client_id": backend.client_id, "audience": audience, "scope": ["read:users", "read:attack_protection"]});
        admin.post("client-grants", grant).await.expect(201);
        let call = backend.login("", "").with("grant_type", "client_credentials").with("audience", audience);
        let token = call.with("scope", Value::Null).send().await.expect(200).text_of("access_token");
        assert_ne!(audience, AUDIENCE);
        let limited = admin.with_token(token);
        for path in paths {
            let refused = limited.get(path).await.expect(403);
            assert!(refused.text_of("message").contains("read:logs"), "{refused:?}");
        }
    }
}
