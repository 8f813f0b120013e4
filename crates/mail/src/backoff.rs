//! When a mail that was not taken is tried again, and when it is given up.
//!
//! RFC 5321 §4.5.4.1 wants tries for some days; a mail with a one-time link is of no use by then, so it is one day.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Seconds after the first failure, the second, and so on; together a day.
const WAITS: [u64; 9] = [
    10,
    MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    4 * HOUR,
    5 * HOUR,
    6 * HOUR,
    6 * HOUR,
];

/// How long to wait after this attempt (counted from 1) has failed for now; none after the last one.
pub fn next_try(attempt: u32) -> Option<Duration> {
    let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
    WAITS.get(index).copied().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_within_a_day() {
        let waits: Vec<Duration> = (1..).map_while(next_try).collect();
        assert_eq!(waits.len(), 9);
        assert!(waits.is_sorted());
        assert_eq!(waits[0], Duration::from_secs(10));
        let all: Duration = waits.iter().sum();
        assert!((23 * HOUR..=24 * HOUR).contains(&all.as_secs()), "{all:?}");
        assert_eq!(next_try(0), None);
        assert_eq!(next_try(u32::MAX), None);
    }
}
