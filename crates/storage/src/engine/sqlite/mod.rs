//! SQLite: one file, one thread that writes, a few that read.
//!
//! WAL with `synchronous=FULL`, asserted by reading the settings back; a lock file keeps a second process out.

mod copy;
mod file;
mod queue;
mod reader;
mod run;
mod unit;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use model::TenantId;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::promptness::Promptness;
use crate::statement::{Row, Statement};
use crate::store::CommitCounts;
use crate::trace::Trace;
use crate::{OpenError, StoreError, Work};
pub use copy::{Copied, copy_sqlite};
use file::{connect, file_error, lock, look};
use queue::Queue;
use reader::Reading;
pub(crate) use run::{control, execute, query};
use unit::{Pending, Unit};
use writer::Commits;

/// Reading is a few microseconds of work; more threads only help against reads that miss the page cache.
const READERS: usize = 4;

/// The open file.
pub(crate) struct Sqlite {
    path: PathBuf,
    units: Arc<Queue<Box<dyn Unit>>>,
    readings: Arc<Queue<Reading>>,
    commits: Arc<Commits>,
    threads: Vec<JoinHandle<()>>,
}

impl Sqlite {
    pub(crate) fn open(
        path: &Path,
        trace: Arc<Trace>,
        promptness: Promptness,
    ) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        Self::start(path, (trace, promptness), Some(lock), connect)
    }

    /// Reads beside the process that owns the file; every unit of work fails.
    pub(crate) fn inspect(
        path: &Path,
        trace: Arc<Trace>,
        promptness: Promptness,
    ) -> Result<Self, OpenError> {
        Self::start(path, (trace, promptness), None, look)
    }

    fn start(
        path: &Path,
        (trace, promptness): (Arc<Trace>, Promptness),
        lock: Option<File>,
        connect: fn(&Path) -> Result<Connection, OpenError>,
    ) -> Result<Self, OpenError> {
        let writing = connect(path)?;
        let units = Arc::new(Queue::default());
        let readings = Arc::new(Queue::default());
        let commits = Arc::new(Commits::default());
        let mut threads = Vec::with_capacity(READERS + 1);
        for number in 0..READERS {
            let connection = connect(path)?;
            let readings = Arc::clone(&readings);
            threads.push(start(path, format!("sqlite-reader-{number}"), move || {
                reader::run(&connection, &readings);
            })?);
        }
        let (queue, counts) = (Arc::clone(&units), Arc::clone(&commits));
        threads.push(start(path, "sqlite-writer".to_owned(), move || {
            writer::run(writing, trace, promptness, &queue, &counts);
            // Only now may another process have the file.
            drop(lock);
        })?);
        Ok(Self {
            path: path.to_owned(),
            units,
            readings,
            commits,
            threads,
        })
    }

    pub(crate) async fn query(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.readings.push(Reading { statement, answer });
        answered.await.map_err(|_| ended())?
    }

    pub(crate) async fn write<T, F>(&self, tenant: &TenantId, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send + 'static,
    {
        let (pending, answered) = Pending::new(tenant.clone(), unit);
        self.units.push(Box::new(pending));
        match answered.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(ended()),
        }
    }

    /// Whether the file is in the mode it was opened with; `synchronous` is asserted by each connection that writes.
    pub(crate) async fn check_durability(&self) -> Result<(), OpenError> {
        let failed = |error: StoreError| file_error(&self.path, &error);
        let statement = Statement::new("PRAGMA journal_mode", Vec::new());
        let mut rows = self.query(statement).await.map_err(failed)?;
        let found = rows
            .first_mut()
            .map(Row::text)
            .transpose()
            .map_err(failed)?;
        let found = found.unwrap_or_default();
        if found == "wal" {
            return Ok(());
        }
        Err(OpenError::SqliteSetting {
            path: self.path.display().to_string(),
            setting: "journal_mode",
            found,
        })
    }

    pub(crate) fn commit_counts(&self) -> CommitCounts {
        CommitCounts {
            units: self.commits.units.load(Ordering::Relaxed),
            commits: self.commits.commits.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Sqlite {
    /// Ends the threads after what is queued, so that the file is free when the last handle is gone.
    fn drop(&mut self) {
        self.units.close();
        self.readings.close();
        for thread in self.threads.drain(..) {
            // The last handle may be one that a unit held, and the writer cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                // A thread that panicked has already told it to those who waited for it.
                let _ = thread.join();
            }
        }
    }
}

fn ended() -> StoreError {
    StoreError::Unreachable("the store's thread has ended".to_owned())
}

fn start(
    path: &Path,
    name: String,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name)
        .spawn(run)
        .map_err(|error| file_error(path, &error))
}
