//! A flood of guesses, three times what the hashing pool has places for and 95 % of all requests: honest users keep logging
//! in, what is refused costs no hash and is told when to come back, and nothing but logins ever waits for a place.
//!
//! Counts, not times; how long anything takes under a flood is measured by `make bench`.

use std::time::Duration;

use axum::body::Body;
use credentials::{ClientStanding, Scheme, Share, Slot};
use futures_util::future::join_all;
use http::Request;
use serde_json::json;
use testkit::{AUDIENCE, Answer, Backend, Engine, World, WorldSettings};

const PLACES: usize = 80;
const WAVES: usize = 4;
/// Five of a hundred requests, at three times the places.
const HONEST: usize = PLACES * 3 / 20;
const HOSTILE: usize = PLACES * 3 - HONEST;

async fn small_pool(engine: Engine) -> World {
    let settings = WorldSettings {
        // Slow enough beside everything else that three times the places fill them.
        scheme: Scheme::Argon2id {
            memory_kib: 4_096,
            passes: 1,
            lanes: 1,
        },
        hashing_workers: 1,
        hashing_queue: PLACES,
        hashing_deadline: Duration::from_secs(60),
        ..WorldSettings::default()
    };
    World::start_with(engine, settings).await
}

async fn shop_with_customers(world: &World) -> Backend<'_> {
    let backend = world.backend(true).await;
    for customer in 0..HONEST {
        backend.add_user(&email(customer)).await;
    }
    backend
}

fn email(customer: usize) -> String {
    format!("customer{customer}@example.com")
}

/// An address of its own for every number.
fn address(network: u8, number: usize) -> String {
    format!("10.{network}.{}.{}", number / 250, number % 250 + 1)
}

/// What a flood came to.
#[derive(Debug, Default)]
struct Tally {
    honest_served: usize,
    hostile_checked: usize,
    /// No place in the pool.
    refused: usize,
    /// Blocked by the guard, which costs no place.
    blocked: usize,
}

/// Waves of guesses with logins among them, all of a wave at once; half of the guessed names exist.
async fn flood(
    backend: &Backend<'_>,
    home: impl Fn(usize, usize) -> String,
    lair: impl Fn(usize) -> String,
) -> Tally {
    let mut tally = Tally::default();
    for wave in 0..WAVES {
        let requests = (0..HONEST + HOSTILE).map(|turn| {
            let honest = turn % 20 == 19;
            let number = turn / 20;
            let home = home(wave, number);
            let lair = lair(wave * HOSTILE + turn);
            let guessed = match turn % 2 {
                0 => email(turn % HONEST),
                _ => format!("nobody{turn}@example.com"),
            };
            async move {
                let answer = if honest {
                    backend.login_right(&email(number), &home).await
                } else {
                    backend.login_wrong(&guessed, &lair).await
                };
                (honest, answer)
            }
        });
        for (honest, answer) in join_all(requests).await {
            match (honest, answer.status) {
                (true, 200) => tally.honest_served += 1,
                (false, 403) => tally.hostile_checked += 1,
                (false, 429) => tally.blocked += 1,
                (_, 503) => {
                    assert!(seconds_to_wait(&answer) >= 1, "{answer:?}");
                    tally.refused += 1;
                }
                _ => panic!("honest: {honest}, {answer:?}"),
            }
        }
    }
    tally
}

