//! How long scenarios take: in full for figures, short to see that each runs.

use std::time::Duration;

/// Chosen once a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    Short,
}

impl Effort {
    /// The time of one round.
    pub(crate) fn round(self, seconds: u64) -> Duration {
        Duration::from_secs(match self {
            Self::Full => seconds,
            Self::Short => 1,
        })
    }

    /// How often rounds are repeated.
    pub(crate) fn rounds(self, rounds: usize) -> usize {
        match self {
            Self::Full => rounds,
            Self::Short => 1,
        }
    }
}
