//! The online range API: five digits leave, padding counts for nothing, and what fails lets the login go on and says so.

use std::time::Duration;

use serde_json::json;
use server::OutgoingSettings;
use server::breach::BreachSettings;
use testkit::{Engine, PASSWORD, World, WorldSettings};

use super::range_server::{Mood, RangeServer};
use super::support::{ANA, HOME, add_user, log_in, shield};

/// Known to the API alone.
const KNOWN: &str = "Known-Only-Online-7";

async fn world(api: &RangeServer) -> World {
    let settings = WorldSettings {
        breach: BreachSettings {
            online_url: Some(api.url.clone()),
            online_timeout: Duration::from_millis(400),
            ..BreachSettings::default()
        },
        outgoing: OutgoingSettings {
            authorities: vec![api.authority.clone()],
            allow_private: true,
        },
        ..WorldSettings::default()
    };
    let world = World::start_with(Engine::Sqlite, settings).await;
    world.backend(true).await;
    shield(&world, json!(["block"])).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_api_knows_is_refused_and_only_five_digits_leave() {
    let api = RangeServer::start(&[KNOWN]).await;
    let world = world(&api).await;
    let backend = world.backend(true).await;
    add_user(&world, ANA, KNOWN).await;
    log_in(&backend, ANA, "wrong", HOME).await.expect(403);
    log_in(&backend, "nobody@example.com", KNOWN, HOME)
        .await
        .expect(403);
    assert!(api.asked().is_empty(), "only a right password is looked up");

    assert_eq!(
        log_in(&backend, ANA, KNOWN, HOME).await.expect(401).error(),
        "password_leaked"
    );
    let asked = api.asked();
    let [(range, headers)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(range.len(), 5);
    assert!(range.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(headers["add-padding"], "true");
    assert!(
        headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("portcullis/")
    );

    // Nothing is kept: it is asked each time.
    log_in(&backend, ANA, KNOWN, HOME).await.expect(401);
    assert_eq!(api.asked().len(), 2);

    add_user(&world, "ben@example.com", PASSWORD).await;
    log_in(&backend, "ben@example.com", PASSWORD, HOME)
        .await
        .expect(200);
    assert!(world.admin().await.events("w").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_fails_lets_the_login_go_on_and_administrators_are_told_once_an_hour() {
    let api = RangeServer::start(&[KNOWN]).await;
    let world = world(&api).await;
    let backend = world.backend(true).await;
    add_user(&world, ANA, KNOWN).await;
    let admin = world.admin().await;
    for (mood, status) in [
        (Mood::Slow(50), 401),
        (Mood::Slow(2_000), 200),
        (Mood::Status(500), 200),
        (Mood::Status(429), 200),
        (Mood::Hangs, 200),
        (Mood::Foreign, 200),
        (Mood::Floods, 200),
        (Mood::Redirects, 200),
    ] {
        world.clock.advance(Duration::from_secs(3_600));
        api.becomes(mood.clone());
        let before = admin.events("w").await.len();
        for _ in 0..2 {
            let answer = log_in(&backend, ANA, KNOWN, HOME).await;
            assert_eq!(answer.status, status, "{mood:?}: {}", answer.text);
        }
        let warnings = admin.events("w").await;
        assert_eq!(
            warnings.len() - before,
            usize::from(status == 200),
            "{mood:?}"
        );
        if status == 200 {
            let text = warnings[0]["description"].as_str().unwrap();
            assert!(text.contains("online range API"), "{text}");
        }
    }
    // What needs no API is refused all the same.
    api.becomes(Mood::Hangs);
    add_user(&world, "ben@example.com", "AUTH0-TEST-x").await;
    log_in(&backend, "ben@example.com", "AUTH0-TEST-x", HOME)
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_nobody_vouches_for_is_not_believed() {
    let api = RangeServer::start(&[KNOWN]).await;
    let stranger = RangeServer::start(&[]).await;
    let settings = WorldSettings {
        breach: BreachSettings {
            online_url: Some(api.url.clone()),
            ..BreachSettings::default()
        },
        outgoing: OutgoingSettings {
            authorities: vec![stranger.authority.clone()],
            allow_private: true,
        },
        ..WorldSettings::default()
    };
    let world = World::start_with(Engine::Sqlite, settings).await;
    let backend = world.backend(true).await;
    shield(&world, json!(["block"])).await;
    add_user(&world, ANA, KNOWN).await;
    log_in(&backend, ANA, KNOWN, HOME).await.expect(200);
    assert!(api.asked().is_empty());
    assert_eq!(world.admin().await.events("w").await.len(), 1);
}
