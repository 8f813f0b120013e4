//! Scenario 3: tokens of applications, each with its log event durable, beside bare RSA-2048 signatures.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use tokio::time::Instant;

use super::SHARED_CORES;
use crate::Failure;
use crate::effort::Effort;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine};
use crate::report::{Measured, Row, Target};
use crate::shop::Shop;

const CONNECTIONS: usize = 64;

/// The row.
pub(crate) async fn run(effort: Effort) -> Result<Vec<Row>, Failure> {
    let round = effort.round(8);
    let workers = std::thread::available_parallelism()?.get();
    let shop = Arc::new(Shop::open(Engine::Sqlite, Argon2::SMALL, 0).await?);
    let asking = Arc::clone(&shop);
    let requests: Requests = Arc::new(move |_| asking.client_credentials());
    let warm = load::closed_loop(shop.address(), CONNECTIONS, effort.round(2), &requests).await;
    warm.expect(200)?;

    let (mut limit, mut measured) = (Measured::default(), Measured::default());
    for _ in 0..effort.rounds(4) {
        limit.push(
            tokio::task::spawn_blocking(move || bare_rate(workers, round))
                .await?
                .ok_or("no RSA key could be made")?,
        );
        let outcome = load::closed_loop(shop.address(), CONNECTIONS, round, &requests).await;
        outcome.expect(200)?;
        measured.push(outcome.rate());
    }
    let half = load::open_loop(shop.address(), measured.median() / 2.0, round, &requests).await;
    Ok(vec![Row {
        scenario: "3 client credentials, RS256-2048, event durable".to_owned(),
        limit_name: format!("bare RSA-2048 signatures on {workers} threads"),
        limit,
        measured,
        unit: "/s",
        target: Target::AtLeast(0.6),
        reason: SHARED_CORES.to_owned(),
        notes: format!(
            "at half load p50 {:.2} ms, p99 {:.2} ms",
            half.millis(50),
            half.millis(99)
        ),
    }])
}

/// Signatures a second of the bare library, over a text as long as a token's.
fn bare_rate(threads: usize, time: Duration) -> Option<f64> {
    let key = KeyPair::generate(KeySize::Rsa2048).ok()?;
    let text = [b'x'; 600];
    let started = Instant::now();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let signing: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let random = SystemRandom::new();
                    let mut signature = vec![0; key.public_modulus_len()];
                    let mut count = 0;
                    while started.elapsed() < time {
                        key.sign(&RSA_PKCS1_SHA256, &random, &text, &mut signature)
                            .expect("the buffer is as long as the modulus");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        signing
            .into_iter()
            .map(|thread| thread.join().expect("signing does not panic"))
            .collect()
    });
    Some(counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64())
}
