//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use server::Clock;

/// Starts on 2026-01-01 and moves as a test says.
#[derive(Debug)]
pub struct HandClock {
    micros: AtomicI64,
    jumps: Mutex<Jumps>,
}

/// What time passes between readings, where something is slow.
#[derive(Clone, Copy, Debug)]
enum Jumps {
    None,
    /// Before one reading, after so many others.
    Once {
        after: u32,
        by: Duration,
    },
    /// Before each reading.
    Always {
        by: Duration,
    },
}

impl Default for HandClock {
    fn default() -> Self {
        Self {
            micros: AtomicI64::new(1_767_225_600_000_000),
            jumps: Mutex::new(Jumps::None),
        }
    }
}

impl HandClock {
    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("tests move the clock by years at most");
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }

    /// Lets so much time pass before one reading from now on, after so many others.
    pub fn jump_once(&self, after: u32, by: Duration) {
        self.set_jumps(Jumps::Once { after, by });
    }

    /// Lets so much time pass before each reading from now on.
    pub fn jump_always(&self, by: Duration) {
        self.set_jumps(Jumps::Always { by });
    }

    /// Stands again; whether it would have jumped once more.
    pub fn stand(&self) -> bool {
        !matches!(self.set_jumps(Jumps::None), Jumps::None)
    }

    fn set_jumps(&self, jumps: Jumps) -> Jumps {
        let mut held = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, jumps)
    }

    fn jump(&self) {
        let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
        match *jumps {
            Jumps::None => {}
            Jumps::Once { after: 0, by } => {
                *jumps = Jumps::None;
                self.advance(by);
            }
            Jumps::Once { after, by } => {
                *jumps = Jumps::Once {
                    after: after - 1,
                    by,
                };
            }
            Jumps::Always { by } => self.advance(by),
        }
    }

    /// Moves the time backward, as a machine's clock may.
    pub fn fall_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("tests move the clock by years at most");
        self.micros.fetch_sub(micros, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.jump();
        model::from_micros(self.micros.load(Ordering::SeqCst))
    }
}
