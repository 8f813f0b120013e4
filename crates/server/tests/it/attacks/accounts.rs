//! What sign-ups, forgotten passwords and links of mails give to an attacker: no names, no flood, no lifted block.

use serde_json::{Value, json};
use storage::{StatementTrace, Tally};
use testkit::{Answer, Attacker, Backend, World, on_both_engines};

use crate::people::{ANA, HOME, NEW_PASSWORD, ask_for_reset, new_person, post, sign_up};

const MALLORY: &str = "198.51.100.66";
const BOTH: [(&str, &str); 2] = [("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];

/// Status, headers but the request's own number, and the body without what is random in it.
fn seen(answer: &Answer) -> (u16, Value, Vec<String>) {
    let headers = answer.headers.iter();
    let mut headers: Vec<String> = headers
        .filter(|(name, _)| *name != "x-request-id")
        .map(|header| format!("{header:?}"))
        .collect();
    headers.sort();
    let mut body = answer.json();
    if let Some(id) = body.get_mut("_id") {
        *id = json!(id.as_str().map(str::len));
    }
    if let Some(email) = body.get_mut("email") {
        *email = json!(email.as_str().map(str::len));
    }
    (answer.status, body, headers)
}

/// What ran, and how often; look-ups that are cached for a second run now and then for everybody.
fn ran(trace: &StatementTrace) -> Vec<(String, u64)> {
    let of_the_call = |text: &str| {
        [
            "users",
            "identifiers",
            "meters",
            "events",
            "mail_queue",
            "password_mix",
            "tickets",
        ]
        .iter()
        .any(|table| text.contains(table))
            && !text.contains("SUM(users)")
    };
    let runs = |(text, tally): (&str, Tally)| (text.to_owned(), tally.runs);
    let ran = trace.iter().filter(|(text, _)| of_the_call(text));
    ran.map(runs).collect()
}

async fn user_id(world: &World) -> String {
    let users = world.admin().await.get("users").await.json();
    users[0]["user_id"].as_str().unwrap().replace('|', "%7C")
}

async fn reset_link(backend: &Backend<'_>, email: &str) -> String {
    // What came before is not the newest then.
    backend.world.mails().await;
    ask_for_reset(backend, HOME, email).await.expect(200);
    backend.world.mailbox(email).newest_link().await
}

on_both_engines! {
    async fn a_sign_up_does_not_tell_who_has_an_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        // Once for both, so that rows which only the first ever makes are there.
        sign_up(&backend, "first@example.com").await.expect(200);
        let mut told = Vec::new();
        for email in [ANA, "bob@example.com"] {
            let before = world.app.store.statement_trace();
            let hashes = world.hashes();
            let mut answers = Vec::new();
            // A weak password hears the same, too.
            let mut weak = new_person(&backend, email);
            weak["password"] = json!("weak");
            answers.push(seen(&post(&world, MALLORY, "/dbconnections/signup", &[], &weak).await));
            let body = new_person(&backend, &email.replace("bob", "eva"));
            answers.push(seen(&post(&world, MALLORY, "/dbconnections/signup", &[], &body).await));
            assert_eq!(answers[1].0, 200);
            let fresh = world.hashes().fresh - hashes.fresh;
            told.push((answers, fresh, ran(&world.app.store.statement_trace().since(&before))));
        }
        assert_eq!(told[0].0, told[1].0, "status, headers, body");
        assert_eq!(told[0].1, told[1].1, "hashes");
        assert_eq!(told[0].2, told[1].2, "statements");
    }

    async fn a_forgotten_password_does_not_tell_who_has_an_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let mut told = Vec::new();
        for email in [ANA, "bob@example.com"] {
            let before = world.app.store.statement_trace();
            let answers = [ask_for_reset(&backend, MALLORY, email).await, ask_for_reset(&backend, MALLORY, email).await];
            assert_eq!(answers[0].status, 200);
            told.push((answers.map(|answer| (seen(&answer), answer.text)), ran(&world.app.store.statement_trace().since(&before))));
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(world.mails().await.len(), 2, "only she gets them");
    }

    async fn no_mailbox_is_bombed_by_sign_ups_or_forgotten_passwords(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for number in 0..30 {
            let source = format!("198.51.100.{number}");
            post(&world, &source, "/dbconnections/signup", &[], &new_person(&backend, ANA)).await.expect(200);
            ask_for_reset(&backend, &source, ANA).await.expect(200);
        }
        assert_eq!(world.mailbox(ANA).mails().await.len(), 20, "ten of each purpose");
    }

    async fn somebody_elses_block_is_lifted_by_no_sign_up_and_no_request(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, MALLORY).guesses(ANA, 10).await;
        backend.login_wrong(ANA, MALLORY).await.expect(429);
        post(&world, MALLORY, "/dbconnections/signup", &[], &new_person(&backend, ANA)).await.expect(200);
        ask_for_reset(&backend, MALLORY, ANA).await.expect(200);
        backend.login_wrong(ANA, MALLORY).await.expect(429);
        let blocks = world.admin().await.get("user-blocks?identifier=ana%40example.com").await.json();
        assert_eq!(blocks["blocked_for"].as_array().unwrap().len(), 1);
    }

    async fn of_many_who_use_one_reset_link_at_once_one_sets_the_password(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let link = reset_link(&backend, ANA).await;
        let ana = world.visitor(HOME);
        let page = ana.open(&link).await.expect(200);
        let passwords: Vec<String> = (0..8).map(|number| format!("Horse-{number}-Battery-Staple")).collect();
        let uses = passwords.iter().map(|password| {
            let (ana, page) = (&ana, &page);
            async move { ana.press(page, &[("password", password), ("confirmation", password)]).await.status }
        });
        let told = futures_util::future::join_all(uses).await;
        assert_eq!(told.iter().filter(|status| **status == 200).count(), 1, "{told:?}");
        let mut works = 0;
        for password in &passwords {
            works += u32::from(backend.login(ANA, password).end_user(HOME).send().await.status == 200);
            world.clock.advance(std::time::Duration::from_secs(60));
        }
        assert_eq!(works, 1);
    }

    async fn reset_tickets_cannot_be_searched_for(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let link = reset_link(&backend, ANA).await;
        let mallory = world.visitor(MALLORY);
        let guesses = (0..60).map(|number| {
            let mallory = &mallory;
            async move { mallory.open(&format!("/u/reset-password?ticket=guess{number}")).await.status }
        });
        let told = futures_util::future::join_all(guesses).await;
        assert_eq!(told.iter().filter(|status| **status == 404).count(), 20, "{told:?}");
        // From then on this source learns nothing, of good ones either; Ana is not kept from hers.
        mallory.open(&link).await.expect(429);
        let page = world.visitor(HOME).open(&link).await.expect(200);
        mallory.press(&page, &BOTH).await.expect(429);
        world.visitor(HOME).press(&page, &BOTH).await.expect(200);
    }

    async fn a_reset_leaves_an_administrators_block_in_place(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let path = format!("users/{}", user_id(&world).await);
        world.admin().await.patch(&path, json!({"blocked": true})).await.expect(200);
        let link = reset_link(&backend, ANA).await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        world.visitor(HOME).press(&page, &BOTH).await.expect(200);
        let told = backend.login(ANA, NEW_PASSWORD).end_user(HOME).send().await.expect(403);
        assert_eq!(told.description(), "user is blocked");
    }

    async fn a_reset_lifts_no_throttle_of_a_source(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let stage = json!({"stage": {"pre-login": {"max_attempts": 5, "rate": 86_400_000}}});
        world.admin().await.patch("attack-protection/suspicious-ip-throttling", stage).await.expect(200);
        for number in 0..5 {
            backend.login_wrong(&format!("u{number}@example.com"), HOME).await.expect(403);
        }
        let link = reset_link(&backend, ANA).await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        world.visitor(HOME).press(&page, &BOTH).await.expect(200);
        backend.login(ANA, NEW_PASSWORD).end_user(HOME).send().await.expect(429);
    }

    async fn a_reset_cannot_be_steered_to_another_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let anas = user_id(&world).await;
        sign_up(&backend, "mallory@example.com").await.expect(200);
        let admin = world.admin().await;
        let link = reset_link(&backend, "mallory@example.com").await;
        let mallory = world.visitor(MALLORY);
        let ticket = link.split('=').next_back().unwrap();
        // Whatever else the form says, the account is the ticket's.
        let page = mallory.open(&format!("{link}&email={ANA}&user_id={anas}")).await.expect(200);
        assert!(page.text.contains("mallory@example.com") && !page.text.contains(ANA), "{}", page.text);
        let fields = [
            ("ticket", ticket), ("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD),
            ("email", ANA), ("user_id", anas.as_str()), ("connection", "Users"),
        ];
        mallory.submit("/u/reset-password", &fields).await.expect(200);
        backend.login(ANA, NEW_PASSWORD).end_user(HOME).send().await.expect(403);
        backend.login_right(ANA, HOME).await.expect(200);

        // A link that was mailed is good for whoever has the address, while it is his.
        let link = reset_link(&backend, "mallory@example.com").await;
        let page = mallory.open(&link).await.expect(200);
        let found = admin.get("users-by-email?email=mallory%40example.com").await.json();
        let id = found[0]["user_id"].as_str().unwrap().replace('|', "%7C");
        admin.patch(&format!("users/{id}"), json!({"email": "victim@example.com"})).await.expect(200);
        mallory.press(&page, &BOTH).await.expect(404);
        mallory.open(&link).await.expect(404);
    }

    async fn a_host_that_a_stranger_names_gets_into_no_link(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let body = json!({"client_id": backend.client_id, "connection": "Users", "email": ANA});
        let request = http::Request::post("/dbconnections/change_password")
            .header("host", "evil.example.net")
            .header("x-forwarded-host", "evil.example.net")
            .header("content-type", "application/json")
            .body(body.to_string().into()).unwrap();
        world.send(MALLORY, request).await.expect(200);
        let mail = world.mailbox(ANA).newest().await;
        assert!(mail.text().contains("https://login.example.com/u/reset-password?ticket="), "{}", mail.text());
        assert!(!mail.text().contains("evil"));
    }
}
