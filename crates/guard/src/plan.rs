//! The meters of one attempt, in their fixed order, and what they decide together.
//!
//! `rows` are always those of [`Plan::meters`], in that order, absent ones as `None`. All rows are charged or none
//! is. A plan belongs to one attempt from its charge to its settle, whatever becomes of the policy meanwhile.

use jiff::Timestamp;

use crate::rule::{Judgement, Rule};
use crate::verdict::{
    Hold, Lost, Outcome, Raised, Reason, Reservation, Settlement, Strike, Verdict,
};
use crate::{Explained, MeterKind, MeterName, Row, Shield};

/// What an attempt is counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    meters: Vec<Meter>,
    /// The account's mark among the users of a source.
    mark: u64,
}

/// A meter under the policy of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    pub(crate) name: MeterName,
    pub(crate) rule: Rule,
    pub(crate) shield: Shield,
}

impl Plan {
    pub(crate) fn new(meters: Vec<Meter>, mark: u64) -> Self {
        Self { meters, mark }
    }

    /// Pair or identifier, identifier prefix, sources from narrow to wide, same user, many users; each at most once.
    pub fn meters(&self) -> impl Iterator<Item = &MeterName> {
        self.meters.iter().map(|meter| &meter.name)
    }

    /// When a row of this kind may be deleted. At once, where the plan has no such meter.
    pub fn expires_at(&self, kind: MeterKind, row: &Row) -> Timestamp {
        let meter = self.meters.iter().find(|meter| meter.name.kind == kind);
        meter.map_or(row.written_at, |meter| row.expires_at(&meter.rule))
    }

    /// Decides whether the attempt may be verified, before it is.
    ///
    /// A refusal outweighs waiting, and the first of several reasons is answered.
    pub fn charge(&self, rows: &[Option<Row>], now: Timestamp) -> Verdict {
        let mut charged = Vec::with_capacity(self.meters.len());
        let mut refusal: Option<(Reason, Timestamp)> = None;
        let mut wait = false;
        for (meter, row) in self.paired(rows) {
            let stored = stored_or_fresh(row, now);
            if meter.rule == Rule::Accounts {
                charged.push(stored);
                continue;
            }
            let mut row = meter.rule.standing(&stored, now);
            let judgement = meter.rule.judge(&row);
            if meter.shield != Shield::Enforce || !matches!(judgement, Judgement::Refuse { .. }) {
                // A block that was told has ended, by its time or by the settings.
                row.told = 0;
            }
            if meter.shield == Shield::Enforce {
                match (judgement, meter.reason(), &mut refusal) {
                    (Judgement::Refuse { until }, Some(reason), None) => {
                        refusal = Some((reason, until));
                    }
                    (Judgement::Refuse { until }, Some(reason), Some((first, last)))
                        if *first == reason =>
                    {
                        *last = until.max(*last);
                    }
                    (Judgement::Wait, ..) => wait = true,
                    (Judgement::Refuse { .. } | Judgement::Admit, ..) => {}
                }
            }
            charged.push(meter.rule.charged(row, meter.shield));
        }
        match refusal {
            Some((reason, until)) => Verdict::Refuse { reason, until },
            None if wait => Verdict::Wait,
            None => Verdict::Permit {
                reservation: Reservation {
                    epochs: charged.iter().map(|row| row.epoch).collect(),
                },
                rows: charged,
            },
        }
    }

