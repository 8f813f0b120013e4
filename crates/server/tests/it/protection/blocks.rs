//! Blocks: how they begin, what they refuse, and each documented way they end.

use std::time::Duration;

use serde_json::json;
use testkit::{Attacker, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";
const BLOCKED: &str = "Your account has been blocked after multiple consecutive login attempts. We've sent you a \
                       notification via your preferred contact method with instructions on how to unblock it.";

on_both_engines! {
    async fn the_eleventh_guess_and_the_right_password_are_refused(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let attacker = Attacker::at(&backend, HOME);

        for answer in attacker.guesses(ANA, 10).await {
            assert_eq!((answer.status, answer.error().as_str()), (403, "invalid_grant"));
        }
        let hashes = world.hashes().verified();
        let refused = backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!((refused.error().as_str(), refused.description().as_str()), ("too_many_attempts", BLOCKED));
        assert!(refused.headers["x-ratelimit-limit"].to_str().unwrap().parse::<u64>().is_ok());
        assert!(!refused.headers.contains_key("retry-after"));
        assert_eq!(world.hashes().verified(), hashes, "a refusal costs no hash");

        backend.login_right(ANA, ELSEWHERE).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(429);
        let admin = world.admin().await;
        let events = admin.events("limit_wc").await;
        assert_eq!(events.len(), 1, "one event a pair and hour");
        assert_eq!(
            events[0]["description"],
            "User (ana@example.com) attempted 10 consecutive logins unsuccessfully. Brute force protection is enabled \
             for this connection, further attempts are blocked from this IP address for this user."
        );
        assert_eq!(admin.events("fp").await.len(), 10);
        assert_eq!(admin.events("fepft").await.len(), 10);
    }

    async fn a_block_ends_thirty_days_after_the_last_failure(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;

        world.clock.advance(Duration::from_secs(30 * 86_400 - 60));
        backend.login_right(ANA, HOME).await.expect(429);
        world.clock.advance(Duration::from_secs(61));
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn a_clock_that_falls_back_lifts_nothing(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        world.clock.fall_back(Duration::from_secs(365 * 86_400));
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn an_administrator_unblocks_by_user_id(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        let admin = world.admin().await;
        let path = format!("user-blocks/{}", user_id.replace('|', "%7C"));

        let blocks = admin.get(&path).await.expect(200).json();
        assert_eq!(blocks, json!({"blocked_for": [{"identifier": ANA, "ip": HOME, "connection": "Users"}]}));
        admin.delete(&path).await.expect(204);
        assert_eq!(admin.get(&path).await.expect(200).json(), json!({"blocked_for": []}));
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn an_administrator_unblocks_by_identifier(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        Attacker::at(&backend, HOME).guesses("nobody@example.com", 10).await;
        let admin = world.admin().await;

        for identifier in ["ana%40example.com", "NOBODY%40example.com"] {
            let path = format!("user-blocks?identifier={identifier}");
            let entries = admin.get(&path).await.expect(200).json();
            assert_eq!(entries["blocked_for"].as_array().unwrap().len(), 1, "{identifier}");
            admin.delete(&path).await.expect(204);
            assert_eq!(admin.get(&path).await.expect(200).json(), json!({"blocked_for": []}));
        }
        backend.login_right(ANA, HOME).await.expect(200);
        backend.login_wrong("nobody@example.com", HOME).await.expect(403);
    }

    async fn raising_the_threshold_lifts_and_lowering_it_acts_at_once(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = "attack-protection/brute-force-protection";
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);

        admin.patch(path, json!({"max_attempts": 12})).await.expect(200);
        Attacker::at(&backend, HOME).guesses(ANA, 1).await.remove(0).expect(403);
        admin.patch(path, json!({"max_attempts": 11})).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(429);
        admin.patch(path, json!({"max_attempts": 12})).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn a_success_before_the_threshold_starts_the_count_anew(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let attacker = Attacker::at(&backend, HOME);
        attacker.guesses(ANA, 9).await;
        backend.login_right(ANA, HOME).await.expect(200);
        for answer in attacker.guesses(ANA, 9).await {
            answer.expect(403);
        }
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn creating_the_user_drops_the_block_of_the_unknown_identifier(world: World) {
        let backend = world.backend(true).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        backend.add_user(ANA).await;
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn attempts_during_a_block_neither_extend_it_nor_fill_the_log(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let attacker = Attacker::at(&backend, HOME);
        attacker.guesses(ANA, 10).await;
        world.clock.advance(Duration::from_secs(29 * 86_400));
        for answer in attacker.guesses(ANA, 50).await {
            answer.expect(429);
        }
        world.clock.advance(Duration::from_secs(86_401));
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(200);
        let admin = world.admin().await;
        assert_eq!(admin.events("limit_wc").await.len(), 2, "one at the block, one an hour or more later");
    }

    async fn lockout_mode_refuses_everywhere(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let mode = json!({"mode": "count_per_identifier"});
        admin.patch("attack-protection/brute-force-protection", mode).await.expect(200);
        for number in 0..10 {
            backend.login_wrong(ANA, &format!("192.0.2.{number}")).await.expect(403);
        }
        backend.login_right(ANA, "198.51.100.1").await.expect(429);
        let blocks = admin.get(&format!("user-blocks/{}", user_id.replace('|', "%7C"))).await.expect(200).json();
        assert_eq!(blocks, json!({"blocked_for": [{"identifier": ANA, "connection": "Users"}]}));
    }

    async fn monitoring_counts_and_tells_but_refuses_nobody(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        admin.patch("attack-protection/brute-force-protection", json!({"shields": []})).await.expect(200);
        for answer in Attacker::at(&backend, HOME).guesses(ANA, 15).await {
            answer.expect(403);
        }
        assert_eq!(admin.events("limit_wc").await.len(), 1);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn the_allowlist_exempts_the_end_users_address_only(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = "attack-protection/brute-force-protection";
        admin.patch(path, json!({"allowlist": ["203.0.113.10", "192.0.2.0/31"]})).await.expect(200);
        let raised = json!({"same_user": {"enabled": false}});
        admin.patch("portcullis/attack-protection", raised).await.expect(200);

        for answer in Attacker::at(&backend, "192.0.2.1").guesses(ANA, 12).await {
            answer.expect(403);
        }
        let other = Attacker::at(&backend, "192.0.2.2").guesses(ANA, 11).await;
        assert_eq!(other.last().unwrap().status, 429, "the backend's own address does not matter");
    }

    async fn a_source_of_many_failures_is_throttled_and_refills(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for number in 0..100 {
            backend.login_wrong(&format!("user{number}@example.com"), HOME).await.expect(403);
        }
        let refused = backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(
            refused.description(),
            "We have detected suspicious login behavior and further attempts will be blocked. Please contact the administrator."
        );
        let admin = world.admin().await;
        assert_eq!(admin.events("limit_mu").await.len(), 1);
        admin.get(&format!("anomaly/blocks/ips/{HOME}")).await.expect(200);
        admin.get(&format!("anomaly/blocks/ips/{ELSEWHERE}")).await.expect(404);

        world.clock.advance(Duration::from_millis(864_000));
        world.app.forget_cached();
        backend.login_wrong("more@example.com", HOME).await.expect(403);
        backend.login_right(ANA, HOME).await.expect(429);
        admin.delete(&format!("anomaly/blocks/ips/{HOME}")).await.expect(204);
        admin.get(&format!("anomaly/blocks/ips/{HOME}")).await.expect(404);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn too_many_logins_of_one_user_from_one_source_are_delayed(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for _ in 0..20 {
            backend.login_right(ANA, HOME).await.expect(200);
        }
        let refused = backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(refused.error(), "too_many_requests");
        let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=6).contains(&seconds));
        for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(refused.headers[header].to_str().unwrap().parse::<u64>().is_ok(), "{header}");
        }
        assert_eq!(world.admin().await.events("limit_sul").await.len(), 1);
        world.clock.advance(Duration::from_secs(6));
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(429);
    }
}
