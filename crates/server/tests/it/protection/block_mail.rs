//! The mail about a block: who gets it, how often, and that it tells nothing to those who ask.

use std::time::Duration;

use serde_json::json;
use testkit::{Attacker, Backend, Mailbox, World, on_both_engines};

const ANA: &str = "ana@example.com";
const NOBODY: &str = "nobody@example.com";
const HOME: &str = "192.0.2.1";
const BRUTE_FORCE: &str = "attack-protection/brute-force-protection";
const MINUTE: Duration = Duration::from_secs(60);

/// Ana's application; nothing but the block stands in the way of guesses.
async fn backend(world: &World) -> Backend<'_> {
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let admin = world.admin().await;
    let off = json!({"same_user": {"enabled": false}});
    admin
        .patch("portcullis/attack-protection", off)
        .await
        .expect(200);
    let off = json!({"enabled": false});
    admin
        .patch("attack-protection/suspicious-ip-throttling", off)
        .await
        .expect(200);
    backend
}

/// Blocks Ana from this address, and has an administrator lift all her blocks.
async fn block_and_lift(backend: &Backend<'_>, address: &str) {
    Attacker::at(backend, address).guesses(ANA, 10).await;
    backend.login_right(ANA, address).await.expect(429);
    let admin = backend.world.admin().await;
    admin
        .delete("user-blocks?identifier=ana%40example.com")
        .await
        .expect(204);
}

async fn count(mailbox: &Mailbox<'_>) -> usize {
    mailbox.mails().await.len()
}

async fn queued(world: &World) -> u64 {
    world.app.store.count_queued_mails(100).await.unwrap()
}

