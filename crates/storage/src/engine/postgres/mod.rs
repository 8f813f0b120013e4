//! PostgreSQL: a pool of connections, a transaction for each unit, the whole unit again where another disturbed it.
//!
//! Opening refuses a server that would lose what it acknowledged. Behind a pooler no statement is named.

mod lease;
mod link;
mod outcome;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Pool, PoolError, Timeouts};
use model::TenantId;
use tokio_postgres::config::TargetSessionAttrs;

use super::{RUNS, Transaction};
use crate::promptness::{LATE_RUNS, Promptness};
use crate::statement::{Row, Statement};
use crate::store::CommitCounts;
use crate::trace::Trace;
use crate::{OpenError, StoreError, Work};
pub(crate) use lease::Lease;
use link::Links;

/// A request that has no connection by then is better refused.
const WAIT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// A peer that acknowledges nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a unit or a read whose connection was lost before a commit is tried on another one.
const RECONNECTIONS: u32 = 3;

/// The open pool.
pub(crate) struct Postgres {
    pool: Pool<Links>,
    asked: Vec<u16>,
    durability: String,
    units: AtomicU64,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        pooler: bool,
        max_connections: usize,
    ) -> Result<Self, OpenError> {
        let mut opened = Self::connect(url, pooler, max_connections)?;
        opened.durability = opened.check_durability().await?;
        Ok(opened)
    }

    /// A pool on a server that has not been asked anything yet.
    pub(crate) fn connect(
        url: &str,
        pooler: bool,
        max_connections: usize,
    ) -> Result<Self, OpenError> {
        let (mut config, encryption) = tls::read(url)?;
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            // After a failover the former primary may still answer, and would only read.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        config.connect_timeout(CONNECT).tcp_user_timeout(SILENCE);
        if config.get_application_name().is_none() {
            config.application_name("portcullis");
        }
        let asked = match config.get_ports() {
            [] => vec![5_432],
            ports => ports.to_vec(),
        };
        let pool = Pool::builder(Links::new(config, encryption, pooler))
            .max_size(max_connections.max(1))
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(WAIT),
                create: Some(CONNECT),
                recycle: Some(CONNECT),
            })
            .build()
            .map_err(|error| OpenError::Unreachable(error.to_string()))?;
        Ok(Self {
            pool,
            asked,
            durability: String::new(),
            units: AtomicU64::new(0),
        })
    }

    /// Runs a reading statement; one whose connection was lost is run again on another.
    pub(crate) async fn query(&self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        let mut lost = 0;
        loop {
            let mut lease = self.lease().await?;
            match lease.query(statement).await {
                Err(StoreError::Unreachable(_)) if lost + 1 < RECONNECTIONS => lost += 1,
                Err(error) => return Err(error),
                Ok(rows) => {
                    lease.keep();
                    return Ok(rows);
                }
            }
        }
    }

    /// Runs a unit until it is committed, fails by itself, or has been disturbed or too late too often.
    pub(crate) async fn write<T, F>(
        &self,
        tenant: &TenantId,
        trace: &Arc<Trace>,
        promptness: &Promptness,
        unit: &F,
    ) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Work) -> Result<T, StoreError>,
    {
        let (mut disturbed, mut lost, mut late) = (0, 0, 0);
        loop {
            let lease = self.lease().await?;
            match self.run(lease, tenant, trace, promptness, unit).await {
                Err(StoreError::Rerun) if disturbed + 1 < RUNS => disturbed += 1,
                Err(StoreError::Rerun) => return Err(StoreError::Contended),
                Err(StoreError::Unreachable(_)) if lost + 1 < RECONNECTIONS => lost += 1,
                Err(StoreError::TooLate) if late + 1 < LATE_RUNS => late += 1,
                outcome => return outcome,
            }
            tokio::time::sleep(pause(disturbed + lost + late)).await;
        }
    }

    async fn run<T, F>(
        &self,
        mut lease: Lease,
        tenant: &TenantId,
        trace: &Arc<Trace>,
        promptness: &Promptness,
        unit: &F,
    ) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Work) -> Result<T, StoreError>,
    {
        lease
            .control("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await?;
        // From here on a lease that is dropped, because the unit panics or its task is cancelled, closes its connection.
        let mut work = Work::new(
            tenant.clone(),
            Transaction::Postgres(lease),
            promptness.clone(),
            Arc::clone(trace),
        );
        let outcome = unit(&mut work).await;
        let failed = work.failed.take();
        let prompt = work.check_promptness();
        let Transaction::Postgres(mut lease) = work.transaction else {
            unreachable!("the work was made with a lease");
        };
        let outcome = match (outcome, failed) {
            (Ok(_), Some(failed)) => Err(failed),
            (Ok(value), None) => prompt.map(|()| value),
            (outcome, _) => outcome,
        };
        match outcome {
            Ok(value) => {
                lease.commit().await?;
                self.units.fetch_add(1, Ordering::Relaxed);
                lease.keep();
                Ok(value)
            }
            Err(error) => {
                if lease.control("ROLLBACK").await.is_ok() {
                    lease.keep();
                }
                Err(error)
            }
        }
    }

    pub(crate) fn commit_counts(&self) -> CommitCounts {
        let units = self.units.load(Ordering::Relaxed);
        CommitCounts {
            units,
            commits: units,
        }
    }

    pub(crate) fn durability(&self) -> &str {
        &self.durability
    }

    /// The ports of the URL, and the one the server itself listens on.
    pub(crate) async fn ports(&self) -> Result<Option<(Vec<u16>, u16)>, StoreError> {
        let mut rows = self
            .query(&Statement::new("SELECT inet_server_port()", Vec::new()))
            .await?;
        let port = rows.first_mut().map(Row::maybe_int).transpose()?.flatten();
        let port = port.and_then(|port| u16::try_from(port).ok());
        Ok(port.map(|port| (self.asked.clone(), port)))
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        match self.pool.get().await {
            Ok(object) => Ok(Lease::new(object, self.pool.clone())),
            Err(PoolError::Timeout(_)) => Err(StoreError::Busy),
            Err(PoolError::Backend(error)) => Err(StoreError::Unreachable(outcome::text(&error))),
            Err(error) => Err(StoreError::Unreachable(error.to_string())),
        }
    }

    /// Refuses a server that would lose what it acknowledged.
    pub(crate) async fn check_durability(&self) -> Result<String, OpenError> {
        // Engines that speak PostgreSQL's protocol may not know a setting; then there is none to be off.
        let sql = "SELECT current_setting('fsync', true), current_setting('synchronous_commit', true), \
                   current_setting('full_page_writes', true)";
        let rows = self.query(&Statement::new(sql, Vec::new())).await;
        let mut rows = rows.map_err(|error| match error {
            StoreError::Unreachable(cause) => OpenError::Unreachable(cause),
            error => OpenError::Unreachable(error.to_string()),
        })?;
        let mut text = "PostgreSQL".to_owned();
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let found = rows
                .first_mut()
                .and_then(|row| row.maybe_text().ok().flatten());
            let found = found.as_deref().unwrap_or("unknown");
            if found == "off" {
                return Err(OpenError::NotDurable { setting });
            }
            text.push_str(&format!(", {setting}={found}"));
        }
        Ok(text)
    }
}

/// Short, longer with each run, and uneven so that two units that disturb each other part.
fn pause(runs: u32) -> Duration {
    let most = 1_u64 << runs.min(6);
    let uneven = std::process::id()
        .wrapping_mul(31)
        .wrapping_add(runs.wrapping_mul(7))
        % 5;
    Duration::from_millis(most) + Duration::from_micros(u64::from(uneven) * 300)
}
