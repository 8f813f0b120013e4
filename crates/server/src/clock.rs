//! The time as a value: read once when a request arrives and once more after a wait.
//!
//! Waiting itself uses real time (`tokio::time`), so that a stopped test clock cannot hang a request.

use jiff::Timestamp;

/// Tells the time of day. Tests put their own in place.
pub trait Clock: Send + Sync + 'static {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::try_from(std::time::SystemTime::now())
            .expect("the machine's clock stands within the calendar")
    }
}
