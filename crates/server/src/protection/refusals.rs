//! The refusals this node knows of, so that a repeated guess costs neither hash nor statement.
//!
//! Found by the normalised identifier and the source, before any look-up; right within a second, at once after an unblock here.

use std::net::IpAddr;

use guard::{Reason, Source, Standing};
use jiff::Timestamp;
use model::{ConnectionId, Identifier, TenantId};

use crate::directory::cache::{Cache, Reading};

/// Whose attempt is meant. Standing is part of it: an allowlist may apply to one and not to the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RefusalKey {
    tenant: TenantId,
    connection: ConnectionId,
    identifier: Identifier,
    prefix: IpAddr,
    standing: Standing,
    /// Allowlists match the exact address, so neighbours in one prefix may differ.
    exact: IpAddr,
}

impl RefusalKey {
    pub(crate) fn new(
        tenant: &TenantId,
        connection: &ConnectionId,
        identifier: &Identifier,
        source: &Source,
        standing: Standing,
    ) -> Self {
        Self {
            tenant: tenant.clone(),
            connection: connection.clone(),
            identifier: identifier.clone(),
            prefix: source.prefix().network(),
            standing,
            exact: source.exact(),
        }
    }
}

/// A refusal as the guard gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownRefusal {
    pub(crate) reason: Reason,
    pub(crate) until: Timestamp,
}

/// The cache of refusals.
#[derive(Default)]
pub(crate) struct Refusals {
    cache: Cache<RefusalKey, KnownRefusal>,
}

impl Refusals {
    /// The refusal, if it still stands.
    pub(crate) fn get(&self, key: &RefusalKey, now: Timestamp) -> Option<KnownRefusal> {
        self.cache.get(key).filter(|refusal| now < refusal.until)
    }

    /// Marks the moment before the meters are read.
    pub(crate) fn begin(&self) -> Reading {
        self.cache.begin()
    }

    /// Keeps what the meters said.
    pub(crate) fn put(&self, key: RefusalKey, refusal: KnownRefusal, reading: Reading) {
        self.cache.put(key, refusal, reading);
    }

    pub(crate) fn forget(&self) {
        self.cache.forget();
    }
}
