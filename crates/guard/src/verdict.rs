//! What the guard answers: to a charge, to a settle, and what is worth an event.

use std::fmt;

use jiff::Timestamp;

use crate::Row;

/// The answer to a charge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Verify, once all these rows are written: one for each meter of the plan, in its order.
    Permit {
        rows: Vec<Row>,
        reservation: Reservation,
    },
    /// Attempts in flight fill a budget: ask again when one has ended. No row changes.
    Wait,
    /// Failures fill a budget. No row changes.
    Refuse {
        reason: Reason,
        /// When the meters that refuse for this reason would admit an attempt, if nothing else happens.
        until: Timestamp,
    },
}

/// What came of counting a failure that needed no time to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// It may be told once these rows are written: one for each meter of the plan, in its order.
    Counted { rows: Vec<Row> },
    /// Attempts in flight fill a budget. No row changes, and nothing may be told.
    Wait,
    /// Failures fill a budget. No row changes, and nothing of the outcome may be told.
    Refuse { reason: Reason, until: Timestamp },
}

/// Why an attempt is refused; where several apply, the first of them is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Brute-force protection.
    Blocked,
    /// Suspicious IP throttling.
    SuspiciousIp,
    /// Too many logins of one user from one source.
    SameUser,
    /// A budget that is no login's (`pool`).
    Pool,
}

/// A charge that waits for its settle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reservation {
    /// Of every meter of the plan, in its order.
    pub(crate) epochs: Vec<u32>,
}

impl Reservation {
    /// The epoch of each meter's row at the charge, in the order of the plan.
    pub fn epochs(&self) -> &[u32] {
        &self.epochs
    }
}

/// What came of the verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Wrong,
    Right,
    /// A server error, an expired queue place, or the right password of a user whom an administrator has blocked:
    /// the charge is given back and nothing is reset.
    Undone,
}

/// What a settle writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// One row for each meter of the plan, in its order.
    pub rows: Vec<Row>,
    /// The lines this settle crossed: each is one event.
    pub raised: Vec<Raised>,
}

/// A line that a settle crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Raised {
    /// So many failures of one account, and what that makes of it.
    Blocked { threshold: u32, hold: Hold },
    /// The source's failures fill its bucket.
    SuspiciousIp,
    /// So many users at least failed within an hour from the address of one untrusted backend.
    ManyUsers { at_least: u32 },
}

/// What too many failures of one account lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// A block, until then unless it is lifted.
    Block { until: Timestamp },
    /// A throttle that drains (an account within an IPv6 /48).
    Throttle,
    /// Nothing: the shield only watches.
    Watched,
}

/// The reservation ran out and its place was given to others: nobody may be told the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reservation ran out before it was settled")
    }
}

impl std::error::Error for Lost {}
