//! How a search goes through the events: along which index, between which log ids, and what is left to be looked at.
//!
//! Every way is walked in the order of log ids, which is the order of the answer, so a page costs what it shows, however
//! many events fit. The more exact field wins, because nothing counts how often a value occurs: a user before an address,
//! an address before an application, an application before a type.

use std::ops::Bound;

use jiff::Timestamp;
use model::{EventField, EventFilter, EventType, LogId};

use super::condition::column;

/// A search, ready to be walked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The first log id that may be answered.
    pub(super) low: String,
    /// The first one that may not be.
    pub(super) high: String,
    /// The best way first. One of them is enough.
    pub(super) ways: Vec<Way>,
}

/// Walks whose events together hold all that fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) walks: Vec<Walk>,
    /// What an event on one of the walks must fulfil besides.
    pub(super) rest: EventFilter,
}

/// Events in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    Whole,
    /// Those with this value, by an index that begins with the column.
    Of {
        column: &'static str,
        value: String,
    },
}

/// Before every log id.
const FIRST: &str = "";
/// Behind every log id, which are digits.
const LAST: &str = "~";
/// Behind one log id and before the next.
const BEHIND: &str = "!";
/// A second way is for values that turn out to be common.
const MOST_WAYS: usize = 2;

impl Plan {
    pub(super) fn of(filter: &EventFilter) -> Self {
        let mut plan = Self {
            low: FIRST.to_owned(),
            high: LAST.to_owned(),
            ways: Vec::new(),
        };
        let mut every = Vec::new();
        flatten(filter, &mut every);
        every.retain(|part| !plan.narrow(part));
        let mut found: Vec<(u8, usize, Reach)> = every
            .iter()
            .enumerate()
            .filter_map(|(place, part)| {
                let reach = reach(part)?;
                Some((reach.rank, place, reach))
            })
            .collect();
        found.sort_by_key(|(rank, place, reach)| (*rank, reach.walks.len(), *place));
        plan.ways = found
            .into_iter()
            .take(MOST_WAYS)
            .map(|(_, place, reach)| {
                let left = every.iter().enumerate();
                let left = left.filter(|(other, _)| *other != place || !reach.is_exact);
                Way {
                    walks: reach.walks,
                    rest: rest(left.map(|(_, part)| (*part).clone()).collect()),
                }
            })
            .collect();
        if plan.ways.is_empty() {
            plan.ways.push(Way {
                walks: vec![Walk::Whole],
                rest: rest(every.into_iter().cloned().collect()),
            });
        }
        plan
    }

    /// Leaves out what happened at this moment or later.
    pub(super) fn end_before(&mut self, at: Timestamp) {
        let before = LogId::first_of(at).as_str().to_owned();
        self.high = before.min(std::mem::take(&mut self.high));
    }

    /// Leaves out this event and those before it.
    pub(super) fn begin_behind(&mut self, id: &str) {
        self.low = behind(id).max(std::mem::take(&mut self.low));
    }

    /// Takes a condition on time or log id into the bounds, if that is all it is.
    fn narrow(&mut self, part: &EventFilter) -> bool {
        match part {
            EventFilter::During(span) => {
                if let Some(from) = span.from {
                    let from = LogId::first_of(from).as_str().to_owned();
                    self.low = from.max(std::mem::take(&mut self.low));
                }
                span.before.iter().for_each(|at| self.end_before(*at));
                true
            }
            EventFilter::Is(EventField::LogId, id) => {
                self.between(Bound::Included(id), Bound::Included(id));
                true
            }
            EventFilter::Between(EventField::LogId, from, to) => {
                self.between(from.as_ref(), to.as_ref());
                true
            }
            _ => false,
        }
    }

    fn between(&mut self, from: Bound<&String>, to: Bound<&String>) {
        match from {
            Bound::Unbounded => {}
            Bound::Included(id) => self.low = id.clone().max(std::mem::take(&mut self.low)),
            Bound::Excluded(id) => self.low = behind(id).max(std::mem::take(&mut self.low)),
        }
        match to {
            Bound::Unbounded => {}
            Bound::Included(id) => self.high = behind(id).min(std::mem::take(&mut self.high)),
            Bound::Excluded(id) => self.high = id.clone().min(std::mem::take(&mut self.high)),
        }
    }
}

/// The first text that comes after this log id and before any other log id.
pub(super) fn behind(id: &str) -> String {
    format!("{id}{BEHIND}")
}

/// By which walks all events that fulfil a condition can be reached.
struct Reach {
    walks: Vec<Walk>,
    /// Smaller is more exact.
    rank: u8,
    /// Whether every event on them fulfils it.
    is_exact: bool,
}

fn reach(filter: &EventFilter) -> Option<Reach> {
    match filter {
        EventFilter::Is(field, value) => Some(Reach {
            rank: rank(*field)?,
            walks: vec![Walk::Of {
                column: column(*field),
                value: value.clone(),
            }],
            is_exact: true,
        }),
        EventFilter::Fits(EventField::Type, pattern) => {
            let codes = EventType::ALL.iter().map(|known| known.code());
            let fitting = codes.filter(|code| pattern.fits(code));
            Some(Reach {
                rank: rank(EventField::Type)?,
                walks: fitting
                    .map(|code| Walk::Of {
                        column: column(EventField::Type),
                        value: code.to_owned(),
                    })
                    .collect(),
                is_exact: true,
            })
        }
        EventFilter::Any(any) => {
            let mut all = Reach {
                walks: Vec::new(),
                rank: 0,
                is_exact: true,
            };
            for one in any {
                let one = reach(one)?;
                all.walks.extend(one.walks);
                all.rank = all.rank.max(one.rank);
                all.is_exact &= one.is_exact;
            }
            Some(all)
        }
        EventFilter::All(every) => {
            let best = every.iter().filter_map(reach).min_by_key(|one| one.rank)?;
            Some(Reach {
                is_exact: best.is_exact && every.len() == 1,
                ..best
            })
        }
        EventFilter::Every
        | EventFilter::Not(_)
        | EventFilter::Has(_)
        | EventFilter::Fits(..)
        | EventFilter::Between(..)
        | EventFilter::During(_) => None,
    }
}

