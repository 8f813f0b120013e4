//! A new password by mail: the link, the form, what it ends and what it leaves.

use serde_json::json;
use testkit::{Attacker, PASSWORD, World, on_both_engines};

use super::{ANA, EVE, HOME, NEW_PASSWORD, ask_for_reset, options};

const BOTH: [(&str, &str); 2] = [("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];

on_both_engines! {
    async fn the_link_of_the_mail_leads_to_a_form_that_sets_the_password_once(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let told = ask_for_reset(&backend, HOME, ANA).await.expect(200);
        assert_eq!(told.text, "We've just sent you an email to reset your password.");
        let link = world.mailbox(ANA).newest_link().await;
        let ana = world.visitor(HOME);
        let page = ana.open(&link).await.expect(200);
        assert!(page.text.contains("At least 8 characters") && page.text.contains("special characters"), "{}", page.text);
        backend.login_right(ANA, HOME).await.expect(200);
        ana.press(&page, &BOTH).await.expect(200);
        backend.login(ANA, NEW_PASSWORD).send().await.expect(200);
        backend.login_right(ANA, HOME).await.expect(403);
        ana.open(&link).await.expect(404);
        ana.press(&page, &BOTH).await.expect(404);
        let admin = world.admin().await;
        let user = admin.get("users-by-email?email=ana%40example.com").await.expect(200).json();
        assert_eq!(user[0]["email_verified"], true);
        assert!(user[0]["last_password_reset"].is_string());
        assert_eq!((admin.events("scpr").await.len(), admin.events("scp").await.len()), (1, 1));
        let mail = world.mailbox(ANA).newest().await;
        assert!(mail.text().contains("was changed"), "{}", mail.text());
    }

    async fn a_refused_password_leaves_the_link_good(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        options(&backend, json!({"passwordPolicy": "good", "password_history": {"enable": true, "size": 3}})).await;
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        let link = world.mailbox(ANA).newest_link().await;
        let ana = world.visitor(HOME);
        let page = ana.open(&link).await.expect(200);
        for (password, confirmation, told) in [
            ("weak", "weak", "too weak"),
            (NEW_PASSWORD, "else", "differ"),
            ("", "", "type a new password"),
            (PASSWORD, PASSWORD, "used this password before"),
        ] {
            let again = ana.press(&page, &[("password", password), ("confirmation", confirmation)]).await.expect(400);
            assert!(again.text.contains(told), "{}", again.text);
            assert!(again.text.contains("<form method=\"post\""), "{}", again.text);
        }
        ana.press(&page, &BOTH).await.expect(200);
        backend.login(ANA, NEW_PASSWORD).send().await.expect(200);
    }

    async fn a_new_password_ends_the_blocks_of_its_account_and_every_other_link(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        let first = world.mailbox(ANA).newest_link().await;
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        let second = world.mailbox(ANA).newest_link().await;
        assert_ne!(first, second);
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        Attacker::at(&backend, "192.0.2.9").guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        let ana = world.visitor(HOME);
        let page = ana.open(&second).await.expect(200);
        ana.press(&page, &BOTH).await.expect(200);
        for source in [HOME, "192.0.2.9"] {
            backend.login(ANA, NEW_PASSWORD).end_user(source).send().await.expect(200);
        }
        ana.open(&first).await.expect(404);
    }

    async fn self_service_can_be_switched_off(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        options(&backend, json!({"disable_self_service_change_password": true})).await;
        for who in [ANA, EVE] {
            ask_for_reset(&backend, HOME, who).await.expect(400);
        }
        assert!(world.mails().await.is_empty());
        assert_eq!(world.admin().await.events("fcpr").await.len(), 2);
    }

    async fn who_asks_too_often_is_refused_and_a_full_mailbox_gets_no_more(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        // Ten a minute for one address from one source, of which the mailbox gets ten and then one an hour.
        for _ in 0..10 {
            ask_for_reset(&backend, HOME, ANA).await.expect(200);
        }
        let told = ask_for_reset(&backend, HOME, ANA).await.expect(429);
        assert_eq!(told.json()["code"], "too_many_requests");
        for source in 1..=20 {
            ask_for_reset(&backend, &format!("198.51.100.{source}"), ANA).await.expect(200);
        }
        assert_eq!(world.mailbox(ANA).mails().await.len(), 10);
        world.clock.advance(std::time::Duration::from_secs(3_600));
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        assert_eq!(world.mailbox(ANA).mails().await.len(), 11);
    }

    async fn pages_say_nothing_to_others_and_keep_nothing(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        let link = world.mailbox(ANA).newest_link().await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff")] {
            assert_eq!(page.headers[name], value);
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!page.text.contains("<script"), "{}", page.text);
        for body in ["", "ticket=x", "ticket=x&ticket=y", "ticket=%00", "nonsense=%zz"] {
            let told = world.visitor(HOME).send(http::Method::POST, "/u/reset-password", body.into()).await;
            assert!((400..500).contains(&told.status), "{body} {}", told.status);
        }
    }
}
