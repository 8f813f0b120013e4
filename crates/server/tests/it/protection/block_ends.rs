//! Each documented way a block ends (auth0-wire-facts §5.1), and what the log says of it.
//!
//! 1. 30 days: `after_thirty_days_…`. 2. An administrator: `an_administrator_lifts_…`. 3. A raised threshold:
//!    `a_raised_threshold_…`, `settings_that_make_no_block_…`. 4. The link of the mail: `unblock_page`. 5. A new password:
//!    `a_new_password_ends_…`, and by its user `people::reset`. 6. A sign-up: `whoever_signs_up_…`.

use std::time::Duration;

use serde_json::{Value, json};
use server::sweep::sweep;
use testkit::{Attacker, Backend, Engine, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";
const BRUTE_FORCE: &str = "attack-protection/brute-force-protection";
const THIRTY_DAYS: Duration = Duration::from_secs(30 * 86_400);

/// Ana, blocked from home; her user id.
async fn blocked_ana(backend: &Backend<'_>) -> String {
    let user_id = backend.add_user(ANA).await;
    Attacker::at(backend, HOME).guesses(ANA, 10).await;
    backend.login_right(ANA, HOME).await.expect(429);
    user_id
}

fn escaped(user_id: &str) -> String {
    user_id.replace('|', "%7C")
}

/// The only event of a block that was lifted.
async fn lifted(world: &World) -> Value {
    let mut events = world.admin().await.events("portcullis_block_lifted").await;
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn how(event: &Value) -> &Value {
    &event["details"]["portcullis"]["block"]["lifted_by"]["how"]
}

on_both_engines! {
    async fn an_administrator_lifts_by_user_id_identifier_or_address(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let paths = [
            format!("user-blocks/{}", escaped(&user_id)),
            "user-blocks?identifier=ana%40example.com".to_owned(),
            format!("anomaly/blocks/ips/{HOME}"),
        ];
        for (number, path) in paths.iter().enumerate() {
            admin.delete(path).await.expect(204);
            backend.login_right(ANA, HOME).await.expect(200);
            let events = admin.events("portcullis_block_lifted").await;
            assert_eq!(events.len(), number + 1, "newest first: {path}");
            assert_eq!(how(&events[0]), "administrator", "{path}");
            let by = &events[0]["details"]["portcullis"]["block"]["lifted_by"];
            assert!(by["client_id"].is_string() && by["subject"].is_string(), "{by}");
            assert_eq!((&events[0]["user_name"], &events[0]["ip"]), (&json!(ANA), &json!(HOME)), "{path}");
            let changes = admin.events("sapi").await;
            let deletes = changes.iter().filter(|event| event["details"]["request"]["method"] == "delete");
            assert_eq!(deletes.count(), 2 * number + 1, "{path}");
            world.clock.advance(Duration::from_secs(60));
            // A second time there is nothing to lift, and nothing to tell.
            admin.delete(path).await.expect(204);
            assert_eq!(admin.events("portcullis_block_lifted").await.len(), number + 1, "{path}");
            Attacker::at(&backend, HOME).guesses(ANA, 10).await;
            backend.login_right(ANA, HOME).await.expect(429);
        }
    }

    async fn a_new_password_ends_all_blocks_of_the_account_and_of_nobody_else(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ben@example.com").await;
        Attacker::at(&backend, HOME).guesses("ben@example.com", 10).await;
        let user_id = blocked_ana(&backend).await;
        Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
        let admin = world.admin().await;
        let changed = json!({"password": "Another-Horse-8-Battery", "connection": "Users"});
        admin.patch(&format!("users/{}", escaped(&user_id)), changed).await.expect(200);

        for address in [HOME, ELSEWHERE] {
            let login = backend.login(ANA, "Another-Horse-8-Battery").end_user(address);
            login.send().await.expect(200);
        }
        backend.login_right("ben@example.com", HOME).await.expect(429);
        let events = admin.events("portcullis_block_lifted").await;
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| how(event) == "password_change" && event["user_id"] == json!(user_id)));
    }

    async fn other_changes_of_a_user_end_no_block(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let path = format!("users/{}", escaped(&user_id));
        for change in [json!({"name": "Ana"}), json!({"blocked": false}), json!({"email_verified": true})] {
            admin.patch(&path, change).await.expect(200);
        }
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(admin.events("portcullis_block_lifted").await, Vec::<Value>::new());
    }

    async fn an_administrators_own_block_is_lifted_by_none_of_this(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let path = format!("users/{}", escaped(&user_id));
        admin.patch(&path, json!({"blocked": true})).await.expect(200);
        admin.delete(&format!("user-blocks/{}", escaped(&user_id))).await.expect(204);
        admin.patch(&path, json!({"password": PASSWORD, "connection": "Users"})).await.expect(200);
        let answer = backend.login_right(ANA, HOME).await;
        assert_eq!((answer.status, answer.description().as_str()), (403, "user is blocked"));
    }

    async fn a_new_user_of_a_blocked_identifier_begins_without_the_block(world: World) {
        let backend = world.backend(true).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        let user_id = backend.add_user(ANA).await;
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(lifted(&world).await["user_id"], json!(user_id));
    }

    async fn whoever_signs_up_with_a_blocked_address_ends_its_block(world: World) {
        let backend = world.backend(true).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        world.clock.advance(Duration::from_secs(60));
        let made = crate::people::sign_up(&backend, "Ana@Example.COM").await.expect(200);
        for address in [HOME, ELSEWHERE] {
            backend.login_right(ANA, address).await.expect(200);
        }
        let admin = world.admin().await;
        let events = admin.events("portcullis_block_lifted").await;
        assert_eq!(events.len(), 2, "{events:?}");
        let user_id = format!("auth0|{}", made.text_of("_id"));
        assert!(events.iter().all(|event| how(event) == "sign_up" && event["user_id"] == json!(user_id)), "{events:?}");

        // Now that somebody has the address, a sign-up with it is nobody's key to his blocks.
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        crate::people::sign_up(&backend, ANA).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(admin.events("portcullis_block_lifted").await.len(), 2);
    }

    async fn after_thirty_days_the_sweep_tells_it_once(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        world.clock.advance(THIRTY_DAYS - Duration::from_secs(1));
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(429);
        sweep(&world.app).await;
        let admin = world.admin().await;
        assert_eq!(admin.events("portcullis_block_expired").await.len(), 0);
        // The refusal was told in the log, which keeps the row for an hour, and rows go by whole hours.
        world.clock.advance(Duration::from_secs(2 * 3_600));
        tokio::join!(sweep(&world.app), sweep(&world.app), sweep(&world.app));
        sweep(&world.app).await;
        let events = world.admin().await.events("portcullis_block_expired").await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((&events[0]["user_id"], &events[0]["user_name"]), (&json!(user_id), &json!(ANA)));
        assert_eq!(events[0]["details"]["portcullis"]["block"]["ended_at"], "2026-01-31T00:00:00.000Z");
        assert_eq!(admin.get("logs?per_page=1&q=type%3Aportcullis_block_lifted").await.json(), json!([]));
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn after_thirty_days_the_first_login_tells_it_where_it_comes_before_the_sweep(world: World) {
        let backend = world.backend(true).await;
        blocked_ana(&backend).await;
        world.clock.advance(THIRTY_DAYS);
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(200);
        world.clock.advance(Duration::from_secs(2 * 3_600));
        sweep(&world.app).await;
        assert_eq!(world.admin().await.events("portcullis_block_expired").await.len(), 1);
    }

    async fn settings_that_make_no_block_end_it_and_are_told_as_its_end(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let changes = [
            (json!({"max_attempts": 11}), json!({"max_attempts": 10})),
            (json!({"shields": ["user_notification"]}), json!({"shields": ["block", "user_notification"]})),
            (json!({"enabled": false}), json!({"enabled": true})),
            (json!({"mode": "count_per_identifier"}), json!({"mode": "count_per_identifier_and_ip"})),
        ];
        for (number, (change, back)) in changes.into_iter().enumerate() {
            world.clock.advance(Duration::from_secs(60));
            admin.patch(BRUTE_FORCE, change.clone()).await.expect(200);
            tokio::join!(sweep(&world.app), sweep(&world.app));
            let mut events = admin.events("portcullis_block_lifted").await;
            events.retain(|event| how(event) == "settings" && event["user_id"] == json!(user_id));
            assert_eq!(events.len(), number + 1, "{change}");
            backend.login_right(ANA, HOME).await.expect(200);
            admin.patch(BRUTE_FORCE, back).await.expect(200);
            // The count was cleared by the login, or was never asked for under those settings.
            admin.delete("user-blocks?identifier=ana%40example.com").await.expect(204);
            Attacker::at(&backend, HOME).guesses(ANA, 10).await;
            backend.login_right(ANA, HOME).await.expect(429);
        }
    }

    async fn a_raised_threshold_is_told_by_the_login_that_it_lets_in(world: World) {
        let backend = world.backend(true).await;
        blocked_ana(&backend).await;
        let admin = world.admin().await;
        admin.patch(BRUTE_FORCE, json!({"max_attempts": 11})).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
        sweep(&world.app).await;
        assert_eq!(how(&lifted(&world).await), "settings");
    }

    async fn a_lowered_threshold_begins_a_block_that_its_first_refusal_tells(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 5).await;
        let admin = world.admin().await;
        admin.patch(BRUTE_FORCE, json!({"max_attempts": 5})).await.expect(200);
        assert_eq!(admin.events("portcullis_block_created").await.len(), 0);
        for _ in 0..3 {
            world.app.forget_cached();
            backend.login_right(ANA, HOME).await.expect(429);
        }
        let events = admin.events("portcullis_block_created").await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["details"]["portcullis"]["block"]["failures"], 5);
    }

    async fn a_beginning_is_told_alike_of_users_and_of_nobody(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let mut counts = Vec::new();
        for name in [ANA, "nobody@example.com"] {
            let total = async || admin.get("logs?include_totals=true&per_page=1").await.json()["total"].as_u64().unwrap();
            let before = total().await;
            Attacker::at(&backend, HOME).guesses(name, 12).await;
            counts.push(total().await - before);
        }
        assert_eq!(counts[0], counts[1], "as many events for both");
        let events = admin.events("portcullis_block_created").await;
        assert_eq!(events.len(), 2);
        let block = json!({
            "scope": "identifier_and_ip",
            "threshold": 10,
            "failures": 10,
            "last_failure": "2026-01-01T00:00:00.000Z",
            "ends_at": "2026-01-31T00:00:00.000Z",
        });
        for event in &events {
            assert_eq!((&event["details"]["portcullis"]["block"], &event["ip"]), (&block, &json!(HOME)));
            let known = event["user_name"] == json!(ANA);
            assert_eq!(event["user_id"], if known { json!(user_id) } else { Value::Null });
        }
        assert_eq!(admin.events("limit_wc").await.len(), 2, "the wire's event stays beside ours");
    }
}

/// Of two nodes that sweep at once, one tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_tell_an_end_once() {
    let one = World::start(Engine::Postgres).await;
    let backend = one.backend(true).await;
    blocked_ana(&backend).await;
    Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
    let two = one.second_node().await;
    one.clock
        .advance(THIRTY_DAYS + Duration::from_secs(2 * 3_600));
    tokio::join!(
        sweep(&one.app),
        sweep(&two.app),
        sweep(&one.app),
        sweep(&two.app)
    );
    let expired = one.admin().await.events("portcullis_block_expired").await;
    assert_eq!(expired.len(), 2, "one for each block: {expired:?}");
}
