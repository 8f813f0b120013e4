//! A store that is slow for some seconds: whoever has the right password is let in, and no guess is free.
//!
//! Time passes at one reading of the clock, at each in turn, so the seconds fall on every place at which they can matter.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use server::Clock as _;
use storage::EVENTS_COMMIT_WITHIN;
use testkit::{Admin, Attacker, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
const SLOW: Duration = Duration::from_secs(4);
/// A login reads the clock at its beginning, after the hash, and for its event.
const READINGS: u32 = 5;

fn date(event: &Value) -> Timestamp {
    event["date"].as_str().unwrap().parse().unwrap()
}

/// Events beyond those that are known.
async fn new_events(admin: &Admin<'_>, code: &str, known: &mut usize) -> Vec<Value> {
    let all = admin.events(code).await;
    let new = all.len() - *known;
    *known = all.len();
    all.into_iter().take(new).collect()
}

on_both_engines! {
    async fn some_slow_seconds_turn_nobody_away(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let mut known = 0;
        for reading in 0.. {
            world.clock.jump_once(reading, SLOW);
            backend.login_right(ANA, HOME).await.expect(200);
            if world.clock.stand() {
                assert!(reading >= READINGS, "{reading} readings in a login");
                break;
            }
            let events = new_events(&admin, "sepft", &mut known).await;
            assert_eq!(events.len(), 1, "slow at reading {reading}");
            assert!(
                world.clock.now().duration_since(date(&events[0])) <= EVENTS_COMMIT_WITHIN.try_into().unwrap(),
                "slow at reading {reading}: its event is of the time of its commit"
            );
        }
        assert!(admin.events("fp").await.is_empty());
    }

    async fn a_store_that_stays_slow_tells_nobody_anything(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        for password in [PASSWORD, "wrong"] {
            world.clock.jump_always(SLOW);
            let answer = backend.login(ANA, password).end_user(HOME).send().await;
            world.clock.stand();
            let answer = answer.expect(503);
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(!answer.text.contains("_token\""));
        }
        assert_eq!(world.hashes().matched, 1, "it came as far as the hash");
        for code in ["sepft", "fp"] {
            assert!(admin.events(code).await.is_empty(), "{code}");
        }
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn slow_seconds_make_no_guess_free(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let attacker = Attacker::at(&backend, HOME);
        let mut told = 0;
        for reading in 0..20 {
            world.clock.jump_once(reading % (READINGS + 3), SLOW);
            let answer = attacker.guesses(ANA, 1).await.remove(0);
            world.clock.stand();
            match answer.status {
                403 => told += 1,
                status => assert_eq!((status, told), (429, 10), "slow at reading {reading}"),
            }
        }
        assert_eq!(told, 10);
        assert_eq!(admin.events("fp").await.len(), 10);
    }
}
