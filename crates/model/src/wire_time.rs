//! Times as the wire and the database write them.
//!
//! The wire has ISO-8601 in UTC with milliseconds; the database has microseconds since 1970 in a BIGINT.

use jiff::Timestamp;

/// `2026-08-13T13:25:20.790Z`.
pub fn wire_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Microseconds since 1970, for the database.
pub fn to_micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The time a database value stands for; values outside the calendar saturate.
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_z() {
        assert_eq!(
            wire_time(from_micros(1_786_627_520_790_123)),
            "2026-08-13T13:25:20.790Z"
        );
    }
}
