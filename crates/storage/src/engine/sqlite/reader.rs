//! A thread that runs reading statements, each seeing everything committed before it.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::Queue;
use crate::StoreError;
use crate::statement::{Row, Statement};

/// A statement and who waits for its rows.
pub(super) struct Reading {
    pub(super) statement: Statement,
    pub(super) answer: oneshot::Sender<Result<Vec<Row>, StoreError>>,
}

pub(super) fn run(connection: &Connection, readings: &Queue<Reading>) {
    while let Some(reading) = readings.take(1).pop() {
        let rows = super::run::query(connection, &reading.statement);
        // Nobody waits any more where the request has gone.
        let _ = reading.answer.send(rows);
    }
}