on_both_engines! {
    async fn the_failure_that_blocks_sends_one_mail_that_says_from_where(world: World) {
        let backend = backend(&world).await;
        let mailbox = world.mailbox(ANA);
        Attacker::at(&backend, HOME).guesses(ANA, 9).await;
        assert_eq!(count(&mailbox).await, 0);
        Attacker::at(&backend, HOME).guesses(ANA, 20).await;
        let mails = mailbox.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].text().contains(HOME), "{}", mails[0].text());
        assert!(mailbox.newest_link().await.starts_with("/u/brute-force-protection-unblock?ticket="));
        assert_eq!(world.mails().await.len(), 1, "and nobody else gets any");
    }

    async fn one_mail_an_hour_for_an_account_and_source_and_ten_for_an_account(world: World) {
        let backend = backend(&world).await;
        let mailbox = world.mailbox(ANA);
        let mut sent = 0;
        for (minutes, address, is_sent) in [
            (0, HOME, true),
            (1, HOME, false),
            (1, "192.0.2.2", true),
            (57, HOME, false),
            (1, HOME, true),
            (1, "192.0.2.2", false),
            (1, "192.0.2.2", true),
        ] {
            world.clock.advance(MINUTE * minutes);
            world.app.forget_cached();
            block_and_lift(&backend, address).await;
            sent += usize::from(is_sent);
            assert_eq!(count(&mailbox).await, sent, "{minutes} minutes later, {address}");
        }
        // One more is regained with each hour that has gone by.
        for number in 10..30 {
            block_and_lift(&backend, &format!("192.0.2.{number}")).await;
        }
        assert_eq!(count(&mailbox).await, 11, "four of ten were spent and one regained");
        world.clock.advance(MINUTE * 60);
        world.app.forget_cached();
        for number in 40..45 {
            block_and_lift(&backend, &format!("192.0.2.{number}")).await;
        }
        assert_eq!(count(&mailbox).await, 12);
    }

    async fn an_identifier_that_nobody_has_puts_down_the_same_and_sends_nothing(world: World) {
        let backend = backend(&world).await;
        for (number, name) in [ANA, NOBODY].into_iter().enumerate() {
            Attacker::at(&backend, HOME).guesses(name, 12).await;
            assert_eq!(queued(&world).await, number as u64 + 1, "{name}");
        }
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to().address(), ANA);
        assert_eq!((queued(&world).await, world.admin().await.events("fn").await.len()), (0, 0));
    }

    async fn without_the_shield_no_mail_is_put_down(world: World) {
        let backend = backend(&world).await;
        let admin = world.admin().await;
        admin.patch(BRUTE_FORCE, json!({"shields": ["block"]})).await.expect(200);
        Attacker::at(&backend, HOME).guesses(ANA, 12).await;
        assert_eq!(queued(&world).await, 0);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn where_nothing_is_refused_the_mail_says_so_and_has_no_link(world: World) {
        let backend = backend(&world).await;
        let admin = world.admin().await;
        admin.patch(BRUTE_FORCE, json!({"shields": ["user_notification"]})).await.expect(200);
        Attacker::at(&backend, HOME).guesses(ANA, 12).await;
        let mail = world.mailbox(ANA).newest().await;
        assert!(mail.text().contains(HOME) && !mail.html().contains("ticket="), "{}", mail.text());
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(admin.events("portcullis_block_created").await.len(), 0, "nobody was blocked");
    }

    async fn a_second_block_sends_a_new_mail_when_it_is_due(world: World) {
        let backend = backend(&world).await;
        let (mailbox, visitor) = (world.mailbox(ANA), world.visitor(HOME));
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        let first = mailbox.newest_link().await;
        let page = visitor.open(&first).await.expect(200);
        visitor.press(&page, &[]).await.expect(200);
        world.clock.advance(MINUTE * 60);
        world.app.forget_cached();
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        let second = mailbox.newest_link().await;
        assert!(second != first && count(&mailbox).await == 2);
        visitor.open(&first).await.expect(404);
        let page = visitor.open(&second).await.expect(200);
        visitor.press(&page, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn a_user_without_an_address_gets_none_and_nothing_fails(world: World) {
        let backend = backend(&world).await;
        let admin = world.admin().await;
        let options = json!({"options": {"requires_username": true}});
        admin.patch(&format!("connections/{}", backend.connection_id), options).await.expect(200);
        let user = json!({"connection": "Users", "username": "carl", "password": testkit::PASSWORD});
        admin.post("users", user).await.expect(201);
        Attacker::at(&backend, HOME).guesses("carl", 10).await;
        backend.login_right("carl", HOME).await.expect(429);
        assert_eq!(world.mails().await.len(), 0);
        assert_eq!((queued(&world).await, admin.events("fn").await.len()), (0, 0));
    }

    async fn administrators_hear_of_a_throttled_address_once_an_hour(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let office = json!({"administrators": ["office@example.com", "night@example.com"]});
        admin.patch("portcullis/attack-protection", office).await.expect(200);
        let throttling = "attack-protection/suspicious-ip-throttling";
        let few = json!({"stage": {"pre-login": {"max_attempts": 3, "rate": 3_600_000}}});
        admin.patch(throttling, few).await.expect(200);
        let throttle = async |address: &str| {
            for number in 0..3 {
                backend.login_wrong(&format!("nobody-{number}@example.com"), address).await.expect(403);
            }
            backend.login_wrong("nobody@example.com", address).await.expect(429);
        };
        let (office, night) = (world.mailbox("office@example.com"), world.mailbox("night@example.com"));
        throttle("198.51.100.1").await;
        let mail = office.newest().await;
        assert!(mail.subject().contains("198.51.100.1") && mail.text().contains("limit_mu"), "{}", mail.text());
        throttle("198.51.100.2").await;
        world.clock.advance(MINUTE * 59);
        throttle("198.51.100.3").await;
        assert_eq!((count(&office).await, count(&night).await), (1, 1), "whatever the number of addresses");
        world.clock.advance(MINUTE);
        throttle("198.51.100.4").await;
        assert_eq!((count(&office).await, count(&night).await), (2, 2));
        world.clock.advance(MINUTE * 60);
        admin.patch(throttling, json!({"shields": ["block"]})).await.expect(200);
        throttle("198.51.100.5").await;
        assert_eq!(count(&office).await, 2, "without the shield nobody is told");
        assert_eq!(admin.events("limit_mu").await.len(), 5, "the log has them all");
    }
}
