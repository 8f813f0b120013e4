//! How long events are kept: the setting, what the sweep drops, and what stays because it explains a block.

use std::time::Duration;

use serde_json::{Value, json};
use server::{statistics::follow, sweep::sweep};
use testkit::{Attacker, Backend, Engine, World, on_both_engines};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const HOME: &str = "192.0.2.1";
const DAY: Duration = Duration::from_secs(86_400);

pub(super) async fn keep_for(world: &World, days: u32) {
    let body = json!({ "retention_days": days });
    let admin = world.admin().await;
    admin.patch("portcullis/logs", body).await.expect(200);
}

/// What runs every minute.
pub(super) async fn a_minute_passes(world: &World) {
    world.clock.advance(Duration::from_secs(61));
    follow(&world.app).await;
    sweep(&world.app).await;
}

pub(super) async fn days_pass(world: &World, days: u32) {
    world.clock.advance(DAY * days);
    a_minute_passes(world).await;
}

/// Reasons and identifiers of the records of refusals.
pub(super) async fn records(world: &World) -> Vec<(String, String)> {
    let admin = world.admin().await;
    let listed = admin
        .get("portcullis/decisions?per_page=100")
        .await
        .expect(200);
    let listed = listed.json();
    let text = |record: &Value, member: &str| record[member].as_str().unwrap().to_owned();
    let records = listed.as_array().unwrap().iter();
    let mut records: Vec<_> = records
        .map(|record| (text(record, "reason"), text(record, "identifier")))
        .collect();
    records.sort();
    records
}

pub(super) async fn block(backend: &Backend<'_>, user: &str) {
    Attacker::at(backend, HOME).guesses(user, 10).await;
    backend.login_right(user, HOME).await.expect(429);
}

on_both_engines! {
    async fn the_setting_is_shown_changed_and_bounded(world: World) {
        let admin = world.admin().await;
        assert_eq!(admin.get("portcullis/logs").await.expect(200).json(), json!({"retention_days": 90}));
        for bad in [json!({"retention_days": 0}), json!({"retention_days": 3_651}), json!({"retention_days": "7"}), json!({"days": 7})] {
            let refused = admin.patch("portcullis/logs", bad.clone()).await.expect(400);
            assert!(refused.text_of("message").contains("days"), "{bad}: {refused:?}");
        }
        let none = admin.patch("portcullis/logs", json!({"retention_days": null})).await.expect(400);
        assert!(none.text_of("message").contains("retention_days"));
        assert_eq!(admin.get("portcullis/logs").await.expect(200).json(), json!({"retention_days": 90}));
        assert_eq!(admin.events("sapi").await.len(), 0, "bad input changes nothing");
        let changed = admin.patch("portcullis/logs", json!({"retention_days": 7})).await.expect(200);
        assert_eq!(changed.json(), json!({"retention_days": 7}));
        assert_eq!(admin.patch("portcullis/logs", json!({})).await.expect(200).json(), json!({"retention_days": 7}));
        let other = world.neighbour("other").await.admin().await.get("portcullis/logs").await.expect(200).json();
        assert_eq!(other, json!({"retention_days": 90}));
        assert!(admin.get("tenants/settings").await.expect(200).json().get("retention_days").is_none());
    }

    async fn events_are_dropped_when_they_are_older_than_the_tenant_keeps_them(world: World) {
        let other = world.neighbour("other").await;
        let (backend, others) = (world.backend(true).await, other.backend(true).await);
        keep_for(&world, 7).await;
        for backend in [&backend, &others] {
            backend.add_user(ANA).await;
            backend.login_right(ANA, HOME).await.expect(200);
        }
        world.clock.advance(DAY * 3);
        backend.login_right(ANA, HOME).await.expect(200);
        let logins = async |world: &World| world.admin().await.events("sepft").await.len();
        days_pass(&world, 3).await;
        assert_eq!(logins(&world).await, 2);
        days_pass(&world, 1).await;
        assert_eq!((logins(&world).await, logins(&other).await), (1, 1));
        days_pass(&world, 3).await;
        assert_eq!((logins(&world).await, logins(&other).await), (0, 1));
        days_pass(&world, 83).await;
        assert_eq!(logins(&other).await, 0, "by default after 90 days");
    }

    async fn many_events_go_in_steps(world: World) {
        fill(&world, 1_100).await;
        keep_for(&world, 1).await;
        let before = world.app.store.statement_trace();
        days_pass(&world, 1).await;
        let ran = world.app.store.statement_trace().since(&before);
        let most = ran.iter().filter(|(text, _)| text.starts_with("DELETE FROM events")).map(|(_, tally)| tally);
        let (runs, rows) = most.fold((0, 0), |(runs, rows), tally| (runs + tally.runs, rows + tally.rows_written));
        assert!(runs >= 3 && rows >= 1_100 && rows <= 500 * runs, "{rows} rows in {runs} units");
        assert!(world.admin().await.events("w").await.is_empty());
    }

    async fn what_explains_a_block_is_kept_until_the_block_ends(world: World) {
        let backend = world.backend(true).await;
        keep_for(&world, 2).await;
        let ana = backend.add_user(ANA).await;
        backend.add_user(BEN).await;
        block(&backend, ANA).await;
        block(&backend, BEN).await;
        block(&backend, "nobody@example.com").await;
        block(&backend, "no address at all").await;
        assert_eq!(records(&world).await.len(), 4);
        days_pass(&world, 5).await;
        let kept = records(&world).await;
        assert_eq!(kept.len(), 4, "{kept:?}");
        assert_eq!(world.admin().await.events("portcullis_block_created").await.len(), 4);
        assert_eq!(world.admin().await.events("fp").await.len(), 0, "the guesses themselves are dropped");

        world.admin().await.delete(&format!("user-blocks/{}", ana.replace('|', "%7C"))).await.expect(204);
        a_minute_passes(&world).await;
        let kept = records(&world).await;
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert!(kept.iter().all(|(_, whom)| whom != ANA), "{kept:?}");
        assert_eq!(world.admin().await.events("portcullis_block_created").await.len(), 3);

        days_pass(&world, 20).await;
        assert_eq!(records(&world).await.len(), 3);
        days_pass(&world, 6).await;
        assert_eq!(records(&world).await, [], "thirty days are over");
        assert_eq!(world.admin().await.events("portcullis_block_created").await.len(), 0);
    }

    async fn a_record_under_another_identifier_of_a_blocked_user_is_kept_too(world: World) {
        let backend = world.backend(true).await;
        keep_for(&world, 1).await;
        crate::people::options(&backend, json!({"requires_username": true})).await;
        let user = json!({
            "connection": "Users", "email": ANA, "username": "anna", "password": testkit::PASSWORD, "verify_email": false,
        });
        world.admin().await.post("users", user).await.expect(201);
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        world.clock.advance(Duration::from_secs(3_700));
        world.app.forget_cached();
        backend.login_right("Anna", HOME).await.expect(429);
        let both = [("brute_force".to_owned(), "Anna".to_owned()), ("brute_force".to_owned(), ANA.to_owned())];
        assert_eq!(records(&world).await, both);
        days_pass(&world, 3).await;
        assert_eq!(records(&world).await, both);
        let raised = json!({"max_attempts": 50});
        world.admin().await.patch("attack-protection/brute-force-protection", raised).await.expect(200);
        a_minute_passes(&world).await;
        assert_eq!(records(&world).await, [], "the settings make no block of it any more");
    }

    async fn logins_go_on_while_a_large_log_is_dropped(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        fill(&world, 20_000).await;
        keep_for(&world, 1).await;
        world.clock.advance(DAY * 2);
        follow(&world.app).await;
        let logins = async {
            for _ in 0..8 {
                backend.login_right(ANA, HOME).await.expect(200);
            }
        };
        tokio::join!(logins, sweep(&world.app), sweep(&world.app));
        assert_eq!(world.admin().await.events("sepft").await.len(), 8);
        assert!(world.admin().await.events("w").await.is_empty());
    }
}

