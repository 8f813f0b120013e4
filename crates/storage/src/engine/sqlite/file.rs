//! The database's file: kept from other processes, opened with settings that are read back.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// Takes the lock that keeps other processes from the file.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
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

pub(super) fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path).map_err(|error| file_error(path, &error))?;
    connection.set_prepared_statement_cache_capacity(256);
    // Otherwise a statement whose plan could use a partial index is planned anew for each set of arguments.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| file_error(path, &error))?;
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

/// Opens the file for reading beside whoever owns it.
pub(super) fn look(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| file_error(path, &error))?;
    connection
        .execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; PRAGMA schema_version;",
        )
        .map_err(|error| file_error(path, &error))?;
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

pub(super) fn file_error(path: &Path, error: &dyn std::fmt::Display) -> OpenError {
    OpenError::File {
        path: path.display().to_string(),
        cause: error.to_string(),
    }
}
