//! A unit of work from within: an open transaction of one tenant.
//!
//! A unit is free of other effects, because it may be run again. A statement that failed makes the whole unit fail,
//! even if the unit goes on: PostgreSQL would have dropped everything before it.

use std::sync::Arc;

use jiff::Timestamp;
use model::TenantId;

use crate::engine::Transaction;
use crate::promptness::Promptness;
use crate::statement::{Row, Select, Statement, Value};
use crate::trace::Trace;
use crate::{StoreError, tenant_store};

/// An open unit of work; every write of a tenant goes through it.
pub struct Work {
    pub(crate) tenant: TenantId,
    pub(crate) transaction: Transaction,
    pub(crate) failed: Option<StoreError>,
    /// The time of the oldest event that the unit writes.
    pub(crate) oldest_event: Option<Timestamp>,
    pub(crate) promptness: Promptness,
    trace: Arc<Trace>,
}

impl Work {
    pub(crate) fn new(
        tenant: TenantId,
        transaction: Transaction,
        promptness: Promptness,
        trace: Arc<Trace>,
    ) -> Self {
        Self {
            tenant,
            transaction,
            failed: None,
            oldest_event: None,
            promptness,
            trace,
        }
    }

    /// The tenant whose rows are written.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant
    }

    pub(crate) async fn first<T>(&mut self, select: Select<T>) -> Result<Option<T>, StoreError> {
        let rows = self.rows(select.statement, 0).await?;
        tenant_store::first(rows, select.read)
    }

    pub(crate) async fn all<T>(&mut self, select: Select<T>) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(select.statement, 0).await?;
        tenant_store::all(rows, select.read)
    }

    /// Like [`Self::all`] for a statement that writes each row it returns.
    pub(crate) async fn returning<T>(&mut self, select: Select<T>) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(select.statement, 1).await?;
        tenant_store::all(rows, select.read)
    }

    /// Runs a writing statement and tells how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        arguments: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let statement = Statement::new(sql, arguments);
        let written = self.transaction.execute(&statement).await;
        let written = written.inspect_err(|error| self.failed = Some(error.clone()))?;
        self.trace.count(&statement.sql, written);
        Ok(written)
    }

    /// Notes that an event of this time is written.
    pub(crate) fn writes_event_of(&mut self, time: Timestamp) {
        self.oldest_event = Some(self.oldest_event.map_or(time, |oldest| oldest.min(time)));
    }

    /// Whether the unit may still be committed at its end.
    pub(crate) fn check_promptness(&self) -> Result<(), StoreError> {
        self.promptness.check(self.oldest_event)
    }

    /// Changes the schema.
    pub(crate) async fn define(&mut self, ddl: &'static str) -> Result<(), StoreError> {
        let defined = self.transaction.define(ddl).await;
        defined.inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// What a reading statement ends with to keep its rows from moving, where the engine can.
    pub(crate) fn lock(&self) -> &'static str {
        self.transaction.lock()
    }

    async fn rows(&mut self, statement: Statement, written: u64) -> Result<Vec<Row>, StoreError> {
        let rows = self.transaction.query(&statement).await;
        let rows = rows.inspect_err(|error| self.failed = Some(error.clone()))?;
        self.trace
            .count(&statement.sql, written * rows.len() as u64);
        Ok(rows)
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}