fn seconds_to_wait(answer: &Answer) -> u64 {
    let value = answer.headers.get("retry-after");
    let text = value.and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What must hold of every flood.
async fn honest_logins_keep_what_they_need(
    backend: &Backend<'_>,
    home: impl Fn(usize, usize) -> String,
    lair: impl Fn(usize) -> String,
) {
    let world = backend.world;
    let before = world.hashes();

    let tally = flood(backend, home, lair).await;

    let need = HONEST * WAVES;
    assert!(tally.honest_served * 10 >= need * 9, "{tally:?} of {need}");
    assert!(
        tally.refused > 0,
        "the flood was more than the pool takes: {tally:?}"
    );
    let hashed = world.hashes().verified() - before.verified();
    let told = tally.honest_served + tally.hostile_checked;
    assert_eq!(hashed, told as u64, "what was refused cost no hash");
    assert!(world.app.pool.most_waiting() <= PLACES);
}

async fn guesses_from_everywhere(engine: Engine) {
    let world = small_pool(engine).await;
    let backend = shop_with_customers(&world).await;
    let home = |_, customer| address(1, customer);
    for customer in 0..HONEST {
        let (email, home) = (email(customer), home(0, customer));
        backend.login_right(&email, &home).await.expect(200);
    }

    honest_logins_keep_what_they_need(&backend, home, |guess| address(2, guess)).await;
}

async fn guesses_from_a_few_addresses(engine: Engine) {
    let world = small_pool(engine).await;
    let backend = shop_with_customers(&world).await;
    let lair = |guess| address(2, guess % PLACES);
    for guess in 0..PLACES {
        let answer = backend
            .login_wrong("nobody@example.com", &lair(guess))
            .await;
        answer.expect(403);
    }

    // Nobody of the honest was ever seen at these addresses.
    let home = |wave: usize, customer| address(10 + wave as u8, customer);
    honest_logins_keep_what_they_need(&backend, home, lair).await;
}

async fn guesses_from_one_address(engine: Engine) {
    let world = small_pool(engine).await;
    let backend = shop_with_customers(&world).await;

    let home = |wave: usize, customer| address(10 + wave as u8, customer);
    honest_logins_keep_what_they_need(&backend, home, |_| address(2, 0)).await;
}

/// Every place that sources without a record may have is taken, by hand, so that nothing depends on speed.
fn fill(world: &World) -> Vec<Slot> {
    let shares = (0..10 * PLACES as u64).map(|number| Share {
        source: number,
        client: number % 2,
        standing: ClientStanding::Authenticated,
    });
    shares
        .filter_map(|share| world.app.pool.admit(&share).ok())
        .collect()
}

async fn a_full_pool(engine: Engine) {
    let world = small_pool(engine).await;
    let backend = shop_with_customers(&world).await;
    let grant =
        json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": ["read:orders"]});
    let admin = world.admin().await;
    admin.post("client-grants", grant).await.expect(201);
    let (home, ana) = (address(1, 0), email(0));
    backend.login_right(&ana, &home).await.expect(200);

    let taken = fill(&world);
    assert_eq!(taken.len(), PLACES * 3 / 4);

    let before = (world.hashes(), admin.events("fp").await.len());
    let guess = backend.login_wrong(&ana, &address(2, 0)).await.expect(503);
    assert_eq!(guess.error(), "temporarily_unavailable");
    assert!(seconds_to_wait(&guess) >= 1);
    let newcomer = backend.login_right(&email(1), &address(2, 1)).await;
    newcomer.expect(503);
    let after = (world.hashes(), admin.events("fp").await.len());
    assert_eq!(before, after, "neither hashed nor counted against anybody");

    let machine = backend
        .login("", "")
        .with("grant_type", "client_credentials");
    machine.send().await.expect(200);
    for path in ["jwks.json", "openid-configuration"] {
        let request =
            Request::get(format!("/.well-known/{path}")).header("host", "login.example.com");
        let request = request.body(Body::empty()).unwrap();
        world.send(&home, request).await.expect(200);
    }
    admin.get("users").await.expect(200);
    backend.login_right(&ana, &home).await.expect(200);

    drop(taken);
    let newcomer = backend.login_right(&email(1), &address(2, 1)).await;
    newcomer.expect(200);
}

macro_rules! on_both_engines_with_a_small_pool {
    ($($name:ident => $story:ident,)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $story(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $story(Engine::Postgres).await;
            }
        }
    )+};
}

on_both_engines_with_a_small_pool! {
    guesses_from_everywhere_do_not_crowd_out_known_homes => guesses_from_everywhere,
    guesses_from_a_few_addresses_do_not_crowd_out_newcomers => guesses_from_a_few_addresses,
    guesses_from_one_address_do_not_crowd_out_newcomers => guesses_from_one_address,
    a_full_pool_refuses_only_logins_of_the_unknown => a_full_pool,
}
