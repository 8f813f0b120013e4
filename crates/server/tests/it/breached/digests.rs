//! Digests: each period once, with its counts, from whichever node is first; nothing where nothing was met.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use server::Clock as _;
use server::breach::send_due_digests;
use testkit::{Engine, World, on_both_engines};

use super::support::{
    ADMINISTRATOR, ANA, HOME, LEAKED, add_user, log_in, mails, name_administrator, set,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn wants(world: &World, often: serde_json::Value) {
    name_administrator(world).await;
    let shields = json!(["block", "admin_notification"]);
    set(
        world,
        json!({"enabled": true, "shields": shields, "admin_notification_frequency": often}),
    )
    .await;
}

/// Moves the clock to this time.
fn go_to(world: &World, time: &str) {
    let then: Timestamp = time.parse().unwrap();
    let wait = then.duration_since(world.clock.now());
    world.clock.advance(Duration::try_from(wait).unwrap());
}

/// Subjects and texts of the digests that are due.
async fn due(world: &World) -> Vec<(String, String)> {
    send_due_digests(&world.app).await;
    let sent = mails(world).await;
    sent.iter()
        .map(|mail| {
            assert_eq!(mail.to().address(), ADMINISTRATOR);
            (mail.subject().to_owned(), mail.text())
        })
        .collect()
}

on_both_engines! {
    async fn a_day_is_told_once_with_its_counts(world: World) {
        let backend = world.backend(true).await;
        add_user(&world, ANA, LEAKED).await;
        wants(&world, json!(["daily"])).await;
        go_to(&world, "2026-01-05T22:00:00Z");
        assert!(due(&world).await.is_empty(), "nothing was met");
        for _ in 0..3 {
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        }
        set(&world, json!({"shields": ["admin_notification"]})).await;
        log_in(&backend, ANA, LEAKED, HOME).await.expect(200);
        assert!(due(&world).await.is_empty(), "the day is not over");
        go_to(&world, "2026-01-06T00:04:00Z");
        assert!(due(&world).await.is_empty(), "logins of the day may still be settled");
        world.clock.advance(MINUTE);
        let sent = due(&world).await;
        assert_eq!(sent.len(), 1);
        assert!(sent[0].0.contains("daily"), "{sent:?}");
        assert!(sent[0].1.contains("password: 4, of which 3 were refused."), "{sent:?}");
        assert!(sent[0].1.contains("from 2026-01-05 to 2026-01-05"), "{sent:?}");
        assert!(!sent[0].1.contains(ANA), "counts only: {sent:?}");
        assert!(due(&world).await.is_empty(), "once");
        world.clock.advance(DAY);
        assert!(due(&world).await.is_empty(), "nothing was met");
    }

    async fn weeks_and_months_are_told_too_and_a_missed_day_is_part_of_the_next(world: World) {
        let backend = world.backend(true).await;
        add_user(&world, ANA, LEAKED).await;
        wants(&world, json!(["daily", "weekly", "monthly"])).await;
        go_to(&world, "2026-01-28T12:00:00Z");
        assert!(due(&world).await.is_empty());
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        // No node runs until Sunday.
        go_to(&world, "2026-02-01T12:00:00Z");
        let sent = due(&world).await;
        let subjects: Vec<bool> = ["daily", "monthly"].map(|word| sent.iter().any(|(subject, _)| subject.contains(word))).to_vec();
        assert_eq!((sent.len(), subjects), (2, vec![true, true]), "{sent:?}");
        go_to(&world, "2026-02-02T12:00:00Z");
        let sent = due(&world).await;
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].0.contains("weekly") && sent[0].1.contains("from 2026-01-26 to 2026-02-01"), "{sent:?}");
    }

    async fn no_frequency_no_administrator_or_no_shield_means_no_digest(world: World) {
        let backend = world.backend(true).await;
        add_user(&world, ANA, LEAKED).await;
        go_to(&world, "2026-01-05T12:00:00Z");
        for settings in [
            json!({"enabled": true, "shields": ["block", "admin_notification"], "admin_notification_frequency": []}),
            json!({"enabled": true, "shields": ["block"], "admin_notification_frequency": ["daily"]}),
            json!({"enabled": true, "shields": ["block", "admin_notification"], "admin_notification_frequency": ["daily"]}),
        ] {
            set(&world, settings.clone()).await;
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
            world.clock.advance(DAY);
            assert!(due(&world).await.is_empty(), "{settings}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_one() {
    let world = World::start(Engine::Postgres).await;
    let backend = world.backend(true).await;
    add_user(&world, ANA, LEAKED).await;
    wants(&world, json!(["daily", "weekly", "monthly"])).await;
    let other = world.second_node().await;
    send_due_digests(&world.app).await;
    for _ in 0..5 {
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        world.clock.advance(32 * DAY);
        tokio::join!(
            send_due_digests(&world.app),
            send_due_digests(&other.app),
            send_due_digests(&world.app)
        );
        assert_eq!(mails(&world).await.len(), 3);
    }
}
