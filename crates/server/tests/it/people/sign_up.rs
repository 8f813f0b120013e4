//! `POST /dbconnections/signup`: what it takes, what it answers, what it counts, and what it never tells.

use serde_json::{Value, json};
use testkit::{AUDIENCE, Attacker, PASSWORD, World, on_both_engines};

use super::{ANA, EVE, HOME, new_person, options, post, sign_up};

const PATH: &str = "/dbconnections/signup";

on_both_engines! {
    async fn who_signs_up_has_an_account_and_a_mail_to_verify_the_address(world: World) {
        let backend = world.backend(true).await;
        let mut body = new_person(&backend, " Eve@Example.com ");
        body["name"] = json!("Eve");
        body["user_metadata"] = json!({"plan": "gold"});
        let told = post(&world, HOME, PATH, &[], &body).await.expect(200).json();
        let id = told["_id"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 24);
        assert_eq!(told, json!({
            "_id": id, "email": EVE, "email_verified": false, "name": "Eve", "user_metadata": {"plan": "gold"},
        }));
        backend.login_right(EVE, HOME).await.expect(200);
        let user = world.admin().await.get(&format!("users/auth0%7C{id}")).await.expect(200).json();
        assert_eq!((&user["name"], &user["user_metadata"]["plan"]), (&json!("Eve"), &json!("gold")));
        let mail = world.mailbox(EVE).newest().await;
        assert!(mail.text().contains("/u/email-verification?ticket="), "{}", mail.text());
        let events = world.admin().await.events("ss").await;
        assert_eq!((&events[0]["user_id"], &events[0]["user_name"]), (&json!(format!("auth0|{id}")), &json!(EVE)));
    }

    async fn a_form_is_read_like_json(world: World) {
        let backend = world.backend(true).await;
        let form = format!("client_id={}&connection=Users&email=eve%40example.com&password={PASSWORD}", backend.client_id);
        let request = http::Request::post(PATH).header("host", world.domain())
            .header("content-type", "application/x-www-form-urlencoded").body(form.into()).unwrap();
        world.send(HOME, request).await.expect(200);
        backend.login_right(EVE, HOME).await.expect(200);
    }

    async fn each_refusal_has_its_documented_body(world: World) {
        let backend = world.backend(true).await;
        let other = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("connections/{}/clients", backend.connection_id);
        admin.patch(&path, json!([{"client_id": other.client_id, "status": false}])).await.expect(204);
        let long = "x".repeat(1_025);
        for (change, status, code) in [
            (json!({"email": null}), 400, "invalid_request"),
            (json!({"email": "eve"}), 400, "invalid_request"),
            (json!({"password": long}), 400, "invalid_request"),
            (json!({"user_metadata": {"a": 1}}), 400, "invalid_request"),
            (json!({"client_id": "nobody"}), 400, "invalid_client"),
            (json!({"client_id": other.client_id}), 400, "invalid_request"),
            (json!({"connection": "Nowhere"}), 400, "invalid_request"),
            (json!({"client_secret": "wrong"}), 401, "access_denied"),
            (json!({"username": "eve"}), 400, "invalid_request"),
            (json!({"password": "weak"}), 400, "invalid_password"),
        ] {
            let mut body = new_person(&backend, EVE);
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let told = post(&world, HOME, PATH, &[], &body).await.expect(status).json();
            assert_eq!((&told["code"], &told["statusCode"]), (&json!(code), &json!(status)), "{change} {told}");
        }
        options(&backend, json!({"disable_signup": true})).await;
        let told = sign_up(&backend, EVE).await.expect(400).json();
        assert_eq!(told["description"], "public signup is disabled");
        assert_eq!(told["error"], "public signup is disabled");
        options(&backend, json!({"requires_username": true})).await;
        sign_up(&backend, EVE).await.expect(400);
        assert!(admin.get("users-by-email?email=eve%40example.com").await.json().as_array().unwrap().is_empty());
    }

    async fn a_taken_user_name_is_told_before_the_address(world: World) {
        let backend = world.backend(true).await;
        options(&backend, json!({"requires_username": true})).await;
        let mut body = new_person(&backend, EVE);
        body["username"] = json!("Eve");
        let told = post(&world, HOME, PATH, &[], &body).await.expect(200).json();
        assert_eq!(told["username"], "eve");
        let told = post(&world, HOME, PATH, &[], &body).await.expect(400).json();
        assert_eq!(told["code"], "username_exists");
        for (name, status) in [("a name", 400), ("abcdefghijklmnop", 400), ("x@example.com", 400), ("abcdefghijklmno", 200)] {
            let mut body = new_person(&backend, "other@example.com");
            body["username"] = json!(name);
            let told = post(&world, HOME, PATH, &[], &body).await;
            assert_eq!(told.status, status, "{name} {}", told.text);
        }
    }

    async fn what_is_told_of_an_existing_account_is_the_tenants_choice(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        sign_up(&backend, ANA).await.expect(200);
        let shown = admin.patch("portcullis/attack-protection", json!({"sign_up": {"existing_account": "invalid_signup"}})).await.expect(200);
        assert_eq!(shown.json()["sign_up"], json!({"existing_account": "invalid_signup"}));
        let told = sign_up(&backend, ANA).await.expect(400).json();
        assert_eq!((&told["code"], &told["description"]), (&json!("invalid_signup"), &json!("Invalid sign up")));
        admin.patch("tenants/settings", json!({"flags": {"enable_public_signup_user_exists_error": true}})).await.expect(200);
        let told = sign_up(&backend, ANA).await.expect(400).json();
        assert_eq!(told, json!({
            "name": "BadRequestError", "code": "user_exists", "description": "The user already exists.", "statusCode": 400,
        }));
        admin.patch("portcullis/attack-protection", json!({"sign_up": {"existing_account": "shout"}})).await.expect(400);
    }

    async fn a_concealed_sign_up_changes_nothing_and_tells_the_owner(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = format!("users/{}", id.replace('|', "%7C"));
        let before = admin.get(&path).await.expect(200).json();
        let mut body = new_person(&backend, ANA);
        body["password"] = json!("Stolen-Horse-9-Battery");
        body["name"] = json!("Mallory");
        let told = post(&world, HOME, PATH, &[], &body).await.expect(200).json();
        assert_ne!(told["_id"].as_str().map(|own| format!("auth0|{own}")), Some(id));
        assert_eq!(admin.get(&path).await.expect(200).json(), before);
        assert_eq!(admin.get("users").await.json().as_array().unwrap().len(), 1);
        backend.login_right(ANA, HOME).await.expect(200);
        backend.login(ANA, "Stolen-Horse-9-Battery").send().await.expect(403);
        let mail = world.mailbox(ANA).newest().await;
        assert!(mail.text().contains("has an account already"), "{}", mail.text());
        assert!(!mail.text().contains("ticket="));
        assert_eq!(admin.events("fs").await[0]["description"], "The user already exists.");
    }

    async fn every_sign_up_counts_for_its_source_whatever_comes_of_it(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let stage = json!({"stage": {"pre-user-registration": {"max_attempts": 4, "rate": 60_000}}});
        admin.patch("attack-protection/suspicious-ip-throttling", stage).await.expect(200);
        let mut weak = new_person(&backend, EVE);
        weak["password"] = json!("weak");
        let mut malformed = new_person(&backend, EVE);
        malformed["email"] = json!("eve");
        for _ in 0..5 {
            post(&world, HOME, PATH, &[], &malformed).await.expect(400);
        }
        sign_up(&backend, EVE).await.expect(200);
        sign_up(&backend, ANA).await.expect(200);
        post(&world, HOME, PATH, &[], &weak).await.expect(400);
        sign_up(&backend, "new@example.com").await.expect(200);
        let told = sign_up(&backend, "newer@example.com").await.expect(429);
        assert_eq!(told.json()["code"], "too_many_attempts");
        post(&world, HOME, PATH, &[], &weak).await.expect(429);
        let limited = admin.events("limit_mu").await;
        assert_eq!((limited.len(), &limited[0]["details"]["flow"]), (1, &json!("signup")));
        // Logins have a bucket of their own, and other sources theirs.
        backend.login_right(ANA, HOME).await.expect(200);
        let body = new_person(&backend, "newer@example.com");
        post(&world, "192.0.2.8", PATH, &[], &body).await.expect(200);
        world.clock.advance(std::time::Duration::from_secs(60));
        sign_up(&backend, "newest@example.com").await.expect(200);
        sign_up(&backend, "last@example.com").await.expect(429);
    }

    async fn the_forwarded_address_counts_only_from_an_application_that_proved_itself(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let stage = json!({"stage": {"pre-user-registration": {"max_attempts": 1, "rate": 60_000}}});
        admin.patch("attack-protection/suspicious-ip-throttling", stage).await.expect(200);
        let header = [("auth0-forwarded-for", "198.51.100.1")];
        let mut number = 0;
        let mut next = |secret: Option<&str>| {
            number += 1;
            let mut body = new_person(&backend, &format!("u{number}@example.com"));
            if let Some(secret) = secret {
                body["client_secret"] = json!(secret);
            }
            body
        };
        // Without the secret the header is nothing: the caller's own budget is used up.
        post(&world, HOME, PATH, &header, &next(None)).await.expect(200);
        post(&world, HOME, PATH, &header, &next(None)).await.expect(429);
        let secret = backend.client_secret.clone();
        post(&world, HOME, PATH, &header, &next(Some(&secret))).await.expect(200);
        post(&world, HOME, PATH, &header, &next(Some(&secret))).await.expect(429);
        let other = [("auth0-forwarded-for", "198.51.100.2")];
        post(&world, HOME, PATH, &other, &next(Some(&secret))).await.expect(200);
    }

    async fn signing_up_with_a_blocked_address_ends_its_block(world: World) {
        let backend = world.backend(true).await;
        Attacker::at(&backend, HOME).guesses(EVE, 10).await;
        backend.login_wrong(EVE, HOME).await.expect(429);
        sign_up(&backend, EVE).await.expect(200);
        backend.login_right(EVE, HOME).await.expect(200);
    }

    async fn of_many_who_sign_up_with_one_address_at_once_one_does(world: World) {
        let backend = world.backend(true).await;
        let many = (0..12).map(|_| sign_up(&backend, EVE));
        for told in futures_util::future::join_all(many).await {
            told.expect(200);
        }
        let users: Value = world.admin().await.get("users").await.expect(200).json();
        assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
        backend.login(EVE, PASSWORD).with("audience", AUDIENCE).send().await.expect(200);
    }
}
