//! SQLite: one file, one thread that writes, a few that read.
//!
//! WAL with `synchronous=FULL`, asserted by reading the settings back; a lock file keeps a second process out.

mod queue;
mod reader;
mod unit;
mod writer;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use model::TenantId;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::oneshot;

use crate::statement::{Row, Statement, Value};
use crate::store::CommitCounts;
use crate::trace::Trace;
use crate::{OpenError, StoreError, Work};
use queue::Queue;
use reader::Reading;
use unit::{Pending, Unit};
use writer::Commits;

/// Reading is a few microseconds of work; more threads only help against reads that miss the page cache.
const READERS: usize = 4;

/// The open file.
pub(crate) struct Sqlite {
    units: Arc<Queue<Box<dyn Unit>>>,
    readings: Arc<Queue<Reading>>,
    commits: Arc<Commits>,
    threads: Vec<JoinHandle<()>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, trace: Arc<Trace>) -> Result<Self, OpenError> {
        let lock = lock(path)?;
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
            writer::run(writing, &trace, &queue, &counts);
            // Only now may another process have the file.
            drop(lock);
        })?);
        Ok(Self {
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

/// Runs a statement without arguments.
pub(crate) fn control(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .execute_batch(sql)
        .map_err(|error| refused(&error))
}

pub(crate) fn query(
    connection: &Connection,
    statement: &Statement,
) -> Result<Vec<Row>, StoreError> {
    let rows = || {
        let mut prepared = connection.prepare_cached(&numbered(statement))?;
        let columns = prepared.column_count();
        let mut found = prepared.query(rusqlite::params_from_iter(&statement.arguments))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
            rows.push(Row::new(cells.collect::<Result<_, _>>()?));
        }
        Ok(rows)
    };
    rows().map_err(|error: rusqlite::Error| refused(&error))
}

pub(crate) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, StoreError> {
    let written = || {
        let mut prepared = connection.prepare_cached(&numbered(statement))?;
        prepared.execute(rusqlite::params_from_iter(&statement.arguments))
    };
    match written() {
        Ok(rows) => Ok(rows as u64),
        Err(error) => Err(refused(&error)),
    }
}

/// SQLite takes `$1` for a name, and numbers names by their first use; `?1` is a number.
fn numbered(statement: &Statement) -> String {
    statement.sql.replace('$', "?")
}

fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Int(None),
        ValueRef::Integer(int) => Value::Int(Some(int)),
        ValueRef::Text(text) => Value::Text(Some(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Value::Bytes(Some(bytes.to_vec())),
        // No column is a fraction; a reader that meets one finds the wrong type.
        ValueRef::Real(_) => Value::Bytes(Some(Vec::new())),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(Some(int)) => ValueRef::Integer(*int),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Text(None) | Self::Int(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

fn refused(error: &rusqlite::Error) -> StoreError {
    StoreError::Refused(error.to_string())
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

/// Takes the lock that keeps other processes from the file.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| file_error(&lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(file_error(&lock_path, &error)),
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path).map_err(|error| file_error(path, &error))?;
    connection.set_prepared_statement_cache_capacity(256);
    let settings = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; \
                    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;";
    connection
        .execute_batch(settings)
        .map_err(|error| file_error(path, &error))?;
    assert_setting(&connection, path, "journal_mode", "wal")?;
    assert_setting(&connection, path, "synchronous", "2")?;
    assert_setting(&connection, path, "foreign_keys", "0")?;
    Ok(connection)
}

/// Some file systems take a setting without an error and do not keep it.
fn assert_setting(
    connection: &Connection,
    path: &Path,
    setting: &'static str,
    expected: &str,
) -> Result<(), OpenError> {
    let found = connection
        .pragma_query_value(None, setting, |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(int) => int.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            })
        })
        .map_err(|error| file_error(path, &error))?;
    if found == expected {
        return Ok(());
    }
    Err(OpenError::SqliteSetting {
        path: path.display().to_string(),
        setting,
        found,
    })
}

fn file_error(path: &Path, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::File {
        path: path.display().to_string(),
        cause: error.to_string(),
    }
}
