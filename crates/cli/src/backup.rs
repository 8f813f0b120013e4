//! `portcullis backup FILE`: a consistent copy of the SQLite database, beside a running server or without one.
//!
//! Written under another name, synced and only then given its own, so that a file with that name is a whole backup.
//! It never overwrites. PostgreSQL has better means of its own; the command names them. See `docs/operate/backup.md`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use server::{Clock, SystemClock};

use crate::arguments::Database;
use crate::settings::{self, Settings};
use crate::{Failure, data_dir};

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; it must not exist.
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// Databases below this size are copied in a moment; progress would only be noise.
const LARGE: u64 = 64 << 20;

/// Writes the backup and says what it holds and lacks.
pub(crate) fn run(options: &Backup) -> Result<(), Failure> {
    let settings = settings::load(&options.database)?;
    let target = &options.file;
    if settings.database.url.is_some() {
        return Err(Failure::new(format!(
            "the database is PostgreSQL, which makes its own backups: \
             pg_dump --format=custom --file={} \"$PORTCULLIS_DATABASE__URL\" for this database, \
             or pg_basebackup --pgdata=DIRECTORY --wal-method=stream --checkpoint=fast for the whole server; \
             keep the root key ({}) apart from it",
            target.display(),
            root_key(&settings),
        )));
    }
    if target.symlink_metadata().is_ok() {
        return Err(Failure::new(format!(
            "{} exists and is left as it is; name another file",
            target.display()
        )));
    }
    let source = data_dir::database(&settings.server.data_dir);
    let size = source.metadata().map_err(|error| {
        Failure::new(format!(
            "{} cannot be read: {error}; name the data directory with --data-dir",
            source.display()
        ))
    })?;
    let taken_at = SystemClock.now();
    let (copied, bytes) = write(&source, target, size.len() >= LARGE)?;
    println!(
        "{}: {bytes} bytes, checked, as of {taken_at:.0}",
        target.display()
    );
    println!(
        "It holds tenants ({}), users ({}), applications, APIs, settings, log events, blocks and counted failures;\n\
         passwords as hashes, client secrets and signing keys sealed under the root key.",
        copied.tenants, copied.users
    );
    println!(
        "It lacks the root key ({}): without that key nobody can log in from this backup, \
         and with it everything sealed can be read. Keep the two in different places.",
        root_key(&settings)
    );
    println!("It lacks the settings, and certificates with their keys.");
    println!("How to restore, and what that gives back to attackers: docs/operate/restore.md");
    Ok(())
}

/// Copies under a temporary name and renames; a failure leaves nothing behind.
fn write(source: &Path, target: &Path, tell: bool) -> Result<(storage::Copied, u64), Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        Failure::new(format!("{} cannot be written: {error}", target.display()))
    };
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Only its owner can read it: it holds password hashes.
    let file = tempfile::Builder::new()
        .prefix(".portcullis-backup-")
        .tempfile_in(directory)
        .map_err(|error| refused(&error))?;
    let mut told = 0;
    let copied = storage::copy_sqlite(source, file.path(), |share| {
        let tenth = (share * 10.0) as u32;
        if tell && tenth > told {
            told = tenth;
            // Nothing depends on whether anybody reads it.
            let _ = writeln!(io::stderr(), "{tenth}0 % copied");
        }
    })?;
    let bytes = file.as_file().metadata()?.len();
    let synced = file.as_file().sync_all();
    synced.map_err(|error| refused(&error))?;
    file.persist_noclobber(target)
        .map_err(|error| refused(&error.error))?;
    // The name is durable once its directory is.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| refused(&error))?;
    Ok((copied, bytes))
}

/// Where the root key is, in words.
fn root_key(settings: &Settings) -> String {
    match data_dir::root_key_file(settings) {
        Some(file) => file.display().to_string(),
        None => "server.root_key".to_owned(),
    }
}
