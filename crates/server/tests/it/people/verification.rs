//! The verification mail: opening its link does nothing, the button verifies, and welcomes.

use serde_json::json;
use testkit::{PASSWORD, World, on_both_engines};

use super::{ANA, EVE, HOME, sign_up};

on_both_engines! {
    async fn opening_the_link_verifies_nothing_the_button_does_once(world: World) {
        let backend = world.backend(true).await;
        sign_up(&backend, EVE).await.expect(200);
        let link = world.mailbox(EVE).newest_link().await;
        let eve = world.visitor(HOME);
        let admin = world.admin().await;
        let verified = async || admin.get("users").await.json()[0]["email_verified"].clone();
        let page = eve.open(&link).await.expect(200);
        for _ in 0..3 {
            eve.open(&link).await.expect(200);
        }
        assert_eq!(verified().await, false);
        eve.press(&page, &[]).await.expect(200);
        assert_eq!(verified().await, true);
        assert_eq!(admin.events("sv").await.len(), 1);
        assert!(world.mailbox(EVE).newest().await.subject().contains("Welcome"));
        eve.press(&page, &[]).await.expect(404);
        eve.open(&link).await.expect(404);
    }

    async fn a_link_is_for_the_address_it_was_mailed_to(world: World) {
        let backend = world.backend(true).await;
        sign_up(&backend, EVE).await.expect(200);
        let link = world.mailbox(EVE).newest_link().await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        let admin = world.admin().await;
        let id = admin.get("users").await.json()[0]["user_id"].as_str().unwrap().replace('|', "%7C");
        admin.patch(&format!("users/{id}"), json!({"email": "eva@example.com"})).await.expect(200);
        world.visitor(HOME).press(&page, &[]).await.expect(404);
        assert_eq!(admin.get("users").await.json()[0]["email_verified"], false);
    }

    async fn an_administrator_has_the_mail_sent_and_looks_the_job_up(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let job = admin.post("jobs/verification-email", json!({"user_id": id})).await.expect(201).json();
        assert_eq!((&job["type"], &job["status"]), (&json!("verification_email"), &json!("pending")));
        let path = format!("jobs/{}", job["id"].as_str().unwrap());
        let job = admin.get(&path).await.expect(200).json();
        assert_eq!((&job["type"], &job["status"]), (&json!("verification_email"), &json!("completed")));
        assert!(world.mailbox(ANA).newest_link().await.starts_with("/u/email-verification"));
        assert_eq!(admin.events("svr").await.len(), 1);
        for _ in 0..9 {
            admin.post("jobs/verification-email", json!({"user_id": id})).await.expect(201);
        }
        let job = admin.post("jobs/verification-email", json!({"user_id": id})).await.expect(201).json();
        let failed = admin.get(&format!("jobs/{}", job["id"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(failed["status"], "failed");
        assert_eq!(admin.events("fvr").await.len(), 1);
        world.clock.advance(std::time::Duration::from_secs(24 * 3_600));
        let admin = world.admin().await;
        admin.get(&path).await.expect(404);
        admin.post("jobs/verification-email", json!({"user_id": "auth0|nobody"})).await.expect(404);
        admin.post("jobs/verification-email", json!({})).await.expect(400);
    }

    async fn users_made_by_an_administrator_are_asked_unless_he_says_otherwise(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        for (number, more, asked) in [
            (1, json!({}), true),
            (2, json!({"email_verified": true}), false),
            (3, json!({"verify_email": false}), false),
            (4, json!({"email_verified": true, "verify_email": true}), true),
        ] {
            let email = format!("u{number}@example.com");
            let mut body = json!({"connection": "Users", "email": email, "password": PASSWORD});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let made = admin.post("users", body).await.expect(201);
            assert_eq!(world.mailbox(&email).mails().await.len(), usize::from(asked), "{more}");
            let path = format!("users/{}", made.text_of("user_id").replace('|', "%7C"));
            admin.patch(&path, json!({"verify_email": true})).await.expect(200);
            assert_eq!(world.mailbox(&email).mails().await.len(), usize::from(asked) + 1, "{more}");
        }
    }
}
