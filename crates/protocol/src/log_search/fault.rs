//! What is wrong with a log search, in words for whoever wrote it.

use model::is_visible;

use super::fields::log_search_fields;

/// Why a query is not understood; each text names what is meant and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogSearchFault {
    #[error("the query is longer than {most} bytes; ask for less at once")]
    TooLong { most: usize },
    #[error("more than {most} parentheses are open at once; use fewer")]
    TooDeep { most: usize },
    #[error("the query has more than {most} conditions; ask for less at once")]
    TooManyConditions { most: usize },
    #[error("there is no field {name}; the fields are {}", log_search_fields().join(", "))]
    UnknownField { name: String },
    #[error("{what} is not supported, found at {at}; {remedy}")]
    Unsupported {
        what: &'static str,
        at: String,
        remedy: &'static str,
    },
    #[error("{operator} needs a condition {side} it")]
    NothingBeside {
        operator: &'static str,
        side: &'static str,
    },
    #[error("{what} is missing after {after}")]
    Missing { what: &'static str, after: String },
    #[error("{what} is opened and not closed")]
    NotClosed { what: &'static str },
    #[error("{at} closes what nobody opened; write \\{at} for the character itself")]
    NotOpened { at: char },
    #[error("{at} is not expected inside a word; put the value in quotation marks")]
    Unexpected { at: char },
    #[error(
        "{text} is no date; write 2026, 2026-01, 2026-01-31, 2026-01-31T12:00 or 2026-01-31T12:00:00.000Z"
    )]
    NoDate { text: String },
    #[error(
        "a range is written FIELD:[FROM TO UPTO], with curly brackets where an end is not included"
    )]
    NoRange,
}

/// What stands somewhere, short enough for a message and without what is not seen.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let mut seen = text.chars().filter(|character| is_visible(*character));
    let mut shown: String = seen.by_ref().take(MOST).collect();
    if seen.next().is_some() {
        shown.push('…');
    }
    shown
}
