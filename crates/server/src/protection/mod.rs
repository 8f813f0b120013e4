//! Where the guard meets the meters of the store: charge, settle, the wait between, and what is known to be refused.
//!
//! No threshold lives here. Rules are `guard`'s, rows are `storage`'s, and who asks is `oauth`'s.

pub(crate) mod account;
pub(crate) mod attack_mail;
pub(crate) mod block_sweep;
pub(crate) mod blocks;
mod client_secrets;
pub(crate) mod decision;
pub(crate) mod full_pool;
pub(crate) mod header_watch;
pub(crate) mod lifecycle;
mod line;
mod meters;
mod notice;
pub(crate) mod policy;
pub(crate) mod present;
mod refusals;
mod share;
mod spread;
pub(crate) mod unblock_link;

use crate::event_log::FailureAdmission;
use crate::settings::WaitingSettings;
pub(crate) use client_secrets::{FullPools, PoolKey, SecretPool};
use header_watch::HeaderWatch;
pub(crate) use line::{Lines, Place};
pub(crate) use meters::{BlockTurn, Charge, Crossed, Meters};
pub(crate) use notice::{notice_event, raised_event, spread_event};
pub(crate) use refusals::{KnownRefusal, Question, RefusalKey, Refusals};
pub(crate) use share::share;
use spread::Spread;

/// What one node remembers of attempts.
pub(crate) struct Protection {
    pub(crate) lines: Lines,
    pub(crate) refusals: Refusals,
    pub(crate) full_pools: FullPools,
    pub(crate) failure_events: FailureAdmission,
    pub(crate) header_watch: HeaderWatch,
    pub(crate) spread: Spread,
    pub(crate) waiting: WaitingSettings,
}

impl Protection {
    pub(crate) fn new(waiting: WaitingSettings) -> Self {
        Self {
            lines: Lines::new(waiting),
            refusals: Refusals::default(),
            full_pools: FullPools::default(),
            failure_events: FailureAdmission::default(),
            header_watch: HeaderWatch::default(),
            spread: Spread::default(),
            waiting,
        }
    }

    /// Forgets what was refused: an administrator has changed something.
    pub(crate) fn forget(&self) {
        self.refusals.forget();
        self.full_pools.forget();
    }
}
