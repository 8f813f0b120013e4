//! What a refusal gives away: neither whether the password was right nor whether the account exists.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Backend, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const NOBODY: &str = "nobody@example.com";
const HOME: &str = "192.0.2.1";

/// Everything a caller can compare: status, body, headers but the request's own number.
fn seen(answer: &Answer) -> (u16, String, Vec<String>) {
    let headers = answer.headers.iter();
    let mut headers: Vec<String> = headers
        .filter(|(name, _)| *name != "x-request-id")
        .map(|header| format!("{header:?}"))
        .collect();
    headers.sort();
    (answer.status, answer.text.clone(), headers)
}

/// Tries right and wrong passwords of a user and of nobody, afresh and from the cache: one answer for all, and no hash.
async fn tells_nothing(world: &World, backend: &Backend<'_>, status: u16) {
    let hashes = world.hashes();
    let mut told = Vec::new();
    for _ in 0..2 {
        for (name, password) in [
            (ANA, PASSWORD),
            (NOBODY, PASSWORD),
            (ANA, "wrong"),
            (NOBODY, "wrong"),
        ] {
            world.app.forget_cached();
            for _ in 0..2 {
                let call = backend.login(name, password).end_user(HOME);
                told.push((name, password, seen(&call.send().await)));
            }
        }
    }
    assert_eq!(told[0].2.0, status, "{:?}", told[0]);
    for (name, password, answer) in &told {
        assert_eq!(answer, &told[0].2, "{name} with {password}");
    }
    assert_eq!(world.hashes(), hashes, "a refusal costs no hash");
}

/// Fails so often for both, at the same moment.
async fn fail(backend: &Backend<'_>, times: usize) {
    for _ in 0..times {
        for name in [ANA, NOBODY] {
            backend.login_wrong(name, HOME).await.expect(403);
        }
    }
}

async fn set(world: &World, path: &str, body: Value) {
    world.admin().await.patch(path, body).await.expect(200);
}

const BRUTE_FORCE: &str = "attack-protection/brute-force-protection";

on_both_engines! {
    async fn a_block_tells_nothing_about_password_or_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        fail(&backend, 10).await;
        tells_nothing(&world, &backend, 429).await;
        world.clock.advance(Duration::from_secs(3_700));
        tells_nothing(&world, &backend, 429).await;
    }

    async fn a_lockout_tells_nothing_about_password_or_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        set(&world, BRUTE_FORCE, json!({"mode": "count_per_identifier"})).await;
        fail(&backend, 10).await;
        tells_nothing(&world, &backend, 429).await;
    }

    async fn a_throttled_source_tells_nothing_about_password_or_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let stage = json!({"stage": {"pre-login": {"max_attempts": 6, "rate": 864_000}}});
        set(&world, "attack-protection/suspicious-ip-throttling", stage).await;
        fail(&backend, 3).await;
        tells_nothing(&world, &backend, 429).await;
    }

    async fn a_delayed_user_tells_nothing_about_password_or_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        set(&world, BRUTE_FORCE, json!({"max_attempts": 100})).await;
        fail(&backend, 20).await;
        tells_nothing(&world, &backend, 429).await;
    }

    async fn a_wrong_client_secret_hears_nothing_of_passwords(world: World) {
        let mut backend = world.backend(true).await;
        backend.add_user(ANA).await;
        backend.client_secret = "guessed".to_owned();
        tells_nothing(&world, &backend, 401).await;
    }
}
