//! What is counted, against whom, and what makes a count go away: only what should.

use std::time::Duration;

use serde_json::json;
use testkit::{AUDIENCE, Attacker, Backend, World, on_both_engines};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const EVE: &str = "eve@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// How many wrong guesses are answered before the first refusal.
async fn left(backend: &Backend<'_>, user: &str, address: &str) -> usize {
    let answers = Attacker::at(backend, address).guesses(user, 11).await;
    answers.iter().filter(|answer| answer.status == 403).count()
}

on_both_engines! {
    async fn a_success_clears_only_its_own_user_and_source(world: World) {
        let backend = world.backend(true).await;
        for user in [ANA, BEN] {
            backend.add_user(user).await;
        }
        for (user, address) in [(ANA, HOME), (ANA, ELSEWHERE), (BEN, HOME)] {
            Attacker::at(&backend, address).guesses(user, 8).await;
        }
        backend.login_right(ANA, HOME).await.expect(200);

        assert_eq!(left(&backend, ANA, HOME).await, 10, "the owner at home starts anew");
        assert_eq!(left(&backend, ANA, ELSEWHERE).await, 2, "whoever guesses elsewhere does not");
        assert_eq!(left(&backend, BEN, HOME).await, 2, "nor does another user at her address");
    }

    async fn logins_to_an_own_account_do_not_clear_the_source(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(EVE).await;
        for number in 0..100 {
            if number % 10 == 0 {
                backend.login_right(EVE, HOME).await.expect(200);
            }
            backend.login_wrong(&format!("user{number}@example.com"), HOME).await.expect(403);
        }
        backend.login_wrong("one-more@example.com", HOME).await.expect(429);
        backend.login_right(EVE, HOME).await.expect(429);
    }

    async fn guesses_during_a_throttle_do_not_prolong_it(world: World) {
        let backend = world.backend(true).await;
        let shield = json!({"stage": {"pre-login": {"max_attempts": 3, "rate": 600_000}}});
        world.admin().await.patch("attack-protection/suspicious-ip-throttling", shield).await.expect(200);
        for number in 0..30 {
            world.app.forget_cached();
            let answer = backend.login_wrong(&format!("user{number}@example.com"), HOME).await;
            answer.expect(if number < 3 { 403 } else { 429 });
        }
        world.clock.advance(Duration::from_secs(600));
        world.app.forget_cached();
        backend.login_wrong(BEN, HOME).await.expect(403);
        backend.login_wrong(BEN, HOME).await.expect(429);
    }

    async fn guessed_client_secrets_are_charged_to_no_user(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for address in [HOME, &backend.address] {
            for _ in 0..95 {
                let call = backend.login(ANA, "wrong").with("client_secret", "guessed").from(address);
                call.end_user(HOME).send().await.expect(401);
            }
            backend.login_right(ANA, address).await.expect(200);
            backend.login(ANA, testkit::PASSWORD).from(address).send().await.expect(200);
        }
        let admin = world.admin().await;
        admin.get(&format!("anomaly/blocks/ips/{HOME}")).await.expect(404);
        assert_eq!(admin.get(&format!("user-blocks?identifier={ANA}")).await.expect(200).json(), json!({"blocked_for": []}));
    }

    async fn guessed_passwords_are_charged_to_no_application(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let grant = json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": []});
        admin.post("client-grants", grant).await.expect(201);
        for number in 0..101 {
            let call = backend.login(&format!("user{number}@example.com"), "wrong").from(HOME).end_user(HOME);
            call.send().await.expect(if number < 100 { 403 } else { 429 });
        }
        let own = backend.login(ANA, "").with("grant_type", "client_credentials").from(HOME);
        own.with("scope", serde_json::Value::Null).send().await.expect(200);
        backend.add_user(ANA).await;
        backend.login_right(ANA, ELSEWHERE).await.expect(200);
    }
}
