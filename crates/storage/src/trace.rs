//! Counts of the statements a store has run, by their text, from the first look on.
//!
//! Tests compare them to show that two requests did the same work; values of rows are not part of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often each statement ran, and how many rows it wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementTrace(BTreeMap<String, Tally>);

/// The count of one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub runs: u64,
    pub rows_written: u64,
}

impl StatementTrace {
    /// What ran between an earlier trace and this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let ran = self.0.iter().filter_map(|(text, now)| {
            let before = earlier.0.get(text).copied().unwrap_or_default();
            (*now != before).then(|| {
                let tally = Tally {
                    runs: now.runs - before.runs,
                    rows_written: now.rows_written - before.rows_written,
                };
                (text.clone(), tally)
            })
        });
        Self(ran.collect())
    }

    /// The statements and their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Tally)> {
        self.0.iter().map(|(text, tally)| (text.as_str(), *tally))
    }
}

/// Where a store counts, from the first time that somebody looks.
#[derive(Default)]
pub(crate) struct Trace {
    is_read: AtomicBool,
    counted: Mutex<StatementTrace>,
}

impl Trace {
    pub(crate) fn count(&self, text: &str, rows_written: u64) {
        if !self.is_read.load(Ordering::Relaxed) {
            return;
        }
        let mut trace = self.counted();
        let tally = match trace.0.get_mut(text) {
            Some(tally) => tally,
            None => trace.0.entry(text.to_owned()).or_default(),
        };
        tally.runs += 1;
        tally.rows_written += rows_written;
    }

    pub(crate) fn snapshot(&self) -> StatementTrace {
        self.is_read.store(true, Ordering::Relaxed);
        self.counted().clone()
    }

    fn counted(&self) -> MutexGuard<'_, StatementTrace> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
