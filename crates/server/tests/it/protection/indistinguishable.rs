//! Existing and missing users cannot be told apart (CVE-2025-6011, CVE-2026-25050).
//!
//! By what is answered and written: compared as traces. By time: in the process, interleaved, by a rank statistic.

use std::time::Instant;

use storage::{StatementTrace, Tally};
use testkit::{Engine, World, WorldSettings, on_both_engines};

const ANA: &str = "ana@example.com";
const NOBODY: &str = "eve@example.com";

/// What ran for the attempts themselves; look-ups that are cached for a second run now and then for everybody.
fn of_the_attempt(trace: &StatementTrace) -> Vec<(String, Tally)> {
    let touches = |text: &str| {
        [
            "FROM users",
            "INTO users",
            "UPDATE users",
            "identifiers",
            "meters",
            "mail_queue",
            "events",
        ]
        .iter()
        .any(|table| text.contains(table))
    };
    trace
        .iter()
        .filter(|(text, _)| touches(text))
        .map(|(text, tally)| (text.to_owned(), tally))
        .collect()
}

on_both_engines! {
    async fn the_traces_of_both_are_equal(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let mut traces = Vec::new();
        for name in [ANA, NOBODY] {
            let before = world.app.store.statement_trace();
            let hashes = world.hashes();
            let mut told = Vec::new();
            for _ in 0..12 {
                let answer = backend.login_wrong(name, "192.0.2.1").await;
                let mut headers: Vec<String> =
                    answer.headers.iter().filter(|(name, _)| *name != "x-request-id").map(|h| format!("{h:?}")).collect();
                headers.sort();
                told.push((answer.status, answer.text.clone(), headers));
            }
            world.app.jobs.settled(std::time::Duration::from_secs(10)).await;
            let runs = world.hashes().verified() - hashes.verified();
            traces.push((told, runs, of_the_attempt(&world.app.store.statement_trace().since(&before))));
        }
        let (missing, existing) = (traces.pop().unwrap(), traces.pop().unwrap());
        assert_eq!(existing.0, missing.0, "status, body and headers");
        assert_eq!(existing.1, missing.1, "runs of the hash");
        let only = |one: &[(String, Tally)], other: &[(String, Tally)]| -> Vec<(String, Tally)> {
            one.iter().filter(|entry| !other.contains(entry)).cloned().collect()
        };
        assert_eq!(only(&existing.2, &missing.2), only(&missing.2, &existing.2), "statements and rows written");
    }

    async fn lists_of_blocks_do_not_tell_who_exists(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        for name in [ANA, NOBODY] {
            testkit::Attacker::at(&backend, "192.0.2.1").guesses(name, 10).await;
            let path = format!("user-blocks?identifier={}", name.replace('@', "%40"));
            let entries = admin.get(&path).await.expect(200).json();
            assert_eq!(entries["blocked_for"][0]["identifier"], name);
        }
    }
}

/// The share of pairs in which the first sample is the larger one: 0.5 means nothing can be told.
pub(crate) fn rank_statistic(first: &[u128], second: &[u128]) -> f64 {
    let mut larger = 0.0;
    for left in first {
        for right in second {
            larger += match left.cmp(right) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    larger / (first.len() * second.len()) as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_times_of_both_are_equal() {
    let scheme = credentials::Scheme::Argon2id {
        memory_kib: 1_024,
        passes: 1,
        lanes: 1,
    };
    let world = World::start_with(
        Engine::Sqlite,
        WorldSettings {
            scheme,
            ..WorldSettings::default()
        },
    )
    .await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let admin = world.admin().await;
    admin
        .patch(
            "attack-protection/brute-force-protection",
            serde_json::json!({"enabled": false}),
        )
        .await
        .expect(200);
    let off = serde_json::json!({"same_user": {"enabled": false}});
    admin
        .patch("portcullis/attack-protection", off)
        .await
        .expect(200);
    admin
        .patch(
            "attack-protection/suspicious-ip-throttling",
            serde_json::json!({"enabled": false}),
        )
        .await
        .expect(200);

    let (mut existing, mut missing) = (Vec::new(), Vec::new());
    for round in 0..300 {
        for (name, times) in [(ANA, &mut existing), (NOBODY, &mut missing)] {
            #[expect(
                clippy::disallowed_methods,
                reason = "real time is what is measured here"
            )]
            let started = Instant::now();
            backend.login_wrong(name, "192.0.2.1").await.expect(403);
            if round >= 20 {
                times.push(started.elapsed().as_nanos());
            }
        }
    }
    let statistic = rank_statistic(&existing, &missing);
    println!(
        "existing against missing users: rank statistic {statistic:.3} over {} pairs",
        existing.len()
    );
    assert!(
        (0.38..=0.62).contains(&statistic),
        "rank statistic {statistic:.3}"
    );
}
