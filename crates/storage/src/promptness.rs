//! Events commit soon after their time, or not at all.
//!
//! Readers by checkpoint go up to [`CHECKPOINT_DELAY`](crate::CHECKPOINT_DELAY) before now and never look back. So at the end
//! of each unit its oldest event is held against the clock, and a unit that took too long is undone: no reader misses an
//! event. What is left of the delay is for the commit itself and for clocks that differ.
//! A slow store alone makes nobody fail: events that have waited are dated anew as they are written, and a unit that was
//! undone is run again.
//! Without a clock nothing is held against anything: a database may be filled with what happened long ago.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::StoreError;

/// How old an event may be when its unit ends.
pub const EVENTS_COMMIT_WITHIN: Duration = Duration::from_secs(3);
/// A shared transaction whose oldest event is older takes no more units. What is left is for the unit that ran last.
const SHARED_WITHIN: SignedDuration = SignedDuration::from_millis(1_500);
/// Events that are older when they are written are dated anew, which leaves a shared transaction some time.
const DATED_WITHIN: SignedDuration = SignedDuration::from_secs(1);

/// How often a unit that takes too long is run before it is given up.
pub(crate) const LATE_RUNS: u32 = 3;

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of a store, once it has one.
#[derive(Clone, Default)]
pub(crate) struct Promptness(Arc<OnceLock<Clock>>);

impl Promptness {
    pub(crate) fn set_clock(&self, clock: Clock) {
        // A store that is opened once is given its clock once.
        let _ = self.0.set(clock);
    }

    /// The time that events are given instead of theirs, if the oldest of them has waited for long.
    pub(crate) fn instead_of(&self, oldest: Timestamp) -> Option<Timestamp> {
        let now = self.now()?;
        (now.duration_since(oldest) > DATED_WITHIN).then_some(now)
    }

    /// Whether the units that wrote this oldest event are better committed before another one runs.
    pub(crate) fn presses(&self, oldest: Option<Timestamp>) -> bool {
        self.age(oldest).is_some_and(|age| age > SHARED_WITHIN)
    }

    /// Whether a unit with this oldest event may still be committed.
    pub(crate) fn check(&self, oldest: Option<Timestamp>) -> Result<(), StoreError> {
        let within = SignedDuration::try_from(EVENTS_COMMIT_WITHIN).unwrap_or_default();
        match self.age(oldest) {
            Some(age) if age > within => Err(StoreError::TooLate),
            _ => Ok(()),
        }
    }

    fn age(&self, event: Option<Timestamp>) -> Option<SignedDuration> {
        let event = event?;
        Some(self.now()?.duration_since(event))
    }

    fn now(&self) -> Option<Timestamp> {
        self.0.get().map(|clock| clock())
    }
}
