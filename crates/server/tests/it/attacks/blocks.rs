//! Attacks on what a block does: to its owner's address, to his mailbox.

use serde_json::json;
use testkit::{Attacker, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

on_both_engines! {
    async fn hammering_a_name_bans_no_address_of_its_owner(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for number in 0..12 {
            Attacker::at(&backend, &format!("198.51.100.{number}")).guesses(ANA, 12).await;
        }
        backend.login_right(ANA, HOME).await.expect(200);
        let admin = world.admin().await;
        admin.get(&format!("anomaly/blocks/ips/{HOME}")).await.expect(404);
        let blocks = admin.get("user-blocks?identifier=ana%40example.com").await.expect(200).json();
        let entries = blocks["blocked_for"].as_array().unwrap();
        assert!(entries.len() == 12 && entries.iter().all(|entry| entry["ip"] != HOME), "{blocks}");
    }

    async fn blocks_from_many_addresses_bomb_no_mailbox(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for number in 0..30 {
            Attacker::at(&backend, &format!("198.51.100.{number}")).guesses(ANA, 12).await;
        }
        assert_eq!(world.mailbox(ANA).mails().await.len(), 10);
        // Every block stands, with or without its mail.
        backend.login_right(ANA, "198.51.100.29").await.expect(429);
        // A day of it brings one more an hour at most, from ever new networks.
        let off = json!({"enabled": false});
        world.admin().await.patch("attack-protection/suspicious-ip-throttling", off).await.expect(200);
        for hour in 0..24_u8 {
            world.clock.advance(std::time::Duration::from_secs(3_600));
            world.app.forget_cached();
            for net in 0..2 {
                Attacker::at(&backend, &format!("203.0.{hour}.{net}")).guesses(ANA, 10).await;
            }
        }
        assert_eq!(world.mailbox(ANA).mails().await.len(), 34);
    }

    async fn guessing_at_one_account_from_many_addresses_is_told(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let warnings = async || {
            let mut events = admin.events("w").await;
            events.retain(|event| event["description"].as_str().unwrap().starts_with("Wrong passwords for"));
            events
        };
        let mut told = Vec::new();
        for name in [ANA, "nobody@example.com"] {
            for number in 0..50 {
                backend.login_wrong(name, &format!("198.51.100.{number}")).await.expect(403);
            }
            assert_eq!(warnings().await.len(), told.len(), "fifty are no news");
            for number in 50..150 {
                backend.login_wrong(name, &format!("198.51.100.{number}")).await.expect(403);
            }
            told = warnings().await;
        }
        assert_eq!(told.len(), 2, "once an hour for each, known or not: {told:?}");
        assert!(told.iter().any(|event| event["user_id"] == json!(user_id) && event["user_name"] == ANA));
    }
}
