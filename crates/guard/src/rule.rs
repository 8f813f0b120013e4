//! How one meter counts, when it is full, and when it forgets.
//!
//! Every move of a row is here: it ages, it is judged, it is charged, it is settled. What the meters of one
//! attempt decide together is the [`Plan`](crate::Plan)'s.

use std::time::Duration;

use jiff::Timestamp;

use crate::time::{after, elapsed, micros};
use crate::{Outcome, Row, Shield};

/// How long an attempt may be in flight.
pub const RESERVATION_LIFE: Duration = Duration::from_secs(30);
/// How long a block stands after the last failure.
pub const BLOCK_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Events of one row are at least so far apart.
pub const NOTICE_INTERVAL: Duration = Duration::from_secs(3600);
/// How many distinct users of one untrusted source are worth an event.
pub const MANY_USERS: u32 = 10;
/// Within how long they have to fail.
pub const MANY_USERS_WINDOW: Duration = Duration::from_secs(3600);

/// How a meter counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Failures since the last success; full at `threshold` until [`BLOCK_LIFE`] after the last of them.
    Consecutive { threshold: u32 },
    /// A level of failures that drains by one every `rate`; a success changes nothing.
    Failures { capacity: u32, rate: Duration },
    /// A level of permitted attempts, right or wrong, that drains by one every `rate`.
    Attempts { capacity: u32, rate: Duration },
    /// Distinct accounts that fail; never full.
    Accounts,
}

/// What a single meter says to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Admit,
    Wait,
    Refuse { until: Timestamp },
}

impl Rule {
    /// The row as it stands at `now`: old failures are forgotten, attempts in flight are kept.
    pub(crate) fn aged(&self, row: &Row, now: Timestamp) -> Row {
        let now = row.effective(now);
        let mut row = row.clone();
        row.written_at = now;
        row.charged = row.charged.max(row.failed);
        match self {
            Self::Consecutive { .. } => {
                if self.forgotten_at(&row).is_some_and(|end| end <= now) {
                    row.drop_failures(u32::MAX);
                }
            }
            Self::Failures { rate, .. } | Self::Attempts { rate, .. } => drain(&mut row, *rate),
            Self::Accounts => {
                if self.forgotten_at(&row).is_some_and(|end| end <= now) {
                    row.seen = 0;
                }
            }
        }
        row
    }

    /// The row as a charge finds it: aged, and freed of attempts that have run out.
    pub(crate) fn standing(&self, row: &Row, now: Timestamp) -> Row {
        let mut row = self.aged(row, now);
        row.lapse();
        row
    }

    /// Whether a standing row has room for one more attempt.
    pub(crate) fn judge(&self, row: &Row) -> Judgement {
        let (capacity, until) = match *self {
            Self::Consecutive { threshold } => {
                (threshold.max(1), after(row.failed_at, micros(BLOCK_LIFE)))
            }
            Self::Failures { capacity, rate } | Self::Attempts { capacity, rate } => {
                let capacity = capacity.max(1);
                let too_many = row.failed.saturating_sub(capacity).saturating_add(1);
                (capacity, drained_at(row, too_many, rate))
            }
            Self::Accounts => return Judgement::Admit,
        };
        if row.failed >= capacity {
            Judgement::Refuse { until }
        } else if row.charged >= capacity {
            Judgement::Wait
        } else {
            Judgement::Admit
        }
    }

    /// The row after a charge of a standing row.
    pub(crate) fn charged(&self, mut row: Row, shield: Shield) -> Row {
        match *self {
            Self::Consecutive { .. } | Self::Failures { .. } => {
                row.charged = row.charged.saturating_add(1);
                let open_until = after(row.written_at, micros(RESERVATION_LIFE));
                row.open_until = row.open_until.max(open_until);
            }
            Self::Attempts { capacity, .. } => {
                fail(&mut row, shield, capacity);
                row.charged = row.failed;
            }
            Self::Accounts => {}
        }
        row
    }

