//! What PostgreSQL's errors mean for a unit of work.
//!
//! Source: PostgreSQL's appendix of error codes. 40001 and 40P01 ask for another run; class 08, 57P01 to 57P05 and 53300
//! mean that there is no connection; 25006 that the server only reads.

use std::error::Error as _;

use tokio_postgres::Error;

use crate::StoreError;

/// What becomes of the pool besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    ReadOnly,
    Other,
}

/// An error of a statement before the commit: nothing was written.
pub(super) fn of_statement(error: &Error) -> (Fate, StoreError) {
    let Some(code) = error.code() else {
        // Without a code the trouble is on this side: a lost connection, or a value that does not fit its column.
        let connection = error.is_closed()
            || error
                .source()
                .is_some_and(|source| source.is::<std::io::Error>());
        let meaning = if connection {
            StoreError::Unreachable
        } else {
            StoreError::Refused
        };
        return (Fate::Other, meaning(text(error)));
    };
    match code.code() {
        "40001" | "40P01" => (Fate::Other, StoreError::Rerun),
        "25006" => (Fate::ReadOnly, StoreError::Unreachable(text(error))),
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" => {
            (Fate::Other, StoreError::Unreachable(text(error)))
        }
        code if code.starts_with("08") => (Fate::Other, StoreError::Unreachable(text(error))),
        _ => (Fate::Other, StoreError::Refused(text(error))),
    }
}

/// An error of the commit itself: unless the server says that it rolled back, nobody knows.
pub(super) fn of_commit(error: &Error) -> StoreError {
    match error.code().map(tokio_postgres::error::SqlState::code) {
        Some("40001" | "40P01") => StoreError::Rerun,
        // A constraint that is checked at the end.
        Some(code) if code.starts_with("23") => StoreError::Refused(text(error)),
        _ => StoreError::Unknown(text(error)),
    }
}

/// Code and message; details are left out, because they quote rows.
pub(super) fn text(error: &Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} {}", answer.code().code(), answer.message()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
