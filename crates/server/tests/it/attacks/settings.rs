//! What is configured is what is enforced: each setting of each shield, by the number of attempts it lets through.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Backend, PASSWORD, World, on_both_engines};

const BRUTE_FORCE: &str = "attack-protection/brute-force-protection";
const SUSPICIOUS_IP: &str = "attack-protection/suspicious-ip-throttling";
const OWN: &str = "portcullis/attack-protection";
/// Where nothing refuses, so many are tried.
const MANY: usize = 45;

/// Who tries what from where.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    GuessOneUser,
    GuessOneUserFromManySources,
    GuessManyUsers,
    LogInRight,
}
use Pattern::{GuessManyUsers, GuessOneUser, GuessOneUserFromManySources, LogInRight};

/// What is sent, and how many attempts pass before the first 429; [`MANY`] means that none is refused.
type Case = (&'static str, Value, Pattern, usize);

fn cases() -> Vec<Case> {
    let sources =
        |max: u32| json!({"stage": {"pre-login": {"max_attempts": max, "rate": 86_400_000}}});
    let off = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    let mut all = vec![
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "enabled": false}),
            GuessOneUser,
            MANY,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "enabled": true}),
            GuessOneUser,
            5,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "shields": []}),
            GuessOneUser,
            MANY,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "shields": ["user_notification"]}),
            GuessOneUser,
            MANY,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "shields": ["user_notification", "block"]}),
            GuessOneUser,
            5,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "allowlist": ["192.0.2.0/24"]}),
            GuessOneUser,
            MANY,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "allowlist": ["192.0.3.0/24"]}),
            GuessOneUser,
            5,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "mode": "count_per_identifier"}),
            GuessOneUserFromManySources,
            5,
        ),
        (
            BRUTE_FORCE,
            json!({"max_attempts": 5, "mode": "count_per_identifier_and_ip"}),
            GuessOneUserFromManySources,
            MANY,
        ),
        (
            SUSPICIOUS_IP,
            off(sources(5), "enabled", json!(false)),
            GuessManyUsers,
            MANY,
        ),
        (
            SUSPICIOUS_IP,
            off(sources(5), "shields", json!([])),
            GuessManyUsers,
            MANY,
        ),
        (
            SUSPICIOUS_IP,
            off(
                sources(5),
                "shields",
                json!(["admin_notification", "block"]),
            ),
            GuessManyUsers,
            5,
        ),
        (
            SUSPICIOUS_IP,
            off(sources(5), "allowlist", json!(["192.0.2.0/24"])),
            GuessManyUsers,
            MANY,
        ),
        (
            SUSPICIOUS_IP,
            off(sources(5), "allowlist", json!(["192.0.3.0/24"])),
            GuessManyUsers,
            5,
        ),
        (
            OWN,
            json!({"same_user": {"max_attempts": 5, "enabled": false}}),
            LogInRight,
            MANY,
        ),
        (
            OWN,
            json!({"same_user": {"max_attempts": 5, "enabled": true}}),
            LogInRight,
            5,
        ),
    ];
    for max in [1, 2, 9, 10, 11, 40] {
        let expected = max as usize;
        all.push((
            BRUTE_FORCE,
            json!({"max_attempts": max}),
            GuessOneUser,
            expected,
        ));
        all.push((SUSPICIOUS_IP, sources(max), GuessManyUsers, expected));
        all.push((
            OWN,
            json!({"same_user": {"max_attempts": max}}),
            LogInRight,
            expected,
        ));
    }
    all
}

/// Shields so wide that none refuses within [`MANY`] attempts, with a `rate` of a day.
async fn wide(world: &World) {
    let admin = world.admin().await;
    let stage = json!({"pre-login": {"max_attempts": 2_500, "rate": 86_400_000}});
    let pair = "count_per_identifier_and_ip";
    for (path, body) in [
        (
            BRUTE_FORCE,
            json!({"enabled": true, "shields": ["block"], "mode": pair, "allowlist": [], "max_attempts": 100}),
        ),
        (
            SUSPICIOUS_IP,
            json!({"enabled": true, "shields": ["block"], "allowlist": [], "stage": stage}),
        ),
        (
            OWN,
            json!({"same_user": {"enabled": true, "max_attempts": 1_000_000, "rate": 86_400_000}}),
        ),
    ] {
        admin.patch(path, body).await.expect(200);
    }
}

