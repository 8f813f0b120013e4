//! Locks that are there from the start, fall on guesses alone, and on nobody but the guesser.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use testkit::{Answer, Attacker, Backend, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const NOBODY: &str = "eve@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.77";

async fn failures(world: &World, name: &str, address: &str) -> Value {
    let path = format!("portcullis/decisions/now?identifier={name}&ip={address}&connection=Users");
    let shown = world.admin().await.get(&path).await.expect(200).json();
    let meters = shown["meters"].as_array().unwrap().iter();
    let counted =
        meters.filter(|meter| meter["kind"] == "account_and_source" || meter["kind"] == "source");
    counted.map(|meter| meter["counted"].clone()).collect()
}

fn told(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, answer.text.clone(), headers)
}

async fn locks_after_ten(backend: &Backend<'_>) {
    backend.add_user(ANA).await;
    for _ in 0..10 {
        backend.login_wrong(ANA, HOME).await.expect(403);
    }
    backend.login_right(ANA, HOME).await.expect(429);
    backend.login_right(ANA, ELSEWHERE).await.expect(200);
}

on_both_engines! {
    async fn a_new_tenant_and_a_new_directory_are_protected_from_the_start(world: World) {
        let other = world.neighbour("other").await;
        for world in [&world, &other] {
            let admin = world.admin().await;
            for (shield, mode) in [("brute-force-protection", "block"), ("suspicious-ip-throttling", "block")] {
                let settings = admin.get(&format!("attack-protection/{shield}")).await.expect(200).json();
                assert_eq!(settings["enabled"], true, "{shield}");
                assert!(settings["shields"].as_array().unwrap().contains(&json!(mode)), "{shield}");
            }
            let own = admin.get("portcullis/attack-protection").await.expect(200).json();
            assert_eq!(own["same_user"]["enabled"], true);
            locks_after_ten(&world.backend(true).await).await;
        }
        // A directory that is made by nothing but a name.
        let backend = other.backend(true).await;
        let admin = other.admin().await;
        let made = json!({"name": "Second", "strategy": "auth0", "enabled_clients": [backend.client_id]});
        admin.post("connections", made).await.expect(201);
        for _ in 0..10 {
            let guess = backend.login(NOBODY, "wrong").end_user(HOME).with("realm", "Second");
            let guess = guess.with("grant_type", "http://auth0.com/oauth/grant-type/password-realm");
            guess.send().await.expect(403);
        }
        let shown = admin.get(&format!("portcullis/decisions/now?identifier={NOBODY}&ip={HOME}&connection=Second")).await;
        assert_eq!(shown.expect(200).json()["answer"], "refused");
    }

    async fn a_locked_account_gets_no_token_by_any_grant(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        let right = backend.login(ANA, PASSWORD).end_user(HOME);
        for fresh in [false, true] {
            for grant in protocol::GrantType::ALL {
                if grant == protocol::GrantType::ClientCredentials {
                    continue;
                }
                if fresh {
                    world.app.forget_cached();
                }
                let call = right.clone().with("grant_type", grant.as_str()).with("realm", "Users");
                let refused = call.send().await.expect(429);
                assert!(!refused.text.contains("_token\""), "{grant}: {}", refused.text);
            }
        }
        // What an application gets for itself is about no user, and no user's lock touches it.
        let own = right.clone().with("grant_type", "client_credentials").with("scope", Value::Null);
        let own = own.send().await;
        assert!(!own.text.contains("id_token"), "{}", own.text);
        assert_ne!(own.status, 429);
    }

    async fn denials_by_policy_are_no_wrong_passwords(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        let admin = world.admin().await;
        backend.login_wrong(ANA, HOME).await.expect(403);
        let before = failures(&world, ANA, HOME).await;
        assert_eq!(before, json!([1, 1]));

        let api = json!({"identifier": "urn:closed", "name": "Closed", "subject_type_authorization": {"user": {"policy": "deny_all"}}});
        admin.post("resource-servers", api).await.expect(201);
        let call = || backend.login(ANA, PASSWORD).end_user(HOME);
        for _ in 0..4 {
            call().with("audience", "urn:closed").send().await.expect(403);
            call().with("audience", "urn:no-api").send().await.expect(403);
            call().with("grant_type", "client_credentials").send().await.expect(403);
            let realm = call().with("grant_type", "http://auth0.com/oauth/grant-type/password-realm");
            realm.with("realm", "Nowhere").send().await.expect(403);
        }
        let path = format!("users/{}", user.replace('|', "%7C"));
        admin.patch(&path, json!({"blocked": true})).await.expect(200);
        for _ in 0..12 {
            call().send().await.expect(403);
        }
        assert_eq!(failures(&world, ANA, HOME).await, before);
        admin.patch(&path, json!({"blocked": false})).await.expect(200);
        call().send().await.expect(200);
    }

    async fn settings_that_never_lock_are_refused(world: World) {
        let admin = world.admin().await;
        let shields = ["attack-protection/brute-force-protection", "attack-protection/suspicious-ip-throttling", "portcullis/attack-protection"];
        let mut before = Vec::new();
        for path in shields {
            before.push(admin.get(path).await.expect(200).json());
        }
        let stage = |name: &str, max: i64, rate: i64| json!({"stage": {name: {"max_attempts": max, "rate": rate}}});
        for (path, body, word) in [
            (shields[0], json!({"max_attempts": 0}), "max_attempts"),
            (shields[0], json!({"max_attempts": -1}), "max_attempts"),
            (shields[0], json!({"max_attempts": 101}), "max_attempts"),
            (shields[0], json!({"max_attempts": null}), "max_attempts"),
            (shields[0], json!({"mode": "never"}), "mode"),
            (shields[0], json!({"allowlist": ["0.0.0.0/0"]}), "allowlist"),
            (shields[0], json!({"allowlist": ["192.0.2.1", "::/0"]}), "allowlist"),
            (shields[1], json!({"allowlist": ["0.0.0.0/1", "128.0.0.0/1"]}), "allowlist"),
            (shields[1], stage("pre-login", 0, 864_000), "max_attempts"),
            (shields[1], stage("pre-login", 2_501, 864_000), "max_attempts"),
            (shields[1], stage("pre-login", 100, 0), "rate"),
            (shields[1], stage("pre-login", 100, 1), "rate"),
            (shields[1], stage("pre-user-registration", 0, 1_200), "max_attempts"),
            (shields[2], json!({"same_user": {"max_attempts": 0}}), "max_attempts"),
            (shields[2], json!({"same_user": {"rate": 0}}), "rate"),
        ] {
            let refused = admin.patch(path, body.clone()).await.expect(400);
            assert!(refused.text_of("message").contains(word), "{body}: {refused:?}");
        }
        for (path, before) in shields.iter().zip(before) {
            assert_eq!(admin.get(path).await.expect(200).json(), before, "what is refused changes nothing");
        }
        locks_after_ten(&world.backend(true).await).await;
    }

    async fn no_answer_tells_how_many_tries_are_left_or_whether_there_is_a_user(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let mut first = None;
        for name in [ANA, NOBODY] {
            for number in 1..=10 {
                let answer = backend.login_wrong(name, HOME).await.expect(403);
                let told = told(&answer);
                assert_eq!(&told, first.get_or_insert(told.clone()), "{name}, guess {number}");
            }
        }
        let (_, text, headers) = first.unwrap();
        for word in ["left", "remaining", "more", "user does not", "attempt", "exist"] {
            assert!(!text.to_lowercase().contains(word), "{text}");
        }
        assert!(!headers.iter().any(|header| header.contains("ratelimit")), "{headers:?}");
        // No other protection that could be switched on takes the counters' place.
        let admin = world.admin().await;
        let captcha = json!({"challenge_password_policy": "always"});
        admin.patch("attack-protection/bot-detection", captcha).await.expect(400);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn hammering_a_name_bans_nobody_elsewhere(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        backend.login_right(ANA, HOME).await.expect(200);
        for number in 0..30 {
            Attacker::at(&backend, &format!("198.51.100.{number}")).guesses(ANA, 11).await;
        }
        let admin = world.admin().await;
        backend.login_right(ANA, HOME).await.expect(200);
        admin.get(&format!("anomaly/blocks/ips/{HOME}")).await.expect(404);
        let blocks = admin.get(&format!("user-blocks/{}", user.replace('|', "%7C"))).await.expect(200).json();
        let addresses = blocks["blocked_for"].as_array().unwrap();
        assert_eq!(addresses.len(), 30);
        assert!(addresses.iter().all(|entry| entry["ip"] != HOME), "{blocks}");
        assert_eq!(failures(&world, ANA, HOME).await, json!([0, 0]));
    }

    async fn no_side_door_verifies_a_password(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        let verified = world.hashes().verified();
        let body = json!({
            "email": ANA, "username": ANA, "password": PASSWORD, "connection": "Users", "client_id": backend.client_id,
            "newPassword": PASSWORD, "new_password": PASSWORD, "ticket": "x", "old_password": PASSWORD,
        });
        for path in [
            "/dbconnections/signup",
            "/dbconnections/change_password",
            "/dbconnections/verify_password",
            "/dbconnections/self_change_password",
            "/u/reset-password",
            "/u/reset-password?ticket=x",
            "/u/login/password",
            "/oauth/revoke",
            "/userinfo",
        ] {
            for method in ["POST", "PUT", "PATCH"] {
                let request = Request::builder().method(method).uri(path).header("host", world.domain());
                let request = request.header("content-type", "application/json");
                let answer = world.send(HOME, request.body(Body::from(body.to_string())).unwrap()).await;
                assert!(answer.status < 500, "{method} {path}: {answer:?}");
            }
        }
        // What an administrator does with passwords sets them; it compares none.
        let admin = world.admin().await;
        let path = format!("users/{}", user.replace('|', "%7C"));
        for body in [json!({"password": PASSWORD, "connection": "Users"}), json!({"old_password": PASSWORD}), json!({"verify_password": true})] {
            assert!(admin.patch(&path, body).await.status < 500);
        }
        admin.get(&format!("users?q=password%3A{PASSWORD}")).await;
        assert_eq!(world.hashes().verified(), verified, "only the token endpoint compares passwords, and it counts");
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(world.hashes().verified(), verified + 1);
    }
}
