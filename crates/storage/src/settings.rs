//! Which database a store is opened on.

use std::fmt;
use std::path::PathBuf;

/// What a store needs to know.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    pub database: Database,
}

/// The engines.
#[derive(Clone)]
pub enum Database {
    /// One file, for one process.
    Sqlite { path: PathBuf },
    Postgres {
        /// `postgresql://USER:PASSWORD@HOST:PORT/NAME`; several hosts may be listed.
        url: String,
        /// Whether a pooler such as PgBouncer in transaction mode stands between: then no statement is named.
        pooler: bool,
        max_connections: usize,
    },
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            // The URL carries a password.
            Self::Postgres {
                pooler,
                max_connections,
                ..
            } => f
                .debug_struct("Postgres")
                .field("pooler", pooler)
                .field("max_connections", max_connections)
                .finish_non_exhaustive(),
        }
    }
}
