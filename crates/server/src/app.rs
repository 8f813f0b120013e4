//! Everything a request may use that outlives it: store, keys, hashing pool, clock, caches.

use std::sync::Arc;

use credentials::HashingPool;
use keys::{Entropy, MeterKey, RootKey, Sealer};
use storage::{Store, TenantStore};

use crate::breach::FailureWatch;
use crate::clock::Clock;
use crate::directory::Directory;
use crate::jobs::Jobs;
use crate::protection::Protection;
use crate::settings::ServerSettings;
use model::TenantId;

/// The running server, shared by all requests.
pub struct App {
    pub settings: ServerSettings,
    pub store: Store,
    pub secrets: Secrets,
    pub pool: HashingPool,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy + Send + Sync>,
    pub jobs: Jobs,
    pub(crate) directory: Directory,
    pub(crate) protection: Protection,
    pub(crate) breach_failures: FailureWatch,
}

/// What is derived from the root key, one key a use.
#[derive(Debug)]
pub struct Secrets {
    /// Digests what a meter counts. Never rotates silently: meters would be forgotten.
    pub meters: MeterKey,
    pub sealer: Sealer,
}

impl Secrets {
    /// Derives all keys.
    pub fn of(root: &RootKey) -> Self {
        Self {
            meters: root.meter_key(),
            sealer: root.sealer(),
        }
    }
}

impl App {
    /// Puts the parts together; the store is migrated by then.
    pub fn new(
        settings: ServerSettings,
        store: Store,
        root: &RootKey,
        pool: HashingPool,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy + Send + Sync>,
    ) -> Arc<Self> {
        let protection = Protection::new(settings.waiting);
        let events_clock = Arc::clone(&clock);
        store.set_clock(move || events_clock.now());
        Arc::new(Self {
            settings,
            store,
            secrets: Secrets::of(root),
            pool,
            clock,
            entropy,
            jobs: Jobs::default(),
            directory: Directory::default(),
            protection,
            breach_failures: FailureWatch::default(),
        })
    }

    /// The rows of one tenant.
    pub fn tenant(&self, id: &TenantId) -> TenantStore {
        self.store.tenant(id)
    }

    /// Makes this node forget what it has cached; called after every change an administrator makes.
    pub fn forget_cached(&self) {
        self.directory.forget();
        self.protection.forget();
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
