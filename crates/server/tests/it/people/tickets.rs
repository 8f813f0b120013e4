//! `/api/v2/tickets/*`: links for mails that an application writes itself.

use serde_json::{Value, json};
use testkit::{Admin, World, on_both_engines};

use super::{ANA, HOME, NEW_PASSWORD};

const BOTH: [(&str, &str); 2] = [("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];

async fn link(admin: &Admin<'_>, kind: &str, body: Value) -> String {
    let made = admin
        .post(&format!("tickets/{kind}"), body)
        .await
        .expect(201);
    let url = made.text_of("ticket");
    let path = url
        .strip_prefix("https://login.example.com")
        .expect("our own address");
    path.strip_suffix('#')
        .expect("ends as the wire's")
        .to_owned()
}

on_both_engines! {
    async fn a_password_change_ticket_sets_a_password_and_sends_people_on(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let asked = json!({
            "user_id": id, "result_url": "https://shop.example.com/done?x=1#top", "includeEmailInRedirect": true,
            "ttl_sec": 60, "client_id": backend.client_id,
        });
        let link = link(&admin, "password-change", asked).await;
        assert!(link.starts_with("/u/reset-password?ticket="), "{link}");
        let page = world.visitor(HOME).open(&link).await.expect(200);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https://shop.example.com;"), "{policy}");
        let gone_on = world.visitor(HOME).press(&page, &BOTH).await.expect(303);
        let location = gone_on.headers["location"].to_str().unwrap();
        assert!(location.starts_with("https://shop.example.com/done?x=1&email=ana%40example.com&success=true&message="), "{location}");
        assert!(location.ends_with("#top"), "{location}");
        backend.login(ANA, NEW_PASSWORD).send().await.expect(200);
        let user = admin.get("users").await.json();
        assert_eq!(user[0]["email_verified"], false, "nobody asked for it");
    }

    async fn a_ticket_by_address_may_verify_the_address_too(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let asked = json!({"email": ANA, "connection_id": backend.connection_id, "mark_email_as_verified": true});
        let link = link(&admin, "password-change", asked).await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        world.visitor(HOME).press(&page, &BOTH).await.expect(200);
        assert_eq!(admin.get("users").await.json()[0]["email_verified"], true);
    }

    async fn a_verification_ticket_verifies(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let link = link(&admin, "email-verification", json!({"user_id": id})).await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        world.visitor(HOME).press(&page, &[]).await.expect(200);
        assert_eq!(admin.get("users").await.json()[0]["email_verified"], true);
    }

    async fn tickets_end_with_their_time_and_are_of_one_kind(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let reset = link(&admin, "password-change", json!({"user_id": id, "ttl_sec": 60})).await;
        let ticket = reset.split('=').next_back().unwrap();
        world.visitor(HOME).open(&format!("/u/email-verification?ticket={ticket}")).await.expect(404);
        world.visitor(HOME).open(&reset).await.expect(200);
        world.clock.advance(std::time::Duration::from_secs(60));
        world.visitor(HOME).open(&reset).await.expect(404);
    }

    async fn what_cannot_be_done_is_said(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        for (kind, body, status) in [
            ("password-change", json!({}), 400),
            ("password-change", json!({"user_id": "auth0|nobody"}), 404),
            ("password-change", json!({"user_id": id, "email": ANA, "connection_id": backend.connection_id}), 400),
            ("password-change", json!({"email": ANA}), 400),
            ("password-change", json!({"email": "x@example.com", "connection_id": backend.connection_id}), 404),
            ("password-change", json!({"user_id": id, "result_url": "javascript:alert(1)"}), 400),
            ("password-change", json!({"user_id": id, "ttl_sec": 0}), 400),
            ("password-change", json!({"user_id": id, "client_id": "nobody"}), 404),
            ("password-change", json!({"user_id": id, "organization_id": "org_1"}), 400),
            ("password-change", json!({"user_id": id, "new_password": "x"}), 400),
            ("email-verification", json!({}), 400),
            ("email-verification", json!({"user_id": id, "mark_email_as_verified": true}), 400),
            ("other", json!({"user_id": id}), 404),
        ] {
            let told = admin.post(&format!("tickets/{kind}"), body.clone()).await;
            assert_eq!(told.status, status, "{kind} {body} {}", told.text);
        }
    }
}
