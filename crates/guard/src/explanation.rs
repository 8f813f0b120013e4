//! What one meter says of an attempt, in numbers a person can check: what it counts, how far, against which limit, until when.
//!
//! It is read off the same rows by the same rules as a decision, and decides nothing itself.

use jiff::Timestamp;

use crate::plan::Meter;
use crate::rule::{Judgement, MANY_USERS, Rule};
use crate::{MeterName, Reason, Row, Shield};

/// One meter of a plan, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub name: MeterName,
    /// Why it refuses, if it can.
    pub reason: Option<Reason>,
    pub shield: Shield,
    pub rule: Rule,
    /// Failures since the last success, the level of a bucket, or distinct accounts.
    pub counted: u32,
    /// Attempts that were charged and not yet settled.
    pub in_flight: u32,
    /// From so many counted ones on it refuses.
    pub limit: u32,
    pub says: Says,
    /// When it has forgotten everything, if nothing else happens; none if it is empty.
    pub empty_at: Option<Timestamp>,
}

/// What a meter would say. A shield that only watches says it too, and nobody obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Admit,
    Wait,
    Refuse { until: Timestamp },
}

impl Explained {
    /// Of a meter and its row as it stands.
    pub(crate) fn of(meter: &Meter, row: &Row) -> Self {
        let (counted, limit) = match meter.rule {
            Rule::Consecutive { threshold } => (row.failed, threshold.max(1)),
            Rule::Failures { capacity, .. } | Rule::Attempts { capacity, .. } => {
                (row.failed, capacity.max(1))
            }
            Rule::Accounts => (row.seen.count_ones(), MANY_USERS),
        };
        Self {
            name: meter.name.clone(),
            reason: meter.reason(),
            shield: meter.shield,
            rule: meter.rule.clone(),
            counted,
            in_flight: row.in_flight(),
            limit,
            says: match meter.rule.judge(row) {
                Judgement::Admit => Says::Admit,
                Judgement::Wait => Says::Wait,
                Judgement::Refuse { until } => Says::Refuse { until },
            },
            empty_at: meter.rule.forgotten_at(row),
        }
    }

    /// Whether this very meter turns an attempt away.
    pub fn refuses(&self) -> bool {
        self.shield == Shield::Enforce
            && self.reason.is_some()
            && matches!(self.says, Says::Refuse { .. })
    }
}
