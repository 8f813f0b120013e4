//! How opening a store and using it can fail.
//!
//! Texts never carry values of rows: engines quote them in details, so only codes and messages are taken over.

/// Why a store could not be used. A refusal by a guard (taken, moved, missing) is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row moved under the unit of work, which will be run again; units answer it, callers of a store never see it.
    #[error("a row moved under the unit of work")]
    Rerun,
    /// Rows moved under the unit in every one of its runs; nothing was written.
    #[error("rows moved under the unit of work in each of its runs")]
    Contended,
    /// No connection came free in time; nothing was written.
    #[error("no connection to the database came free in time")]
    Busy,
    /// The database cannot be reached, or only reads at the moment; nothing was written.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The answer to the commit was lost, or said less than that it is durable: it may hold or not.
    #[error("whether the unit of work was committed is unknown: {0}")]
    Unknown(String),
    /// The unit took so long that readers may have passed the time of its events; nothing was written.
    #[error("the unit of work took too long for its events to be committed")]
    TooLate,
    /// The database refused a statement; nothing was written.
    #[error("the database refused a statement: {0}")]
    Refused(String),
    /// A row holds what this version cannot understand.
    #[error("a stored row cannot be understood: {0}")]
    Unreadable(String),
}

/// Why a store could not be opened; each text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process has the file.
    #[error(
        "{path} is in use by another process; stop that process, or use PostgreSQL where several must run"
    )]
    InUse { path: String },
    /// The file cannot be opened.
    #[error("{path} cannot be opened: {cause}; check the data directory and its permissions")]
    File { path: String, cause: String },
    /// SQLite did not take a setting on which durability rests.
    #[error(
        "{path}: SQLite answers {setting} = {found}; move the data directory to a local file system"
    )]
    SqliteSetting {
        path: String,
        setting: &'static str,
        found: String,
    },
    /// The URL is no PostgreSQL URL.
    #[error(
        "the database URL cannot be read: {0}; write postgresql://USER:PASSWORD@HOST:5432/NAME"
    )]
    Url(String),
    /// The server does not answer.
    #[error("PostgreSQL cannot be reached: {0}; check the URL, the server and its pg_hba.conf")]
    Unreachable(String),
    /// The server would lose what it acknowledged.
    #[error(
        "PostgreSQL runs with {setting} = off, so an acknowledged login attempt could be lost; \
         turn {setting} on and start again"
    )]
    NotDurable { setting: &'static str },
}
