//! `stats/daily` and `stats/active-users`: what counts, on which day, once, and what is left of it when events and users go.

use std::time::Duration;

use serde_json::{Value, json};
use server::{statistics::follow, sweep::sweep};
use storage::CHECKPOINT_DELAY;
use testkit::{Admin, Backend, Engine, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const HOME: &str = "192.0.2.1";
const DAY: Duration = Duration::from_secs(86_400);
/// What happened so long ago counts.
const SETTLED: Duration = CHECKPOINT_DELAY.saturating_add(Duration::from_micros(1));

/// Lets everything count that has happened.
async fn settle(world: &World) {
    world.clock.advance(SETTLED);
    follow(&world.app).await;
}

async fn daily(admin: &Admin<'_>, query: &str) -> Vec<Value> {
    let answer = admin.get(&format!("stats/daily{query}")).await.expect(200);
    answer.json().as_array().unwrap().clone()
}

/// Day, logins and sign-ups.
fn figures(days: &[Value]) -> Vec<(&str, u64, u64)> {
    let figures = days.iter().map(|day| {
        let date = &day["date"].as_str().unwrap()[..10];
        let counted = |member: &str| day[member].as_u64().unwrap();
        (date, counted("logins"), counted("signups"))
    });
    figures.collect()
}

async fn active(world: &World) -> Value {
    let admin = world.admin().await;
    admin.get("stats/active-users").await.expect(200).json()
}

async fn log_in(backend: &Backend<'_>, user: &str, times: usize) {
    for _ in 0..times {
        backend.login_right(user, HOME).await.expect(200);
    }
}

async fn removed(backend: &Backend<'_>, user_id: &str) {
    let path = format!("users/{}", user_id.replace('|', "%7C"));
    backend.world.admin().await.delete(&path).await.expect(204);
}

on_both_engines! {
    async fn logins_and_sign_ups_count_on_their_day(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        backend.add_user(BEN).await;
        log_in(&backend, ANA, 2).await;
        log_in(&backend, BEN, 1).await;
        backend.login_wrong(ANA, HOME).await.expect(403);
        crate::people::sign_up(&backend, "eve@example.com").await.expect(200);
        crate::people::sign_up(&backend, "eve@example.com").await.expect(200);
        let admin = world.admin().await;
        follow(&world.app).await;
        assert_eq!(daily(&admin, "").await, Vec::<Value>::new(), "younger than a minute");
        assert_eq!(active(&world).await, json!(0));

        settle(&world).await;
        let days = daily(&admin, "").await;
        assert_eq!(figures(&days), [("2026-01-01", 3, 1)], "neither wrong passwords nor a second sign-up");
        assert_eq!(days[0], json!({
            "date": "2026-01-01T00:00:00.000Z",
            "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:10.000Z",
            "logins": 3,
            "signups": 1,
            "leaked_passwords": 0,
            "leaked_passwords_signup": 0,
        }));
        assert_eq!(active(&world).await, json!(2), "who signed up has not logged in");

        world.clock.advance(DAY);
        log_in(&backend, ANA, 1).await;
        settle(&world).await;
        follow(&world.app).await;
        let admin = world.admin().await;
        assert_eq!(figures(&daily(&admin, "").await), [("2026-01-01", 3, 1), ("2026-01-02", 1, 0)]);
        assert_eq!(active(&world).await, json!(2));
    }

    async fn days_are_asked_for_by_name(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for _ in 0..3 {
            log_in(&backend, ANA, 1).await;
            world.clock.advance(DAY * 20);
        }
        settle(&world).await;
        let admin = world.admin().await;
        let [first, second, third] = [("2026-01-01", 1, 0), ("2026-01-21", 1, 0), ("2026-02-10", 1, 0)];
        assert_eq!(figures(&daily(&admin, "").await), [third], "the last 30 days");
        assert_eq!(figures(&daily(&admin, "?from=20260101").await), [first, second, third]);
        assert_eq!(figures(&daily(&admin, "?from=20260101&to=20260121").await), [first, second]);
        assert_eq!(figures(&daily(&admin, "?to=20260121").await), [first, second]);
        assert_eq!(figures(&daily(&admin, "?from=20260121&to=20260121").await), [second]);
        assert_eq!(figures(&daily(&admin, "?from=20260122&to=20260201").await), []);
        for (query, word) in [
            ("from=2026-01-01", "'from'"),
            ("from=20260230", "'from'"),
            ("to=tomorrow", "'to'"),
            ("to=+2026011", "'to'"),
            ("from=20260102&to=20260101", "after"),
            ("from=20000101", "3660"),
        ] {
            let refused = admin.get(&format!("stats/daily?{query}")).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_query_string", "{query}");
            assert!(refused.text_of("message").contains(word), "{query}: {refused:?}");
        }
    }

    async fn each_breached_password_counts_though_its_event_is_written_once_an_hour(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let shield = json!({
            "enabled": true,
            "shields": ["block"],
            "stage": {"pre-user-registration": {"shields": ["block"]}},
        });
        let leaked = "AUTH0-TEST-Correct-Horse-7";
        let user = json!({"connection": "Users", "email": ANA, "password": leaked, "verify_email": false});
        admin.post("users", user).await.expect(201);
        admin.patch("attack-protection/breached-password-detection", shield).await.expect(200);
        for _ in 0..3 {
            backend.login(ANA, leaked).end_user(HOME).send().await.expect(401);
        }
        let mut eve = crate::people::new_person(&backend, "eve@example.com");
        eve["password"] = json!(leaked);
        for _ in 0..2 {
            crate::people::post(&world, HOME, "/dbconnections/signup", &[], &eve).await.expect(400);
        }
        settle(&world).await;
        let days = daily(&admin, "").await;
        assert_eq!(figures(&days), [("2026-01-01", 0, 0)]);
        assert_eq!((&days[0]["leaked_passwords"], &days[0]["leaked_passwords_signup"]), (&json!(3), &json!(2)));
        assert_eq!(admin.events("pwd_leak").await.len(), 1);
    }

    async fn active_users_are_those_of_thirty_days(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        backend.add_user(BEN).await;
        log_in(&backend, ANA, 1).await;
        log_in(&backend, BEN, 1).await;
        world.clock.advance(DAY * 10);
        log_in(&backend, ANA, 1).await;
        settle(&world).await;
        assert_eq!(active(&world).await, json!(2));
        world.clock.advance(DAY * 19);
        assert_eq!(active(&world).await, json!(2), "the thirtieth day, the first one included");
        world.clock.advance(DAY);
        assert_eq!(active(&world).await, json!(1));
        world.clock.advance(DAY * 10);
        assert_eq!(active(&world).await, json!(0));
        log_in(&backend, BEN, 1).await;
        settle(&world).await;
        assert_eq!(active(&world).await, json!(1), "who comes back counts again");
    }

    async fn a_user_who_is_removed_leaves_his_logins_and_is_no_active_user(world: World) {
        let backend = world.backend(true).await;
        let (ana, ben) = (backend.add_user(ANA).await, backend.add_user(BEN).await);
        log_in(&backend, ANA, 2).await;
        settle(&world).await;
        log_in(&backend, BEN, 1).await;
        removed(&backend, &ana).await;
        assert_eq!(active(&world).await, json!(0), "at once");
        removed(&backend, &ben).await;
        settle(&world).await;
        assert_eq!(active(&world).await, json!(0), "nor one who is removed before he is counted");
        assert_eq!(figures(&daily(&world.admin().await, "").await), [("2026-01-01", 3, 0)]);
    }

    async fn each_event_counts_once_however_many_follow_at_once(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let many = json!({"same_user": {"max_attempts": 1_000}});
        admin.patch("portcullis/attack-protection", many).await.expect(200);
        backend.add_user(ANA).await;
        for round in 1..=4 {
            log_in(&backend, ANA, 10).await;
            world.clock.advance(SETTLED);
            let following = (0..6).map(|_| follow(&world.app));
            futures_util::future::join_all(following).await;
            follow(&world.app).await;
            assert_eq!(figures(&daily(&admin, "").await), [("2026-01-01", 10 * round, 0)]);
        }
    }

    async fn old_events_are_dropped_once_they_have_counted_and_their_figures_stay(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        log_in(&backend, ANA, 3).await;
        world.admin().await.patch("portcullis/logs", json!({"retention_days": 1})).await.expect(200);
        world.clock.advance(DAY * 3);
        sweep(&world.app).await;
        assert_eq!(world.admin().await.events("sepft").await.len(), 3, "nothing has counted them yet");
        follow(&world.app).await;
        sweep(&world.app).await;
        assert_eq!(world.admin().await.events("sepft").await.len(), 0);
        let figures_of = async || daily(&world.admin().await, "?from=20260101").await;
        assert_eq!(figures(&figures_of().await), [("2026-01-01", 3, 0)]);
        follow(&world.app).await;
        assert_eq!(figures(&figures_of().await), [("2026-01-01", 3, 0)]);
        assert_eq!(active(&world).await, json!(1));
    }

    async fn statistics_have_a_scope_of_their_own_and_belong_to_one_tenant(world: World) {
        let other = world.neighbour("other").await;
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        log_in(&backend, ANA, 1).await;
        settle(&world).await;
        assert_eq!(active(&other).await, json!(0));
        assert!(daily(&other.admin().await, "").await.is_empty());
        assert_eq!(active(&world).await, json!(1));
        let logs = crate::management::scopes::with_scopes(&world, &backend, &["read:logs", "read:users"]).await;
        for path in ["stats/daily", "stats/active-users"] {
            let refused = logs.get(path).await.expect(403);
            assert_eq!(refused.text_of("message"), "Insufficient scope, expected any of: read:stats");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_count_together_what_each_of_them_wrote() {
    let one = World::start(Engine::Postgres).await;
    let two = one.second_node().await;
    let backend = one.backend(true).await;
    let users = ["a@example.com", "b@example.com", "c@example.com"];
    for user in users {
        backend.add_user(user).await;
    }
    let of_two = Backend {
        world: &two,
        ..backend.clone()
    };
    for round in 1..=5 {
        for user in users {
            let (first, second) = tokio::join!(
                backend.login(user, PASSWORD).end_user(HOME).send(),
                of_two.login(user, PASSWORD).end_user(HOME).send(),
            );
            first.expect(200);
            second.expect(200);
        }
        one.clock.advance(SETTLED);
        tokio::join!(
            follow(&one.app),
            follow(&two.app),
            follow(&one.app),
            follow(&two.app)
        );
        follow(&one.app).await;
        let admin = two.admin().await;
        assert_eq!(
            figures(&daily(&admin, "").await),
            [("2026-01-01", 6 * round, 0)]
        );
        assert_eq!(active(&one).await, json!(3));
    }
}
