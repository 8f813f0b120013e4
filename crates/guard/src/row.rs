//! The state of one meter, as it is stored.
//!
//! A row says nothing of thresholds: those are the present policy's, so that a change of policy acts at once.
//! What a row means and how it moves is decided by its [`Rule`].

use jiff::Timestamp;

use crate::rule::{NOTICE_INTERVAL, Rule};
use crate::time::{after, micros, whole};

/// One meter's counts. Instants are whole microseconds; the Unix epoch stands for "never".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Row {
    /// Failures counted, and attempts in flight.
    pub charged: u32,
    /// Failures whose outcome somebody was told; for buckets the level, which drains.
    pub failed: u32,
    /// Moves when attempts in flight have run out; a settle of an earlier epoch is lost.
    pub epoch: u32,
    /// When the last attempt in flight of this epoch runs out.
    pub open_until: Timestamp,
    /// The last failure; for buckets the instant from which draining counts, for [`Rule::Accounts`] the start of
    /// the window.
    pub failed_at: Timestamp,
    /// When an event was last written for this row.
    pub noticed_at: Timestamp,
    /// A mark for each distinct account; [`Rule::Accounts`] only.
    pub seen: u64,
    /// The failures with which the row was told to be a block; 0 where it was not, or where its end was told.
    pub told: u32,
    /// Time never runs backwards for a row: it lives at max(now, written_at).
    pub written_at: Timestamp,
}

impl Row {
    /// What stands for an absent row.
    ///
    /// Its epoch is the second of its birth, later than any epoch of a row of this name that was deleted before:
    /// epochs move at most once per [`RESERVATION_LIFE`](crate::RESERVATION_LIFE). A reservation of the deleted
    /// row therefore never fits.
    pub fn fresh(now: Timestamp) -> Self {
        Self {
            epoch: u32::try_from(now.as_second()).unwrap_or_default(),
            written_at: whole(now),
            ..Self::default()
        }
    }

    /// Attempts that were charged and not yet settled.
    pub fn in_flight(&self) -> u32 {
        self.charged.saturating_sub(self.failed)
    }

    /// Whether nothing is lost where this row is not stored.
    pub fn is_blank(&self) -> bool {
        self.charged == 0
            && self.failed == 0
            && self.seen == 0
            && self.told == 0
            && self.noticed_at == Timestamp::UNIX_EPOCH
    }

    /// The row after an unblock: failures are dropped, attempts in flight stay charged, the next block is news.
    #[must_use]
    pub fn lift(&self, now: Timestamp) -> Self {
        Self {
            charged: self.in_flight(),
            failed: 0,
            seen: 0,
            told: 0,
            noticed_at: Timestamp::UNIX_EPOCH,
            written_at: self.effective(now),
            ..self.clone()
        }
    }

    /// The row with room for so many failures more, as a throttle that drains would have it later.
    #[must_use]
    pub fn ease(&self, count: u32, now: Timestamp) -> Self {
        let mut eased = self.clone();
        eased.written_at = self.effective(now);
        eased.drop_failures(count);
        eased
    }

    /// From then on the row decides like an absent one and may be deleted.
    pub fn expires_at(&self, rule: &Rule) -> Timestamp {
        let mut end = self.written_at;
        if self.in_flight() > 0 {
            end = end.max(self.open_until);
        }
        if let Some(forgotten_at) = rule.forgotten_at(self) {
            end = end.max(forgotten_at);
        }
        if self.noticed_at != Timestamp::UNIX_EPOCH {
            end = end.max(after(self.noticed_at, micros(NOTICE_INTERVAL)));
        }
        end
    }

    /// The instant at which the row lives.
    pub(crate) fn effective(&self, now: Timestamp) -> Timestamp {
        whole(now).max(self.written_at)
    }

    /// Whether an event is due: one per row and [`NOTICE_INTERVAL`].
    pub(crate) fn notice_due(&self, now: Timestamp) -> bool {
        after(self.noticed_at, micros(NOTICE_INTERVAL)) <= self.effective(now)
    }

