//! Events commit soon after their time, or not at all.
//!
//! Readers by checkpoint go up to [`CHECKPOINT_DELAY`](crate::CHECKPOINT_DELAY) before now and never look back. So at the end
//! of each unit its oldest event is held against the clock, and a unit that took too long is undone: its caller fails, and
//! no reader misses an event. What is left of the delay is for the commit itself and for clocks that differ.
//! Without a clock nothing is held against anything: a database may be filled with what happened long ago.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::StoreError;

/// How old an event may be when its unit ends.
pub const EVENTS_COMMIT_WITHIN: Duration = Duration::from_secs(3);

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of a store, once it has one.
#[derive(Clone, Default)]
pub(crate) struct Promptness(Arc<OnceLock<Clock>>);

impl Promptness {
    pub(crate) fn set_clock(&self, clock: Clock) {
        // A store that is opened once is given its clock once.
        let _ = self.0.set(clock);
    }

    /// Whether a unit with this oldest event may still be committed.
    pub(crate) fn check(&self, oldest: Option<Timestamp>) -> Result<(), StoreError> {
        let (Some(oldest), Some(clock)) = (oldest, self.0.get()) else {
            return Ok(());
        };
        let age = clock().duration_since(oldest);
        if age > jiff::SignedDuration::try_from(EVENTS_COMMIT_WITHIN).unwrap_or_default() {
            return Err(StoreError::TooLate);
        }
        Ok(())
    }
}
