//! The thread that writes: it takes all waiting units, runs each in a savepoint, and commits them together.
//!
//! Nobody is answered before the commit, so an answer is durable and costs a share of one fsync.
//! A unit that fails, panics or takes too long for its events is rolled back to its savepoint and harms no neighbour.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::TenantId;
use rusqlite::Connection;

use super::queue::Queue;
use super::run::control;
use super::unit::{Ran, Unit};
use crate::engine::{RUNS, Transaction};
use crate::promptness::{LATE_RUNS, Promptness};
use crate::trace::Trace;
use crate::{StoreError, Work};

/// So that the first of a batch never waits for long.
const MOST_UNITS: usize = 256;

/// How many units were kept, in how many commits.
#[derive(Default)]
pub(super) struct Commits {
    pub(super) units: AtomicU64,
    pub(super) commits: AtomicU64,
}

pub(super) fn run(
    connection: Connection,
    trace: Arc<Trace>,
    promptness: Promptness,
    units: &Queue<Box<dyn Unit>>,
    commits: &Commits,
) {
    let transaction = Transaction::Sqlite(connection);
    let mut work = Work::new(TenantId::new(""), transaction, promptness, trace);
    loop {
        let mut batch = units.take(MOST_UNITS);
        if batch.is_empty() {
            return;
        }
        while !batch.is_empty() {
            let (count, committed) = commit(&mut work, &mut batch, commits);
            let ran: Vec<_> = batch.drain(..count).collect();
            let (late, done): (Vec<_>, Vec<_>) = ran
                .into_iter()
                .partition(|unit| is_late(&**unit, &committed));
            for unit in done {
                unit.answer(committed.clone());
            }
            for unit in late {
                run_alone(&mut work, unit, commits);
            }
        }
    }
}

/// Runs a unit again that was undone because it, or one beside it, took too long.
fn run_alone(work: &mut Work, mut unit: Box<dyn Unit>, commits: &Commits) {
    let mut committed = Err(StoreError::TooLate);
    for _ in 1..LATE_RUNS {
        (_, committed) = commit(work, std::slice::from_mut(&mut unit), commits);
        if !is_late(&*unit, &committed) {
            break;
        }
    }
    unit.answer(committed);
}

fn is_late(unit: &dyn Unit, committed: &Result<(), StoreError>) -> bool {
    *committed == Err(StoreError::TooLate) || unit.was_late()
}

/// Runs units in one transaction until the oldest event presses; how many have had their turn, and what came of it.
fn commit(
    work: &mut Work,
    batch: &mut [Box<dyn Unit>],
    commits: &Commits,
) -> (usize, Result<(), StoreError>) {
    let all = batch.len();
    if let Err(error) = control(connection(work), "BEGIN IMMEDIATE") {
        return (all, Err(error));
    }
    let (mut ran, mut kept) = (0, 0);
    let mut oldest_event = None;
    for unit in batch {
        match run_unit(work, &mut **unit) {
            Ok(true) => {
                kept += 1;
                let oldest = [oldest_event, work.oldest_event];
                oldest_event = oldest.into_iter().flatten().min();
            }
            Ok(false) => {}
            Err(error) => {
                // The engine itself has dropped the transaction (full disk, read error), neighbours included.
                let _ = control(connection(work), "ROLLBACK");
                return (all, Err(error));
            }
        }
        ran += 1;
        if work.promptness.presses(oldest_event) {
            break;
        }
    }
    if let Err(late) = work.promptness.check(oldest_event) {
        // The unit that ran last took long.
        let _ = control(connection(work), "ROLLBACK");
        return (ran, Err(late));
    }
    if let Err(error) = control(connection(work), "COMMIT") {
        // The frames may have reached the file and come back with the next recovery.
        let _ = control(connection(work), "ROLLBACK");
        return (ran, Err(StoreError::Unknown(error.to_string())));
    }
    commits.units.fetch_add(kept, Ordering::Relaxed);
    commits.commits.fetch_add(1, Ordering::Relaxed);
    (ran, Ok(()))
}

/// Runs a unit until it is kept or undone; an error means that the whole transaction is gone.
fn run_unit(work: &mut Work, unit: &mut dyn Unit) -> Result<bool, StoreError> {
    work.tenant = unit.tenant();
    for _ in 0..RUNS {
        control(connection(work), "SAVEPOINT unit")?;
        let ran = unit.run(work);
        if connection(work).is_autocommit() {
            return Err(StoreError::Refused(
                "the database dropped the transaction".to_owned(),
            ));
        }
        if ran != Ran::Keep {
            control(connection(work), "ROLLBACK TO unit")?;
        }
        control(connection(work), "RELEASE unit")?;
        if ran != Ran::Again {
            return Ok(ran == Ran::Keep);
        }
    }
    Ok(false)
}

fn connection(work: &Work) -> &Connection {
    match &work.transaction {
        Transaction::Sqlite(connection) => connection,
        Transaction::Postgres(_) => unreachable!("the writer's work is SQLite's"),
    }
}
