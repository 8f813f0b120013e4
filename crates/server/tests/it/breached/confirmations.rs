//! A refusal that confirms a pair of name and password is not free: each source hears it so often, exactly.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Answer, Backend, Engine, World, on_both_engines};

use super::support::{
    ANA, HOME, LEAKED, OWN, TOLD, add_user, log_in, shield, without_same_user_limit,
};

const ACCOUNTS: usize = 25;
/// What the settings say unless they are changed.
const POOL: usize = 20;

async fn accounts(world: &World) -> Vec<String> {
    let names: Vec<String> = (0..ACCOUNTS)
        .map(|number| format!("u{number}@example.com"))
        .collect();
    for name in &names {
        add_user(world, name, LEAKED).await;
    }
    names
}

/// A thousand logins at once, all with the right password.
async fn storm(backends: &[Backend<'_>], names: &[String]) -> Vec<Answer> {
    let logins = (0..1_000).map(|number| {
        let backend = &backends[number % backends.len()];
        log_in(backend, &names[number % names.len()], LEAKED, HOME)
    });
    join_all(logins).await
}

#[track_caller]
fn assert_exact(answers: &[Answer]) {
    let confirmed = answers.iter().filter(|answer| answer.status == 401);
    assert_eq!(confirmed.count(), POOL);
    for answer in answers {
        let (status, text) = (answer.status, answer.description());
        match status {
            401 => assert_eq!(text, TOLD),
            // Like any wrong password, then like any block; or busy.
            403 => assert_eq!(text, "Wrong email or password."),
            429 | 503 => {}
            _ => panic!("{answer:?}"),
        }
    }
}

on_both_engines! {
    async fn a_thousand_at_once_hear_it_as_often_as_the_pool_says(world: World) {
        let backend = world.backend(true).await;
        without_same_user_limit(&world).await;
        let names = accounts(&world).await;
        shield(&world, json!(["block"])).await;
        assert_exact(&storm(&[backend], &names).await);
    }

    async fn beyond_the_pool_it_is_told_and_charged_like_a_wrong_password(world: World) {
        let backend = world.backend(true).await;
        without_same_user_limit(&world).await;
        add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        let admin = world.admin().await;
        let few = json!({"confirmations": {"max_attempts": 2, "rate": 3_600_000}});
        admin.patch(OWN, few).await.expect(200);
        for _ in 0..2 {
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        }
        let wrong = log_in(&backend, ANA, "wrong", HOME).await.expect(403);
        for _ in 0..9 {
            let told = log_in(&backend, ANA, LEAKED, HOME).await;
            assert_eq!((told.status, &told.text), (403, &wrong.text));
            assert_eq!(told.headers.get("www-authenticate"), None);
        }
        // Ten in all, so the pair is blocked.
        log_in(&backend, ANA, LEAKED, HOME).await.expect(429);
        // Administrators see the truth.
        let events = admin.events("fp").await;
        let truth = |event: &&Value| {
            let withheld = event["details"]["portcullis"]["withheld"].as_str();
            withheld.is_some_and(|truth| truth.contains("right and breached"))
        };
        assert_eq!((events.len(), events.iter().filter(truth).count()), (10, 9), "{events:?}");
        // Another source has a pool of its own, and this one regains one an hour.
        log_in(&backend, ANA, LEAKED, "192.0.2.2").await.expect(401);
        world.clock.advance(Duration::from_secs(31 * 24 * 3_600));
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
    }

    async fn no_allowlist_exempts_from_the_pool(world: World) {
        let backend = world.backend(true).await;
        without_same_user_limit(&world).await;
        add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        let admin = world.admin().await;
        for path in ["brute-force-protection", "suspicious-ip-throttling"] {
            let path = format!("attack-protection/{path}");
            admin.patch(&path, json!({"allowlist": [HOME]})).await.expect(200);
        }
        for _ in 0..POOL {
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        }
        log_in(&backend, ANA, LEAKED, HOME).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_one_pool() {
    let world = World::start(Engine::Postgres).await;
    let backend = world.backend(true).await;
    without_same_user_limit(&world).await;
    let names = accounts(&world).await;
    shield(&world, json!(["block"])).await;
    let other = world.second_node().await;
    let there = Backend {
        world: &other,
        ..backend.clone()
    };
    assert_exact(&storm(&[backend, there], &names).await);
}
