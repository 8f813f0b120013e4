//! One account tried from many sources: an event for administrators, since no single source reaches a limit.
//!
//! Told at most once a node, account and hour. It decides nothing, costs no statement, and each node sees its own share;
//! losing an entry of the memory costs an event. Unknown identifiers are watched like users.

use std::hash::{BuildHasher, RandomState};

use guard::{Account, Source};
use jiff::Timestamp;
use model::{ConnectionId, TenantId};

/// More sources than this are worth an event.
const SOURCES: u32 = 50;
const WINDOW: i64 = 3_600_000_000;
const ACCOUNTS: usize = 10_000;

/// What one node remembers.
pub(crate) struct Spread {
    hasher: RandomState,
    seen: quick_cache::sync::Cache<u64, Seen>,
}

/// A mark for each source within one window; sources may share a mark, so there are at least as many as marks.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Microseconds.
    since: i64,
    is_told: bool,
    marks: [u64; 4],
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            seen: quick_cache::sync::Cache::new(ACCOUNTS),
        }
    }
}

impl Spread {
    /// Notes a wrong password; answers from how many sources at least they came, when that is to be told.
    pub(crate) fn observe(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        account: &Account,
        source: &Source,
        now: Timestamp,
    ) -> Option<u32> {
        let key = self.hasher.hash_one((tenant, connection, account));
        let now = now.as_microsecond();
        let mut seen = self.seen.get(&key).unwrap_or_default();
        if now - seen.since >= WINDOW {
            seen = Seen {
                since: now,
                ..Seen::default()
            };
        }
        let mark = self.hasher.hash_one((key, source.prefix()));
        let [low, high, ..] = mark.to_be_bytes();
        *seen.marks.get_mut(usize::from(high % 4))? |= 1 << (low % 64);
        let at_least = seen.marks.iter().map(|marks| marks.count_ones()).sum();
        let is_due = at_least > SOURCES && !seen.is_told;
        seen.is_told |= is_due;
        self.seen.insert(key, seen);
        is_due.then_some(at_least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn it_is_told_once_an_hour_and_never_of_fifty_sources() {
        let spread = Spread::default();
        let (tenant, connection) = (TenantId::new("one"), ConnectionId::new("con_1"));
        let ana = Account::Known("auth0|ana".to_owned());
        let observe = |account: &Account, number: u8, seconds: i64| {
            let source = Source::new(format!("192.0.2.{number}").parse().unwrap());
            spread.observe(&tenant, &connection, account, &source, at(seconds))
        };
        for number in (0..50).chain(0..50) {
            assert_eq!(observe(&ana, number, 0), None);
        }
        let told: Vec<u32> = (50..200)
            .filter_map(|number| observe(&ana, number, 1))
            .collect();
        assert_eq!(told, [51]);
        let told: Vec<u32> = (0..200)
            .filter_map(|number| observe(&ana, number, 3_600))
            .collect();
        assert_eq!(told, [51], "an hour later, once more");
        assert_eq!(observe(&Account::Unknown(vec![1]), 1, 1), None);
    }
}
