//! Conditions side by side, and the sign before each.

use model::EventFilter;

/// What stands before a clause.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    None,
    Necessary,
    Forbidden,
}

/// Conditions side by side, without an operator between them.
#[derive(Default)]
pub(super) struct Run {
    optional: Vec<EventFilter>,
    necessary: Vec<EventFilter>,
    forbidden: Vec<EventFilter>,
}

impl Run {
    pub(super) fn push(&mut self, sign: Sign, filter: EventFilter) {
        match sign {
            Sign::None => self.optional.push(filter),
            Sign::Necessary => self.necessary.push(filter),
            Sign::Forbidden => self.forbidden.push(applied(sign, filter)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.optional.is_empty() && self.necessary.is_empty() && self.forbidden.is_empty()
    }

    /// Beside a necessary condition an optional one would only move an event up.
    pub(super) fn filter(self) -> EventFilter {
        let mut every = self.necessary;
        if every.is_empty() && !self.optional.is_empty() {
            every.push(any(self.optional));
        }
        every.extend(self.forbidden);
        match <[EventFilter; 1]>::try_from(every) {
            Ok([one]) => one,
            Err(every) => EventFilter::All(every),
        }
    }
}

pub(super) fn any(alternatives: Vec<EventFilter>) -> EventFilter {
    match <[EventFilter; 1]>::try_from(alternatives) {
        Ok([one]) => one,
        Err(several) => EventFilter::Any(several),
    }
}

pub(super) fn applied(sign: Sign, filter: EventFilter) -> EventFilter {
    match sign {
        Sign::None | Sign::Necessary => filter,
        Sign::Forbidden => EventFilter::Not(Box::new(filter)),
    }
}