/// Writes events straight into the log, half a second apart.
async fn fill(world: &World, count: usize) {
    use storage::Work;
    let now = server::Clock::now(&*world.clock);
    let rows = world.app.tenant(&world.tenant.id);
    let events: Vec<_> = (0..count)
        .map(|number| {
            let date = now - jiff::SignedDuration::from_millis(500 * number as i64);
            model::LogEvent {
                log_id: model::LogId::new(format!("{}{number:036}", model::LogId::first_of(date))),
                description: "An old warning.".to_owned(),
                details: serde_json::Map::new(),
                rest: serde_json::Map::new(),
                ..model::LogEvent::bare(date, model::EventType::Warning, world.domain().to_owned())
            }
        })
        .collect();
    let written = rows.write(async move |work: &mut Work| work.add_past_events(&events).await);
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_sweep_at_once_drop_what_is_old_and_nothing_else() {
    let one = World::start(Engine::Postgres).await;
    let two = one.second_node().await;
    let backend = one.backend(true).await;
    backend.add_user(ANA).await;
    fill(&one, 5_000).await;
    keep_for(&one, 1).await;
    one.clock.advance(DAY + Duration::from_secs(61));
    backend.login_right(ANA, HOME).await.expect(200);
    follow(&one.app).await;
    tokio::join!(
        sweep(&one.app),
        sweep(&two.app),
        sweep(&one.app),
        sweep(&two.app)
    );
    let admin = two.admin().await;
    assert!(admin.events("w").await.is_empty());
    assert_eq!(admin.events("sepft").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_runs_ahead_of_the_databases_drops_nothing() {
    let world = World::start(Engine::Postgres).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    world.clock.advance(DAY * 36_500);
    backend.login_right(ANA, HOME).await.expect(200);
    days_pass(&world, 365).await;
    assert_eq!(world.admin().await.events("sepft").await.len(), 1);
}