    /// Counts the outcome of an attempt in flight, before anybody is told.
    ///
    /// # Errors
    /// [`Lost`] if an enforcing meter has gone on to another epoch. No row changes: what the attempt still holds
    /// in other meters runs out with their epochs.
    pub fn settle(
        &self,
        reservation: &Reservation,
        rows: &[Option<Row>],
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Settlement, Lost> {
        let mut settled = Vec::with_capacity(self.meters.len());
        let mut raised: Vec<Raised> = Vec::new();
        let epochs = reservation.epochs.iter().map(Some);
        let epochs = epochs.chain(std::iter::repeat(None));
        for ((meter, stored), epoch) in self.paired(rows).zip(epochs) {
            let before = stored_or_fresh(stored, now);
            if meter.rule.reserves() && (stored.is_none() || epoch != Some(&before.epoch)) {
                if meter.shield == Shield::Enforce {
                    return Err(Lost);
                }
                settled.push(before);
                continue;
            }
            let mut after = meter
                .rule
                .settled(&before, outcome, meter.shield, self.mark, now);
            if outcome == Outcome::Wrong
                && let Some(line) = meter.crossed(&before, &after)
            {
                after.noticed_at = after.written_at;
                if let Raised::Blocked {
                    hold: Hold::Block { .. },
                    ..
                } = line
                {
                    after.told = after.failed;
                }
                let same =
                    |other: &Raised| std::mem::discriminant(other) == std::mem::discriminant(&line);
                if !raised.iter().any(same) {
                    raised.push(line);
                }
            }
            settled.push(after);
        }
        Ok(Settlement {
            rows: settled,
            raised,
        })
    }

    /// Charges and settles a wrong attempt in one: for what is verified in no time, so that nothing is ever in flight.
    pub fn strike(&self, rows: &[Option<Row>], now: Timestamp) -> Strike {
        match self.charge(rows, now) {
            Verdict::Refuse { reason, until } => Strike::Refuse { reason, until },
            Verdict::Wait => Strike::Wait,
            Verdict::Permit { rows, reservation } => {
                let rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
                match self.settle(&reservation, &rows, Outcome::Wrong, now) {
                    Ok(Settlement { rows, .. }) => Strike::Counted { rows },
                    // The epochs are those of these very rows, so this does not come.
                    Err(Lost) => Strike::Wait,
                }
            }
        }
    }

    /// Whether these rows refuse, and until when; what is right is asked this, and is not counted.
    pub fn refusal(&self, rows: &[Option<Row>], now: Timestamp) -> Option<(Reason, Timestamp)> {
        match self.charge(rows, now) {
            Verdict::Refuse { reason, until } => Some((reason, until)),
            Verdict::Permit { .. } | Verdict::Wait => None,
        }
    }

    /// What each meter says of an attempt at `now`, in the order of the plan: for people who ask why. It decides
    /// nothing, and says of a refusal exactly what [`Plan::charge`] makes of it.
    pub fn explain(&self, rows: &[Option<Row>], now: Timestamp) -> Vec<Explained> {
        self.paired(rows)
            .map(|(meter, row)| {
                let row = meter.rule.standing(&stored_or_fresh(row, now), now);
                Explained::of(meter, &row)
            })
            .collect()
    }

    /// During a refusal: whether its event is due, once per row and [`NOTICE_INTERVAL`](crate::NOTICE_INTERVAL).
    /// If so, the rows to write, of which one has moved.
    pub fn notice(&self, reason: Reason, rows: &[Option<Row>], now: Timestamp) -> Option<Vec<Row>> {
        self.notice_of(Shield::Enforce, reason, rows, now)
    }

    /// The same of a shield that only watches: a refusal that it would have made.
    pub fn watched_notice(
        &self,
        reason: Reason,
        rows: &[Option<Row>],
        now: Timestamp,
    ) -> Option<Vec<Row>> {
        self.notice_of(Shield::Observe, reason, rows, now)
    }

    fn notice_of(
        &self,
        shield: Shield,
        reason: Reason,
        rows: &[Option<Row>],
        now: Timestamp,
    ) -> Option<Vec<Row>> {
        let refuses = |(meter, row): &(&Meter, Option<&Row>)| {
            let row = stored_or_fresh(*row, now);
            meter.shield == shield
                && meter.reason() == Some(reason)
                && meter.rule.is_full(&meter.rule.standing(&row, now))
        };
        let first = self.paired(rows).position(|entry| refuses(&entry))?;
        let mut due = false;
        let rows = self.paired(rows).enumerate().map(|(index, (meter, row))| {
            let mut row = stored_or_fresh(row, now);
            if index == first && row.notice_due(now) {
                due = true;
                row.written_at = row.effective(now);
                row.noticed_at = row.written_at;
                if meter.name.kind.is_block() && row.told == 0 {
                    // It became a block when the settings changed, which no failure told.
                    row.told = row.failed;
                }
            }
            row
        });
        let rows = rows.collect();
        due.then_some(rows)
    }

    /// Every meter with its row; a slice that is too short lacks rows.
    fn paired<'a>(
        &'a self,
        rows: &'a [Option<Row>],
    ) -> impl Iterator<Item = (&'a Meter, Option<&'a Row>)> {
        let rows = rows.iter().map(Option::as_ref);
        self.meters.iter().zip(rows.chain(std::iter::repeat(None)))
    }
}

impl Meter {
    /// Why this meter refuses, if it can.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self.name.kind {
            MeterKind::Pair | MeterKind::Identifier | MeterKind::IdentifierPrefix => {
                Some(Reason::Blocked)
            }
            MeterKind::Source(_) | MeterKind::SignUp(_) => Some(Reason::SuspiciousIp),
            MeterKind::SameUser => Some(Reason::SameUser),
            MeterKind::ManyUsers => None,
            MeterKind::Confirmation(_)
            | MeterKind::Ticket(_)
            | MeterKind::ClientSecret(_)
            | MeterKind::MailAsked(_)
            | MeterKind::MailAskedFor
            | MeterKind::MailTo
            | MeterKind::MailAbout => Some(Reason::Pool),
        }
    }

    /// What a full row of this meter leads to.
    fn hold(&self, row: &Row) -> Hold {
        match (self.shield, self.rule.judge(row)) {
            (Shield::Enforce, Judgement::Refuse { until }) if self.name.kind.is_block() => {
                Hold::Block { until }
            }
            (Shield::Enforce, _) => Hold::Throttle,
            (Shield::Observe | Shield::Off, _) => Hold::Watched,
        }
    }

    /// The line that a failure crossed. A block is raised by the very failure that makes it. What hovers at its
    /// line (a bucket), or stays above it (a shield that only watches), is raised once an interval.
    fn crossed(&self, before: &Row, after: &Row) -> Option<Raised> {
        let was_full = self.rule.is_full(&self.rule.aged(before, after.written_at));
        if !self.rule.is_full(after) {
            return None;
        }
        let due = after.notice_due(after.written_at);
        let line = match (self.reason(), &self.rule) {
            (Some(Reason::Blocked), Rule::Consecutive { threshold }) => Raised::Blocked {
                threshold: *threshold,
                hold: self.hold(after),
            },
            (Some(Reason::Blocked), Rule::Failures { capacity, .. }) => Raised::Blocked {
                threshold: *capacity,
                hold: self.hold(after),
            },
            (Some(Reason::SuspiciousIp), _) => Raised::SuspiciousIp,
            (None, Rule::Accounts) => Raised::ManyUsers {
                at_least: after.seen.count_ones(),
            },
            _ => return None,
        };
        let news = match (&self.rule, self.shield) {
            (Rule::Consecutive { .. }, Shield::Enforce) => !was_full,
            (Rule::Failures { .. }, Shield::Enforce) => !was_full && due,
            _ => due,
        };
        news.then_some(line)
    }
}

fn stored_or_fresh(row: Option<&Row>, now: Timestamp) -> Row {
    row.cloned().unwrap_or_else(|| Row::fresh(now))
}

#[cfg(test)]
mod tests;
