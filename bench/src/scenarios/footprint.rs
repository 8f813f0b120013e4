//! Scenario 10: memory at rest and under load, the time from start to the first answer, and the size of the binary.

use std::sync::Arc;

use crate::effort::Effort;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine, sibling};
use crate::report::{Measured, Row, Target};
use crate::shop::{PASSWORD, Shop};
use crate::{Failure, process};

const USERS: u64 = 50;
const CONNECTIONS: usize = 64;

/// A row a figure; each is compared with its budget.
pub(crate) async fn run(effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut shop = Shop::open(Engine::Sqlite, Argon2::DEFAULT, USERS).await?;
    let (mut idle, mut started) = (Measured::default(), Measured::default());
    for _ in 0..effort.rounds(7) {
        shop.node.stop()?;
        started.push(shop.node.start_again().await?.as_secs_f64() * 1_000.0);
        let (status, _) = load::once(shop.address(), shop.client_credentials()).await?;
        if status != 200 {
            return Err(format!("the restarted server answered {status}").into());
        }
        idle.push(process::resident(shop.node.pid()));
    }

    let (mut loaded, mut restarted) = (Measured::default(), Measured::default());
    for _ in 0..effort.rounds(5) {
        let serving = Arc::new(shop);
        let logins = Arc::clone(&serving);
        let requests: Requests = Arc::new(move |number| {
            let home = format!("192.0.2.{}", number % 200);
            logins.login(number % USERS, PASSWORD, &home)
        });
        let time = effort.round(4);
        let outcome = load::closed_loop(serving.address(), CONNECTIONS, time, &requests).await;
        outcome.expect(200)?;
        drop(requests);
        shop = Arc::into_inner(serving).ok_or("the load has ended")?;
        loaded.push(process::most_resident(shop.node.pid()));
        shop.node.kill()?;
        restarted.push(shop.node.start_again().await?.as_secs_f64() * 1_000.0);
    }

    let budget = process::memory_budget(Argon2::DEFAULT.memory_kib, CONNECTIONS);
    let binary = std::fs::metadata(sibling("portcullis")?)?.len() as f64 / 1e6;
    Ok(vec![
        row("idle memory before the first hash", idle, "MB", 40.0, ""),
        row(
            "most memory under load",
            loaded,
            "MB",
            budget,
            &format!("hash workers × Argon2 memory + 64 MB + 50 kB × {CONNECTIONS} connections"),
        ),
        row(
            "start to first answer",
            started,
            "ms",
            150.0,
            "existing data",
        ),
        row(
            "start to first answer after kill -9",
            restarted,
            "ms",
            150.0,
            "killed after load",
        ),
        row("binary", Measured::of(binary), "MB", 35.0, ""),
    ])
}

fn row(what: &str, measured: Measured, unit: &'static str, budget: f64, notes: &str) -> Row {
    Row {
        scenario: format!("10 {what}"),
        limit_name: "budget".to_owned(),
        limit: Measured::of(budget),
        measured,
        unit,
        target: Target::AtMost(1.0),
        reason: "not known".to_owned(),
        notes: notes.to_owned(),
    }
}
