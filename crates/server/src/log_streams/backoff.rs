//! When a stream whose receiver failed is tried again, and when it is suspended.
//!
//! A receiver that is down costs one small request in five minutes, so it may be down for a whole weekend.

use std::time::Duration;

use jiff::Timestamp;

/// The wait doubles from a second up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A receiver's own wish (Retry-After) counts up to this.
const LONGEST_WISH: Duration = Duration::from_secs(3_600);
/// A receiver that failed for so long without a success is given up.
const PATIENCE: Duration = Duration::from_secs(72 * 3_600);

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    TryAt(Timestamp),
    Suspend,
}

/// What follows the failure number `failures` (from 1) of a receiver that has failed since then.
pub(super) fn after(
    failures: u32,
    failing_since: Timestamp,
    now: Timestamp,
    wish: Option<Duration>,
) -> Next {
    let lasting = Duration::try_from(now.duration_since(failing_since)).unwrap_or_default();
    if lasting >= PATIENCE {
        return Next::Suspend;
    }
    let doubled = 1_u64 << failures.saturating_sub(1).min(16);
    let wait = Duration::from_secs(doubled).min(LONGEST_WAIT);
    Next::TryAt(now + wait.max(wish.unwrap_or_default().min(LONGEST_WISH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + seconds).unwrap()
    }

    fn wait(failures: u32, wish: Option<u64>) -> Duration {
        let next = after(failures, at(0), at(0), wish.map(Duration::from_secs));
        let Next::TryAt(then) = next else {
            panic!("suspended at once");
        };
        Duration::try_from(then.duration_since(at(0))).unwrap()
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let waits: Vec<u64> = (1..=10)
            .map(|failures| wait(failures, None).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(wait(u32::MAX, None), LONGEST_WAIT);
        assert_eq!(wait(0, None), SECOND);
    }

    #[test]
    fn a_receivers_wish_lengthens_the_wait_within_an_hour_and_never_shortens_it() {
        assert_eq!(wait(1, Some(90)).as_secs(), 90);
        assert_eq!(wait(9, Some(1)).as_secs(), 256);
        assert_eq!(wait(1, Some(u64::MAX)), LONGEST_WISH);
    }

    #[test]
    fn three_days_of_failures_are_enough() {
        let last = i64::try_from(PATIENCE.as_secs()).unwrap();
        assert!(matches!(
            after(900, at(0), at(last - 1), None),
            Next::TryAt(_)
        ));
        assert_eq!(after(900, at(0), at(last), None), Next::Suspend);
        assert!(
            matches!(after(1, at(5), at(0), None), Next::TryAt(_)),
            "a clock that fell back"
        );
    }
}
