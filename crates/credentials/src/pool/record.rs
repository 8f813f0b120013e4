//! What the pool remembers of sources: whose passwords were right lately, and whose were wrong.
//!
//! Guesses from many addresses look like logins until one is verified; after that a source's own outcomes tell them apart.
//! A match makes a source proven, and it stays so over three mismatches between matches: people mistype. Only outcomes
//! that the source was told count, of any account, so turns tell nobody whether a user exists. Kept in memory, in two
//! bounded maps, so that a flood of failing sources forgets no proven one; what is forgotten is new again.

use quick_cache::unsync::Cache;

/// Sources of each kind that are remembered.
const SOURCES: usize = 50_000;
/// Mismatches between matches that a proven source may have.
const PATIENCE: u8 = 3;

/// What is known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// It has logged somebody in, and has not failed more than people do.
    Proven,
    New,
    /// Its last passwords were wrong.
    Failing,
}

/// The outcomes of sources, as far as they are remembered.
pub(super) struct Records {
    /// Mismatches each may still have.
    proven: Cache<u64, u8>,
    failing: Cache<u64, ()>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            proven: Cache::new(SOURCES),
            failing: Cache::new(SOURCES),
        }
    }
}

impl Records {
    pub(super) fn of(&self, source: u64) -> Record {
        if self.proven.get(&source).is_some() {
            Record::Proven
        } else if self.failing.get(&source).is_some() {
            Record::Failing
        } else {
            Record::New
        }
    }

    pub(super) fn matched(&mut self, source: u64) {
        self.failing.remove(&source);
        self.proven.insert(source, PATIENCE);
    }

    pub(super) fn mismatched(&mut self, source: u64) {
        match self.proven.get(&source).copied() {
            Some(patience @ 1..) => self.proven.insert(source, patience - 1),
            Some(0) | None => {
                self.proven.remove(&source);
                self.failing.insert(source, ());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_proves_itself_by_a_match_and_fails_by_more_mismatches_than_people_make() {
        let mut records = Records::default();
        assert_eq!(records.of(1), Record::New);
        records.mismatched(1);
        assert_eq!(records.of(1), Record::Failing);
        records.matched(1);
        for _ in 0..3 {
            records.mismatched(1);
            assert_eq!(records.of(1), Record::Proven);
        }
        records.matched(1);
        for _ in 0..4 {
            records.mismatched(1);
        }
        assert_eq!(records.of(1), Record::Failing);
        assert_eq!(records.of(2), Record::New);
    }

    #[test]
    fn a_flood_of_failing_sources_makes_no_proven_one_forgotten_and_stays_bounded() {
        let mut records = Records::default();
        records.matched(1);
        for source in 2..200_000 {
            records.mismatched(source);
        }
        assert_eq!(records.of(1), Record::Proven);
        assert!(records.failing.len() <= SOURCES);
    }
}
