//! Dates of a log search, as exactly as they are written: `2026`, `2026-01`, …, `2026-01-31T12:00:00.000Z`.
//!
//! In a range, what is missing is filled up with zeros, as the vendor documents it. By itself, a date means all of the
//! year, month, day, hour, minute or second that it names. Without an offset it is UTC.
//! The wire shows milliseconds, so the smallest step is one of them.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span as Step, Timestamp, ToSpan};
use model::Span;

use super::fault::{LogSearchFault, quoted};

/// A date: its first moment, and the first one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    start: Timestamp,
    end: Timestamp,
}

impl Date {
    /// From this date filled up with zeros, itself included.
    pub(super) fn from(self) -> Timestamp {
        self.start
    }

    /// The moment after this date filled up with zeros.
    pub(super) fn after(self) -> Timestamp {
        let next = self.start.checked_add(1.millisecond());
        next.unwrap_or(Timestamp::MAX)
    }

    /// All that it names.
    pub(super) fn whole(self) -> Span {
        Span {
            from: Some(self.start),
            before: Some(self.end),
        }
    }
}

/// Reads a date.
pub(super) fn read(text: &str) -> Result<Date, LogSearchFault> {
    parsed(text).ok_or_else(|| LogSearchFault::NoDate { text: quoted(text) })
}

fn parsed(text: &str) -> Option<Date> {
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let (time, offset) = match time {
        Some(time) => {
            let (time, offset) = offset(time)?;
            (Some(time), offset)
        }
        None => (None, Offset::UTC),
    };
    let mut parts = day.split('-');
    let year = number::<i16>(parts.next()?, 4)?;
    let month = parts.next().map(|text| number::<i8>(text, 2));
    let of_month = parts.next().map(|text| number::<i8>(text, 2));
    if parts.next().is_some() || time.is_some() && of_month.is_none() {
        return None;
    }
    let (step, month, of_month) = match (month, of_month) {
        (None, _) => (1.year(), 1, 1),
        (Some(month), None) => (1.month(), month?, 1),
        (Some(month), Some(of_month)) => (1.day(), month?, of_month?),
    };
    let clock = match time {
        Some(time) => Clock::read(time)?,
        None => Clock {
            time: [0; 3],
            nanos: 0,
            step,
        },
    };
    let [hour, minute, second] = clock.time;
    let start = DateTime::new(year, month, of_month, hour, minute, second, clock.nanos).ok()?;
    let end = start.checked_add(clock.step).unwrap_or(DateTime::MAX);
    let start = offset.to_timestamp(start).ok()?;
    Some(Date {
        start,
        end: offset.to_timestamp(end).unwrap_or(Timestamp::MAX),
    })
}

struct Clock {
    time: [i8; 3],
    nanos: i32,
    step: Step,
}

impl Clock {
    /// `12`, `12:30`, `12:30:15` or `12:30:15.123`.
    fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut time = [0; 3];
        let mut parts = whole.split(':');
        let mut read = 0;
        for (place, part) in time.iter_mut().zip(&mut parts) {
            *place = number::<i8>(part, 2)?;
            read += 1;
        }
        if parts.next().is_some() || fraction.is_some() && read < 3 {
            return None;
        }
        let step = match (read, fraction) {
            (1, _) => 1.hour(),
            (2, _) => 1.minute(),
            (_, None) => 1.second(),
            (_, Some(_)) => 1.millisecond(),
        };
        let nanos = fraction.map_or(Some(0), nanos)?;
        Some(Self { time, nanos, step })
    }
}

/// Nanoseconds of one to nine digits behind the point.
fn nanos(digits: &str) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let value = number::<i32>(digits, digits.len())?;
    let missing = u32::try_from(9 - digits.len()).ok()?;
    value.checked_mul(10_i32.checked_pow(missing)?)
}

/// Takes `Z`, `+01:00` or `-01:00` from the end of a time.
fn offset(time: &str) -> Option<(&str, Offset)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Offset::UTC));
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return Some((time, Offset::UTC));
    };
    let (time, offset) = time.split_at_checked(at)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number::<i32>(hours, 2)?, number::<i32>(minutes, 2)?);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let seconds = sign * (hours * 3_600 + minutes * 60);
    let fits = hours <= 18 && minutes < 60;
    fits.then_some(Offset::from_seconds(seconds).ok()?)
        .map(|offset| (time, offset))
}

/// Digits alone, as many as there should be.
fn number<N: std::str::FromStr>(text: &str, digits: usize) -> Option<N> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