    /// Whether a charge reserves a place that its settle gives back or fills.
    pub(crate) fn reserves(&self) -> bool {
        matches!(self, Self::Consecutive { .. } | Self::Failures { .. })
    }

    /// The row after the settle of an attempt of the account with this mark.
    pub(crate) fn settled(
        &self,
        stored: &Row,
        outcome: Outcome,
        shield: Shield,
        mark: u64,
        now: Timestamp,
    ) -> Row {
        let mut row = self.aged(stored, now);
        match (self, outcome) {
            (Self::Consecutive { .. }, Outcome::Wrong) => {
                row.failed = row.failed.saturating_add(1);
                row.failed_at = row.written_at;
                row.charged = row.charged.max(row.failed);
            }
            (Self::Consecutive { .. }, Outcome::Right) => {
                row.drop_failures(u32::MAX);
                row.refund();
            }
            (Self::Failures { capacity, .. }, Outcome::Wrong) => {
                row.refund();
                let in_flight = row.in_flight();
                fail(&mut row, shield, *capacity);
                row.charged = row.failed.saturating_add(in_flight);
            }
            (Self::Consecutive { .. }, Outcome::Undone)
            | (Self::Failures { .. }, Outcome::Right | Outcome::Undone) => row.refund(),
            (Self::Accounts, Outcome::Wrong) => {
                if row.seen == 0 {
                    row.failed_at = row.written_at;
                }
                row.seen |= mark;
            }
            (Self::Attempts { .. }, _) | (Self::Accounts, Outcome::Right | Outcome::Undone) => {
                return stored.clone();
            }
        }
        row
    }

    /// Whether the failures of a row fill it.
    pub(crate) fn is_full(&self, row: &Row) -> bool {
        match *self {
            Self::Accounts => row.seen.count_ones() >= MANY_USERS,
            _ => matches!(self.judge(row), Judgement::Refuse { .. }),
        }
    }

    /// When all failures of the row are forgotten; none if it has none.
    pub(crate) fn forgotten_at(&self, row: &Row) -> Option<Timestamp> {
        match *self {
            Self::Consecutive { .. } => {
                (row.failed > 0).then(|| after(row.failed_at, micros(BLOCK_LIFE)))
            }
            Self::Failures { rate, .. } | Self::Attempts { rate, .. } => {
                (row.failed > 0).then(|| drained_at(row, row.failed, rate))
            }
            Self::Accounts => {
                (row.seen != 0).then(|| after(row.failed_at, micros(MANY_USERS_WINDOW)))
            }
        }
    }
}

/// One more in the level of a bucket. A shield that only watches keeps the level within the capacity, as if it had
/// refused: else switching it on would refuse for as long as nobody was.
fn fail(row: &mut Row, shield: Shield, capacity: u32) {
    if shield == Shield::Enforce || row.failed < capacity.max(1) {
        row.failed = row.failed.saturating_add(1);
    }
}

/// Drains a bucket to the instant at which the row lives. The anchor moves by whole steps, so no fraction of a
/// step is lost and none counts twice; an empty bucket has nothing to keep.
fn drain(row: &mut Row, rate: Duration) {
    let step = micros(rate);
    let steps = elapsed(row.failed_at, row.written_at)
        .checked_div(step)
        .unwrap_or_default();
    let drained = u32::try_from(steps).unwrap_or(u32::MAX).min(row.failed);
    row.drop_failures(drained);
    row.failed_at = if row.failed == 0 {
        row.written_at
    } else {
        after(row.failed_at, step.saturating_mul(i64::from(drained)))
    };
}

/// When so many of a bucket's level will have drained.
fn drained_at(row: &Row, count: u32, rate: Duration) -> Timestamp {
    after(row.failed_at, micros(rate).saturating_mul(i64::from(count)))
}

#[cfg(test)]
mod tests;