    /// Frees what attempts in flight held, once the last of them has run out.
    pub(crate) fn lapse(&mut self) {
        if self.in_flight() > 0 && self.open_until <= self.written_at {
            self.epoch = self.epoch.wrapping_add(1);
            self.charged = self.failed;
        }
    }

    /// Drops so many failures and leaves attempts in flight as they are.
    pub(crate) fn drop_failures(&mut self, count: u32) {
        let count = count.min(self.failed);
        self.failed = self.failed.saturating_sub(count);
        self.charged = self.charged.saturating_sub(count);
        if self.failed == 0 {
            self.told = 0;
        }
    }

    /// Gives one attempt in flight back.
    pub(crate) fn refund(&mut self) {
        self.charged = self.charged.saturating_sub(1).max(self.failed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_lift_drops_failures_and_keeps_attempts_in_flight() {
        let row = Row {
            charged: 10,
            failed: 7,
            epoch: 4,
            open_until: at(30),
            noticed_at: at(0),
            written_at: at(0),
            ..Row::default()
        };
        let lifted = row.lift(at(5));
        assert_eq!((lifted.charged, lifted.failed, lifted.epoch), (3, 0, 4));
        assert_eq!(lifted.open_until, at(30));
        assert!(lifted.notice_due(at(5)));
        assert_eq!(row.lift(at(-5)).written_at, at(0));
    }

    #[test]
    fn an_epoch_begins_when_the_last_attempt_in_flight_has_run_out() {
        let row = |written_at| Row {
            charged: 5,
            failed: 2,
            epoch: u32::MAX,
            open_until: at(30),
            written_at,
            ..Row::default()
        };
        let mut early = row(at(29));
        early.lapse();
        assert_eq!(early, row(at(29)));
        let mut late = row(at(30));
        late.lapse();
        assert_eq!((late.charged, late.failed, late.epoch), (2, 2, 0));
        let once = late.clone();
        late.lapse();
        assert_eq!(late, once);
    }

    #[test]
    fn epochs_of_a_row_born_again_are_new() {
        // As fast as a row can go: a lapse every 30 s from its birth on.
        let mut row = Row::fresh(at(0));
        let mut now = 0;
        for _ in 0..100 {
            row.charged = 1;
            row.open_until = at(now + 30);
            now += 30;
            row.written_at = at(now);
            row.lapse();
            assert!(row.epoch < Row::fresh(at(now)).epoch);
        }
    }

    #[test]
    fn when_a_row_may_be_deleted() {
        let consecutive = Rule::Consecutive { threshold: 10 };
        let bucket = Rule::Failures {
            capacity: 10,
            rate: Duration::from_secs(100),
        };
        let row = Row {
            written_at: at(1),
            open_until: at(30),
            failed_at: at(0),
            ..Row::default()
        };
        let days30 = 30 * 86_400;
        let table = [
            (row.clone(), &consecutive, at(1)),
            (
                Row {
                    charged: 1,
                    ..row.clone()
                },
                &consecutive,
                at(30),
            ),
            (
                Row {
                    charged: 3,
                    failed: 2,
                    ..row.clone()
                },
                &consecutive,
                at(days30),
            ),
            (
                Row {
                    charged: 2,
                    failed: 2,
                    ..row.clone()
                },
                &bucket,
                at(200),
            ),
            (
                Row {
                    charged: u32::MAX,
                    failed: u32::MAX,
                    ..row.clone()
                },
                &bucket,
                Timestamp::MAX,
            ),
            (
                Row {
                    seen: 1,
                    ..row.clone()
                },
                &Rule::Accounts,
                at(3600),
            ),
            (
                Row {
                    noticed_at: at(1),
                    ..row.clone()
                },
                &consecutive,
                at(3601),
            ),
        ];
        for (row, rule, expected) in table {
            assert_eq!(row.expires_at(rule), expected, "{row:?} {rule:?}");
        }
    }
}
