//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use server::Clock;

/// Starts on 2026-01-01 and moves by `advance` alone.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }
}

impl HandClock {
    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("tests move the clock by years at most");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Moves the time backward, as a machine's clock may.
    pub fn fall_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("tests move the clock by years at most");
        self.0.fetch_sub(micros, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        model::from_micros(self.0.load(Ordering::SeqCst))
    }
}