/// Fields with an index.
fn rank(field: EventField) -> Option<u8> {
    match field {
        EventField::UserId => Some(0),
        EventField::UserName => Some(1),
        EventField::Ip => Some(2),
        EventField::ClientId => Some(3),
        EventField::Type => Some(4),
        EventField::ClientName
        | EventField::Connection
        | EventField::ConnectionId
        | EventField::Description
        | EventField::Hostname
        | EventField::LogId
        | EventField::OrganizationId
        | EventField::Strategy
        | EventField::StrategyType
        | EventField::UserAgent => None,
    }
}

fn flatten<'f>(filter: &'f EventFilter, every: &mut Vec<&'f EventFilter>) {
    match filter {
        EventFilter::Every => {}
        EventFilter::All(parts) => parts.iter().for_each(|part| flatten(part, every)),
        other => every.push(other),
    }
}

fn rest(mut parts: Vec<EventFilter>) -> EventFilter {
    match parts.len() {
        0 => EventFilter::Every,
        1 => parts.remove(0),
        _ => EventFilter::All(parts),
    }
}

#[cfg(test)]
mod tests {
    use model::{Part, Pattern, Span, from_micros};

    use super::*;

    fn is(field: EventField, value: &str) -> EventFilter {
        EventFilter::Is(field, value.to_owned())
    }

    fn of(column: &'static str, value: &str) -> Walk {
        Walk::Of {
            column,
            value: value.to_owned(),
        }
    }

    #[test]
    fn the_most_exact_field_leads_and_the_others_are_looked_at() {
        let (user, kind) = (is(EventField::UserId, "u"), is(EventField::Type, "fp"));
        let words = is(EventField::Description, "x");
        let both = EventFilter::All(vec![words.clone(), kind.clone(), user.clone()]);
        let plan = Plan::of(&both);
        assert_eq!(plan.ways[0].walks, [of("user_id", "u")]);
        assert_eq!(
            plan.ways[0].rest,
            EventFilter::All(vec![words.clone(), kind])
        );
        assert_eq!(plan.ways[1].walks, [of("event_type", "fp")]);
        assert_eq!(plan.ways[1].rest, EventFilter::All(vec![words, user]));
    }

    #[test]
    fn times_and_log_ids_bound_the_walk() {
        let at = |micros| Some(from_micros(micros));
        let during = |from, before| EventFilter::During(Span { from, before });
        let plan = Plan::of(&EventFilter::All(vec![
            during(at(1), at(90)),
            during(at(5), None),
            EventFilter::Between(
                EventField::LogId,
                Bound::Unbounded,
                Bound::Included("90000000000000000080".to_owned()),
            ),
        ]));
        assert_eq!(plan.low, "90000000000000000005");
        assert_eq!(plan.high, "90000000000000000080!");
        assert_eq!(plan.ways[0].walks, [Walk::Whole]);
        assert_eq!(plan.ways[0].rest, EventFilter::Every);
    }

    #[test]
    fn alternatives_are_walked_if_each_has_an_index() {
        let (user, ip) = (is(EventField::UserId, "u"), is(EventField::Ip, "192.0.2.1"));
        let words = is(EventField::Description, "x");
        let any = |any: &[&EventFilter]| EventFilter::Any(any.iter().copied().cloned().collect());
        let plan = Plan::of(&any(&[&user, &ip]));
        assert_eq!(
            plan.ways[0].walks,
            [of("user_id", "u"), of("ip", "192.0.2.1")]
        );
        assert_eq!(plan.ways[0].rest, EventFilter::Every);
        let whole = any(&[&user, &words]);
        let plan = Plan::of(&whole);
        assert_eq!(plan.ways[0].walks, [Walk::Whole]);
        assert_eq!(plan.ways[0].rest, whole);
        let both = EventFilter::All(vec![ip, words]);
        let nested = any(&[&user, &both]);
        let plan = Plan::of(&nested);
        assert_eq!(plan.ways[0].walks.len(), 2);
        assert_eq!(plan.ways[0].rest, nested, "not every event of that address");
    }

    #[test]
    fn a_pattern_of_types_is_the_types_that_fit() {
        let pattern = Pattern(vec![Part::Text("limit_".to_owned()), Part::Some]);
        let plan = Plan::of(&EventFilter::Fits(EventField::Type, pattern));
        assert_eq!(plan.ways[0].walks.len(), 3);
        assert_eq!(plan.ways[0].rest, EventFilter::Every);
        let none = Pattern(vec![Part::Text("zz".to_owned()), Part::Some]);
        let plan = Plan::of(&EventFilter::Fits(EventField::Type, none));
        assert_eq!(plan.ways[0].walks, []);
    }
}
