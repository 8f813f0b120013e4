//! Scenario 4: guesses at a blocked pair, beside an empty handler under the same load.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::load::{self, Requests};
use crate::node::{self, Node};
use crate::report::{Measured, Row};

const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 4;
const CONNECTIONS: usize = 32;

/// The row.
pub(crate) async fn run() -> Result<Row, Box<dyn std::error::Error>> {
    let node = Arc::new(Node::start(64, 1, 1).await?);
    let guesses = Arc::clone(&node);
    let requests: Requests = Arc::new(move |_| guesses.login(0, "wrong", "192.0.2.1"));
    let address = node::free_address()?;
    let mut empty = node::start(
        Command::new(node::sibling("bench")?)
            .arg("empty-handler")
            .arg(address.to_string()),
    )?;
    load::closed_loop(node.address, CONNECTIONS, Duration::from_secs(2), &requests).await;

    let (mut limit, mut measured) = (Measured::default(), Measured::default());
    for _ in 0..ROUNDS {
        limit.push(
            load::closed_loop(address, CONNECTIONS, ROUND, &requests)
                .await
                .rate(),
        );
        let outcome = load::closed_loop(node.address, CONNECTIONS, ROUND, &requests).await;
        if outcome.statuses.keys().any(|status| *status != 429) {
            return Err(format!("not every guess was refused: {:?}", outcome.statuses).into());
        }
        measured.push(outcome.rate());
    }
    let half = load::open_loop(node.address, measured.median() / 2.0, ROUND, &requests).await;
    empty.kill()?;
    empty.wait()?;
    Ok(Row {
        scenario: "4 refused guess (blocked identifier and source)".to_owned(),
        limit_name: "empty axum handler".to_owned(),
        limit,
        measured,
        target: 0.5,
        notes: format!(
            "at half load p50 {:.2} ms, p99 {:.2} ms",
            half.latency(50).as_secs_f64() * 1_000.0,
            half.latency(99).as_secs_f64() * 1_000.0,
        ),
    })
}
