//! The store: opened once, cloned freely.
//!
//! Of tenants' rows it knows nothing; those are reached through [`Store::tenant`].

use jiff::Timestamp;
use model::TenantId;

use crate::engine::Engine;
use crate::statement::Select;
use crate::trace::StatementTrace;
use crate::{OpenError, StoreError, StoreSettings, TenantStore, Work, tenant_store};

/// An open database.
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Engine,
}

/// How many units of work were kept, in how many commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitCounts {
    pub units: u64,
    pub commits: u64,
}

impl Store {
    /// Opens the database, and refuses one that could lose what it acknowledged. It does not migrate.
    pub async fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let engine = Engine::open(&settings.database).await?;
        Ok(Self { engine })
    }

    /// Opens the database to look at it: on SQLite beside the process that owns it and without ever writing,
    /// on PostgreSQL whatever its durability. Nothing is made.
    pub fn inspect(settings: &StoreSettings) -> Result<Self, OpenError> {
        let engine = Engine::inspect(&settings.database)?;
        Ok(Self { engine })
    }

    /// Refuses a database that could lose what it acknowledged, as [`Self::open`] does, and says what durability
    /// rests on.
    pub async fn check_durability(&self) -> Result<String, OpenError> {
        self.engine.check_durability().await
    }

    /// The ports the database was asked for and the one it says it answers on; where they differ, something stands
    /// between. SQLite and local sockets have none.
    pub async fn ports(&self) -> Result<Option<(Vec<u16>, u16)>, StoreError> {
        self.engine.ports().await
    }

    /// The rows of a tenant; whether there is such a tenant is not looked up.
    pub fn tenant(&self, id: &TenantId) -> TenantStore {
        TenantStore {
            engine: self.engine.clone(),
            tenant: id.clone(),
        }
    }

    /// What an acknowledged write rests on, in words for the log.
    pub fn durability(&self) -> &str {
        self.engine.durability()
    }

    /// The database's clock; SQLite's is this machine's, so it answers none.
    pub async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        match self.engine.clock() {
            Some(select) => self.first(select).await,
            None => Ok(None),
        }
    }

    /// Holds the events of each unit against this clock from now on ([`EVENTS_COMMIT_WITHIN`](crate::EVENTS_COMMIT_WITHIN)).
    pub fn set_clock(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) {
        self.engine.promptness().set_clock(Box::new(clock));
    }

    /// Counts of all statements run so far.
    pub fn statement_trace(&self) -> StatementTrace {
        self.engine.trace().snapshot()
    }

    /// Counts of units and commits so far.
    pub fn commit_counts(&self) -> CommitCounts {
        self.engine.commit_counts()
    }

    pub(crate) async fn first<T>(&self, select: Select<T>) -> Result<Option<T>, StoreError> {
        tenant_store::first(self.engine.query(select.statement).await?, select.read)
    }

    pub(crate) async fn all<T>(&self, select: Select<T>) -> Result<Vec<T>, StoreError> {
        tenant_store::all(self.engine.query(select.statement).await?, select.read)
    }

    /// A unit of work for rows of the whole deployment.
    pub(crate) async fn write<T, F>(&self, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        // No tenant has an empty id.
        self.engine.write(&TenantId::new(""), unit).await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
