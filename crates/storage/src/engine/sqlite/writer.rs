//! The thread that writes: it takes all waiting units, runs each in a savepoint, and commits them together.
//!
//! Nobody is answered before the commit, so an answer is durable and costs a share of one fsync.
//! A unit that fails or panics is rolled back to its savepoint and harms no neighbour.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::TenantId;
use rusqlite::Connection;

use super::queue::Queue;
use super::run::control;
use super::unit::{Ran, Unit};
use crate::engine::{RUNS, Transaction};
use crate::promptness::Promptness;
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
    trace: &Arc<Trace>,
    promptness: &Promptness,
    units: &Queue<Box<dyn Unit>>,
    commits: &Commits,
) {
    let mut work = Work::new(
        TenantId::new(""),
        Transaction::Sqlite(connection),
        Arc::clone(trace),
    );
    loop {
        let mut batch = units.take(MOST_UNITS);
        if batch.is_empty() {
            return;
        }
        let committed = commit(&mut work, &mut batch, promptness, commits);
        for unit in batch {
            unit.answer(committed.clone());
        }
    }
}

fn commit(
    work: &mut Work,
    batch: &mut [Box<dyn Unit>],
    promptness: &Promptness,
    commits: &Commits,
) -> Result<(), StoreError> {
    control(connection(work), "BEGIN IMMEDIATE")?;
    let mut kept = 0;
    let mut oldest_event = None;
    for unit in batch {
        match run_unit(work, &mut **unit, promptness) {
            Ok(true) => {
                kept += 1;
                let oldest = [oldest_event, work.oldest_event];
                oldest_event = oldest.into_iter().flatten().min();
            }
            Ok(false) => {}
            Err(error) => {
                // The engine itself has dropped the transaction (full disk, read error), neighbours included.
                let _ = control(connection(work), "ROLLBACK");
                return Err(error);
            }
        }
    }
    if let Err(late) = promptness.check(oldest_event) {
        // The units behind one of the batch took long.
        let _ = control(connection(work), "ROLLBACK");
        return Err(late);
    }
    if let Err(error) = control(connection(work), "COMMIT") {
        // The frames may have reached the file and come back with the next recovery.
        let _ = control(connection(work), "ROLLBACK");
        return Err(StoreError::Unknown(error.to_string()));
    }
    commits.units.fetch_add(kept, Ordering::Relaxed);
    commits.commits.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Runs a unit until it is kept or undone; an error means that the whole transaction is gone.
fn run_unit(
    work: &mut Work,
    unit: &mut dyn Unit,
    promptness: &Promptness,
) -> Result<bool, StoreError> {
    work.tenant = unit.tenant();
    for _ in 0..RUNS {
        control(connection(work), "SAVEPOINT unit")?;
        let ran = unit.run(work, promptness);
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
