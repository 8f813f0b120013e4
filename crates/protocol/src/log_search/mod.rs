//! The query of a log search: a subset of Lucene's syntax becomes an [`EventFilter`], or a complaint that names the remedy.
//!
//! Wire: auth0-wire-facts §6.4 and the vendor's page on the syntax: a value is compared whole, words without a field are
//! looked for in seven fields, dates are filled up with zeros. Where that page is silent, Lucene's own rule holds: words
//! side by side are alternatives, `+` makes one necessary and `-` forbids it.
//! Other than in Lucene, AND binds closer than OR: Lucene's own reading of a mix of both surprises everybody.

mod dates;
mod fault;
mod fields;
mod parser;
mod word;

use model::EventFilter;

pub use fault::LogSearchFault;
pub use fields::{LOG_SEARCH_BARE_FIELDS, log_search_fields};

/// Longer queries are refused, in bytes.
const LONGEST: usize = 2_048;
/// How many parentheses may be open at once.
const DEEPEST: usize = 10;
/// How many conditions a query may have. A word without a field is one, though it asks seven fields.
const MOST_CONDITIONS: usize = 50;

/// Reads a query; an empty one asks for every event.
pub fn log_search(text: &str) -> Result<EventFilter, LogSearchFault> {
    if text.len() > LONGEST {
        return Err(LogSearchFault::TooLong { most: LONGEST });
    }
    parser::read(text)
}

#[cfg(test)]
mod tests;
