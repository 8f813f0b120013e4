//! Scenarios 1 and 2: right passwords at full load, beside bare Argon2id with the same parameters on as many threads.
//!
//! Each login gets an access token, one RS256 signature; what a second one for an ID token makes of it is in the notes.

use std::sync::Arc;
use std::time::Duration;

use argon2_rust::params::Memory;
use argon2_rust::{Algorithm, Argon2 as Bare, Params, Version};
use tokio::time::Instant;

use crate::effort::Effort;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine};
use crate::report::{Measured, Row, Target};
use crate::shop::{PASSWORD, Shop};
use crate::{Failure, process};

const USERS: u64 = 50;

/// One row for these hash parameters.
pub(crate) async fn run(
    name: &'static str,
    argon2: Argon2,
    target: f64,
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let round = effort.round(8);
    let workers = std::thread::available_parallelism()?.get();
    let shop = Arc::new(Shop::open(Engine::Sqlite, argon2, USERS).await?);
    let right = Arc::clone(&shop);
    let requests: Requests = Arc::new(move |number| {
        let home = format!("192.0.2.{}", number % 200);
        right.login(number % USERS, PASSWORD, &home)
    });
    load::closed_loop(shop.address(), 8, effort.round(2), &requests).await;

    let (mut limit, mut measured, mut outside) = (
        Measured::default(),
        Measured::default(),
        Measured::default(),
    );
    for _ in 0..effort.rounds(4) {
        let bare = tokio::task::spawn_blocking(move || bare_rate(argon2, workers, round)).await?;
        let before = process::cpu(shop.node.pid());
        let outcome = load::closed_loop(shop.address(), 16, round, &requests).await;
        let cpu = process::cpu(shop.node.pid()) - before;
        outcome.expect(200)?;
        limit.push(bare);
        measured.push(outcome.rate());
        let per_login = cpu.as_secs_f64() / outcome.count() as f64;
        outside.push((per_login - workers as f64 / bare) * 1_000.0);
    }
    let named = Arc::clone(&shop);
    let with_id_token: Requests = Arc::new(move |number| {
        let (user, home) = (number % USERS, format!("192.0.2.{}", number % 200));
        let name = format!("user{user}@example.com");
        named.login_for("openid read:orders", &name, PASSWORD, &home)
    });
    let with_id_token = load::closed_loop(shop.address(), 16, round, &with_id_token).await;
    with_id_token.expect(200)?;
    let half = load::open_loop(shop.address(), measured.median() / 2.0, round, &requests).await;
    Ok(vec![Row {
        scenario: name.to_owned(),
        limit_name: format!("bare Argon2id on {workers} threads"),
        limit,
        measured,
        unit: "/s",
        target: Target::AtLeast(target),
        reason: "an RS256 signature, two durable commits and the generator take their share of the cores that the limit \
                 has alone"
            .to_owned(),
        notes: format!(
            "CPU outside the hash {:.2} ms a login ({:.2}–{:.2}); with an ID token as well {:.0} /s; at half load p50 {:.1} \
             ms, p99 {:.1} ms",
            outside.median(),
            outside.least(),
            outside.most(),
            with_id_token.rate(),
            half.millis(50),
            half.millis(99),
        ),
    }])
}

/// Verifications a second of the bare library, memory reused.
fn bare_rate(argon2: Argon2, threads: usize, time: Duration) -> f64 {
    let parameters = Params::builder()
        .memory(Memory::kib(argon2.memory_kib.into()))
        .passes(argon2.passes)
        .lanes(1)
        .build();
    let argon2 = Bare::new(
        Algorithm::Argon2id,
        Version::V0x13,
        parameters.expect("parameters in range"),
    );
    let started = Instant::now();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let hashing: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let mut hasher = argon2.hasher();
                    let mut tag = [0; 32];
                    let mut count = 0;
                    while started.elapsed() < time {
                        hasher
                            .hash_into(PASSWORD.as_bytes(), b"sixteen bytes ok", &mut tag)
                            .expect("memory is there");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        hashing
            .into_iter()
            .map(|thread| thread.join().expect("hashing does not panic"))
            .collect()
    });
    counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64()
}
