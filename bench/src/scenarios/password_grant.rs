//! Scenarios 1 and 2: right passwords at full load, beside bare Argon2id with the same parameters on as many threads.

use std::sync::Arc;
use std::time::Duration;

use argon2_rust::params::Memory;
use argon2_rust::{Algorithm, Argon2, Params, Version};
use tokio::time::Instant;

use crate::cpu;
use crate::load::{self, Requests};
use crate::node::{Node, PASSWORD};
use crate::report::{Measured, Row};

const USERS: u64 = 50;
const ROUND: Duration = Duration::from_secs(8);
const ROUNDS: usize = 4;

/// One row for these hash parameters.
pub(crate) async fn run(
    name: &'static str,
    memory_kib: u32,
    passes: u32,
    target: f64,
) -> Result<Row, Box<dyn std::error::Error>> {
    let workers = std::thread::available_parallelism()?.get();
    let node = Arc::new(Node::start(memory_kib, passes, USERS).await?);
    let right = Arc::clone(&node);
    let requests: Requests = Arc::new(move |number| {
        right.login(
            number % USERS,
            PASSWORD,
            &format!("192.0.2.{}", number % 200),
        )
    });
    load::closed_loop(node.address, 8, Duration::from_secs(2), &requests).await;

    let (mut limit, mut measured, mut outside) = (
        Measured::default(),
        Measured::default(),
        Measured::default(),
    );
    for _ in 0..ROUNDS {
        let bare =
            tokio::task::spawn_blocking(move || bare_rate(memory_kib, passes, workers, ROUND))
                .await?;
        let before = cpu::used_by(node.pid());
        let outcome = load::closed_loop(node.address, 16, ROUND, &requests).await;
        let cpu = cpu::used_by(node.pid()) - before;
        if outcome.statuses.keys().any(|status| *status != 200) {
            return Err(
                format!("{name}: not every login succeeded: {:?}", outcome.statuses).into(),
            );
        }
        limit.push(bare);
        measured.push(outcome.rate());
        let per_login = cpu.as_secs_f64() / outcome.count() as f64;
        outside.push((per_login - workers as f64 / bare) * 1_000.0);
    }
    let half = load::open_loop(node.address, measured.median() / 2.0, ROUND, &requests).await;
    Ok(Row {
        scenario: name.to_owned(),
        limit_name: format!("bare Argon2id on {workers} threads"),
        limit,
        measured,
        target,
        notes: format!(
            "CPU outside the hash {:.2} ms a login ({:.2}–{:.2}); at half load p50 {:.1} ms, p99 {:.1} ms",
            outside.median(),
            outside.least(),
            outside.most(),
            half.latency(50).as_secs_f64() * 1_000.0,
            half.latency(99).as_secs_f64() * 1_000.0,
        ),
    })
}

/// Verifications a second of the bare library, memory reused.
fn bare_rate(memory_kib: u32, passes: u32, threads: usize, time: Duration) -> f64 {
    let parameters = Params::builder()
        .memory(Memory::kib(memory_kib.into()))
        .passes(passes)
        .lanes(1)
        .build();
    let argon2 = Argon2::new(
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
