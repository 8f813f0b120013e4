//! Scenario 4: guesses at a blocked pair, beside an empty handler under the same load.

use std::sync::Arc;

use crate::Failure;
use crate::effort::Effort;
use crate::empty_handler::EmptyHandler;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine};
use crate::report::{Measured, Row, Target};
use crate::shop::Shop;

const CONNECTIONS: usize = 32;

/// The row.
pub(crate) async fn run(effort: Effort) -> Result<Vec<Row>, Failure> {
    let round = effort.round(5);
    let shop = Arc::new(Shop::open(Engine::Sqlite, Argon2::SMALL, 1).await?);
    let guesses = Arc::clone(&shop);
    let requests: Requests = Arc::new(move |_| guesses.login(0, "wrong", "192.0.2.1"));
    let empty = EmptyHandler::start()?;
    load::closed_loop(shop.address(), CONNECTIONS, effort.round(2), &requests).await;

    let (mut limit, mut measured) = (Measured::default(), Measured::default());
    for _ in 0..effort.rounds(4) {
        let bare = load::closed_loop(empty.address, CONNECTIONS, round, &requests).await;
        limit.push(bare.rate());
        let outcome = load::closed_loop(shop.address(), CONNECTIONS, round, &requests).await;
        outcome.expect(429)?;
        measured.push(outcome.rate());
    }
    let half = load::open_loop(shop.address(), measured.median() / 2.0, round, &requests).await;
    Ok(vec![Row {
        scenario: "4 refused guess (blocked identifier and source)".to_owned(),
        limit_name: "empty axum handler".to_owned(),
        limit,
        measured,
        unit: "/s",
        target: Target::AtLeast(0.5),
        reason: "reads and answers JSON, authenticates the application and finds user and source among the refusals, \
                 where the limit reads and answers nothing; a fifth of the time is allocation and copying"
            .to_owned(),
        notes: format!(
            "at half load p50 {:.2} ms, p99 {:.2} ms",
            half.millis(50),
            half.millis(99),
        ),
    }])
}
