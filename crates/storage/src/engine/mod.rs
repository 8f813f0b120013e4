//! The two engines: the only place that knows which one is in use.
//!
//! Statements, units of work and guards are the same for both; what differs is how a unit gets its transaction
//! (SQLite: one thread that runs many units in one commit; PostgreSQL: a connection each) and how rows are locked.

mod dialect;
mod postgres;
mod sqlite;

use std::sync::Arc;

use jiff::Timestamp;
use model::TenantId;

use crate::migrations::Migration;
use crate::promptness::Promptness;
use crate::statement::{Row, Select, Statement};
use crate::store::CommitCounts;
use crate::trace::Trace;
use crate::{Database, OpenError, StoreError, Work};
pub(crate) use dialect::Dialect;
pub use sqlite::{Copied, copy_sqlite};

/// An open database.
#[derive(Clone)]
pub(crate) struct Engine {
    kind: Kind,
    trace: Arc<Trace>,
    promptness: Promptness,
}

#[derive(Clone)]
enum Kind {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

/// How often a unit is run before it is given up. Rows are locked where the engine can, so a second run rarely moves.
const RUNS: u32 = 10;

impl Engine {
    pub(crate) async fn open(database: &Database) -> Result<Self, OpenError> {
        let trace = Arc::new(Trace::default());
        let promptness = Promptness::default();
        let kind = match database {
            Database::Sqlite { path } => {
                let opened = sqlite::Sqlite::open(path, Arc::clone(&trace), promptness.clone())?;
                Kind::Sqlite(Arc::new(opened))
            }
            Database::Postgres {
                url,
                pooler,
                max_connections,
            } => Kind::Postgres(Arc::new(
                postgres::Postgres::open(url, *pooler, *max_connections).await?,
            )),
        };
        Ok(Self {
            kind,
            trace,
            promptness,
        })
    }

    /// Opens it for looking: on SQLite without the lock and without writing, on PostgreSQL whatever its durability.
    pub(crate) fn inspect(database: &Database) -> Result<Self, OpenError> {
        let trace = Arc::new(Trace::default());
        let promptness = Promptness::default();
        let kind = match database {
            Database::Sqlite { path } => {
                let opened = sqlite::Sqlite::inspect(path, Arc::clone(&trace), promptness.clone())?;
                Kind::Sqlite(Arc::new(opened))
            }
            Database::Postgres {
                url,
                pooler,
                max_connections,
            } => Kind::Postgres(Arc::new(postgres::Postgres::connect(
                url,
                *pooler,
                *max_connections,
            )?)),
        };
        Ok(Self {
            kind,
            trace,
            promptness,
        })
    }

    /// Refuses a database that could lose what it acknowledged, and says what durability rests on.
    pub(crate) async fn check_durability(&self) -> Result<String, OpenError> {
        match &self.kind {
            Kind::Sqlite(sqlite) => {
                sqlite.check_durability().await?;
                Ok(self.durability().to_owned())
            }
            Kind::Postgres(postgres) => postgres.check_durability().await,
        }
    }

    /// The ports the database was asked for and the one it says it answers on, where it is reached by a network.
    pub(crate) async fn ports(&self) -> Result<Option<(Vec<u16>, u16)>, StoreError> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(None),
            Kind::Postgres(postgres) => postgres.ports().await,
        }
    }

    /// Runs a reading statement by itself.
    pub(crate) async fn query(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.trace.count(&statement.sql, 0);
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.query(statement).await,
            Kind::Postgres(postgres) => postgres.query(&statement).await,
        }
    }

    /// Runs a unit of work and answers once it is durable.
    pub(crate) async fn write<T, F>(&self, tenant: &TenantId, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.write(tenant, unit).await,
            Kind::Postgres(postgres) => {
                let trace = Arc::clone(&self.trace);
                postgres
                    .write(tenant, &trace, &self.promptness, &unit)
                    .await
            }
        }
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn promptness(&self) -> &Promptness {
        &self.promptness
    }

    pub(crate) fn commit_counts(&self) -> CommitCounts {
        match &self.kind {
            Kind::Sqlite(sqlite) => sqlite.commit_counts(),
            Kind::Postgres(postgres) => postgres.commit_counts(),
        }
    }

    /// What an acknowledged write rests on, for the log.
    pub(crate) fn durability(&self) -> &str {
        match &self.kind {
            Kind::Sqlite(_) => "SQLite, journal_mode=WAL, synchronous=FULL",
            Kind::Postgres(postgres) => postgres.durability(),
        }
    }

    /// The database's clock, where it has one of its own.
    pub(crate) fn clock(&self) -> Option<Select<Timestamp>> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres(_) => Some(Select::new(
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
                Vec::new(),
                Row::time,
            )),
        }
    }

    /// How conditions on text are spelled.
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.kind {
            Kind::Sqlite(_) => Dialect::Sqlite,
            Kind::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) fn migrations(&self) -> &'static [Migration] {
        match &self.kind {
            Kind::Sqlite(_) => crate::migrations::SQLITE,
            Kind::Postgres(_) => crate::migrations::POSTGRES,
        }
    }

    /// Whether a table exists.
    pub(crate) fn table_exists(&self, table: &'static str) -> Select<i64> {
        let sql = match &self.kind {
            Kind::Sqlite(_) => {
                "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1"
            }
            Kind::Postgres(_) => {
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
        };
        Select::new(sql, crate::statement::arguments![table], Row::int)
    }
}

/// An open transaction.
pub(crate) enum Transaction {
    Sqlite(rusqlite::Connection),
    Postgres(postgres::Lease),
}

impl Transaction {
    pub(crate) async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, statement),
            Self::Postgres(lease) => lease.query(statement).await,
        }
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, statement),
            Self::Postgres(lease) => lease.execute(statement).await,
        }
    }

    /// Runs a statement without arguments that changes the schema.
    pub(crate) async fn define(&mut self, ddl: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::control(connection, ddl),
            Self::Postgres(lease) => lease.control(ddl).await,
        }
    }

    /// SQLite has one writer, so its rows never move under a unit.
    pub(crate) fn lock(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE",
        }
    }
}
