//! Arithmetic on instants in whole microseconds, as the database keeps them; it saturates and never panics.

use std::time::Duration;

use jiff::Timestamp;

/// The instant cut to whole microseconds, so that a row is the same before and after it was stored.
pub(crate) fn whole(instant: Timestamp) -> Timestamp {
    at(instant.as_microsecond())
}

/// The instant `micros` later.
pub(crate) fn after(instant: Timestamp, micros: i64) -> Timestamp {
    at(instant.as_microsecond().saturating_add(micros))
}

/// Microseconds from one instant to a later one; 0 where it is not later.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> i64 {
    to.as_microsecond()
        .saturating_sub(from.as_microsecond())
        .max(0)
}

/// A span as microseconds, at least one.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX).max(1)
}

fn at(micros: i64) -> Timestamp {
    let end = if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_saturates_at_both_ends_of_time() {
        assert_eq!(after(Timestamp::MAX, i64::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::MIN, i64::MIN), Timestamp::MIN);
        assert_eq!(elapsed(Timestamp::MAX, Timestamp::MIN), 0);
        assert!(elapsed(Timestamp::MIN, Timestamp::MAX) > 0);
    }

    #[test]
    fn a_span_is_never_nothing_and_never_too_long() {
        assert_eq!(micros(Duration::ZERO), 1);
        assert_eq!(micros(Duration::from_millis(864_000)), 864_000_000);
        assert_eq!(micros(Duration::MAX), i64::MAX);
    }

    #[test]
    fn nanoseconds_are_cut() {
        let instant = Timestamp::from_nanosecond(1_999).unwrap();
        assert_eq!(whole(instant), Timestamp::from_microsecond(1).unwrap());
    }
}