/// How many attempts of a kind pass; each `case` has its own users and its own address.
async fn passed(backend: &Backend<'_>, pattern: Pattern, case: usize) -> usize {
    for number in 0..MANY {
        let one = format!("case{case}@example.com");
        let answer = match pattern {
            GuessOneUser => backend.login_wrong(&one, &format!("192.0.2.{case}")).await,
            GuessOneUserFromManySources => {
                backend
                    .login_wrong(&one, &format!("198.51.{case}.{number}"))
                    .await
            }
            GuessManyUsers => {
                backend
                    .login_wrong(&format!("{number}.{one}"), &format!("192.0.2.{case}"))
                    .await
            }
            LogInRight => {
                backend
                    .login("ana@example.com", PASSWORD)
                    .end_user(&format!("192.0.2.{case}"))
                    .send()
                    .await
            }
        };
        match answer.status {
            429 => return number,
            status => assert!(matches!(status, 200 | 403), "{}", answer.text),
        }
    }
    MANY
}

/// The names of all settings in a document.
fn names(document: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match document.as_object() {
        Some(members) => members
            .iter()
            .for_each(|(name, value)| names(value, &format!("{prefix}/{name}"), found)),
        None => drop(found.insert(prefix.to_owned())),
    }
}

on_both_engines! {
    async fn each_setting_of_each_shield_is_the_one_enforced(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let admin = world.admin().await;
        for (number, (path, body, pattern, expected)) in cases().into_iter().enumerate() {
            wide(&world).await;
            admin.patch(path, body.clone()).await.expect(200);
            assert_eq!(passed(&backend, pattern, number).await, expected, "{path} {body} {pattern:?}");
        }
    }

    async fn each_rate_is_the_one_enforced(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        for (number, rate) in [34_560, 60_000, 864_000, 86_400_000_u64].into_iter().enumerate() {
            let stage = json!({"stage": {"pre-login": {"max_attempts": 2, "rate": rate}}});
            let same_user = json!({"same_user": {"max_attempts": 2, "rate": rate}});
            for (path, body, pattern, case) in [(SUSPICIOUS_IP, stage, GuessManyUsers, number), (OWN, same_user, LogInRight, 100 + number)] {
                wide(&world).await;
                world.admin().await.patch(path, body.clone()).await.expect(200);
                assert_eq!(passed(&backend, pattern, case).await, 2, "{body}");
                for (millis, regained) in [(rate - 1, 0), (1, 1), (rate, 1), (2 * rate, 2), (100 * rate, 2)] {
                    world.clock.advance(Duration::from_millis(millis));
                    world.app.forget_cached();
                    assert_eq!(passed(&backend, pattern, case).await, regained, "{body} after {millis} ms more");
                }
            }
        }
    }

    async fn a_directory_without_protection_counts_no_pairs(world: World) {
        let backend = world.backend(true).await;
        wide(&world).await;
        let admin = world.admin().await;
        admin.patch(BRUTE_FORCE, json!({"max_attempts": 3})).await.expect(200);
        let path = format!("connections/{}", backend.connection_id);
        for (number, (on, expected)) in [(true, 3), (false, MANY), (true, 3)].into_iter().enumerate() {
            admin.patch(&path, json!({"options": {"brute_force_protection": on}})).await.expect(200);
            assert_eq!(passed(&backend, GuessOneUser, number).await, expected, "brute_force_protection: {on}");
        }
    }

    async fn no_setting_of_a_shield_is_left_out_here(world: World) {
        let admin = world.admin().await;
        let mut offered = BTreeSet::new();
        for path in [BRUTE_FORCE, SUSPICIOUS_IP, OWN] {
            names(&admin.get(path).await.expect(200).json(), path, &mut offered);
        }
        // What is not on the path of a login: sign-ups have a story of their own (`people::sign_up`), as have the others.
        let elsewhere = ["pre-user-registration", "pre-custom-token-exchange", "/confirmations", "/administrators", "/sign_up"];
        offered.retain(|name| !elsewhere.iter().any(|part| name.contains(part)));
        let mut tried = BTreeSet::new();
        for (path, body, ..) in cases() {
            names(&body, path, &mut tried);
        }
        tried.insert(format!("{OWN}/same_user/rate"));
        assert_eq!(offered, tried);
    }
}
