//! A copy of a database that other processes may be writing: one snapshot, by SQLite's own backup interface.
//!
//! An open reading transaction holds the snapshot, so that writers neither wait nor make the copy start again.
//! Copying the files instead would miss the write-ahead log or tear pages.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::file::{file_error, look};
use crate::OpenError;

/// Pages of 4 KiB between two reports.
const STEP: i32 = 1_024;

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    pub tenants: u64,
    pub users: u64,
}

/// Copies the database of a running or stopped server into an empty file, and checks the copy.
///
/// `progress` hears which share has been copied, from 0 to 1. The copy is left to the caller to sync.
pub fn copy_sqlite(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(f64),
) -> Result<Copied, OpenError> {
    let source = look(from)?;
    // A transaction reads its snapshot from its first statement on.
    source
        .execute_batch("BEGIN; SELECT COUNT(*) FROM sqlite_schema")
        .map_err(|error| file_error(from, &error))?;
    let written = |error: rusqlite::Error| file_error(to, &error);
    let mut copy = Connection::open(to).map_err(written)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(written)?;
        loop {
            let step = backup.step(STEP).map_err(written)?;
            let pages = backup.progress();
            let left = f64::from(pages.remaining) / f64::from(pages.pagecount.max(1));
            progress(1.0 - left);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(file_error(to, &"the file is locked")),
            }
        }
    }
    let found: String = copy
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(written)?;
    if found != "ok" {
        return Err(file_error(
            from,
            &format!("its pages do not fit together: {found}"),
        ));
    }
    let count = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0));
    let count = |sql: &str| {
        count(sql)
            .map(i64::unsigned_abs)
            .map_err(|error| file_error(from, &error))
    };
    Ok(Copied {
        tenants: count("SELECT COUNT(*) FROM tenants")?,
        users: count("SELECT COUNT(*) FROM users")?,
    })
}
