//! Days of UTC as numbers from 1970-01-01 on, as figures of a day are kept.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day of a moment.
pub(crate) fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// When a day begins.
pub(crate) fn start_of(day: i64) -> Timestamp {
    Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The date of a day.
pub(crate) fn date_of(day: i64) -> Date {
    start_of(day).to_zoned(TimeZone::UTC).date()
}

/// The day of a date.
pub(crate) fn day_on(date: Date) -> i64 {
    let start = date.to_zoned(TimeZone::UTC);
    start.map_or(0, |start| day_of(start.timestamp()))
}
