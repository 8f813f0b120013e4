//! The pool of wrong client secrets: of one application, from one address (`docs/decisions/0014`). Applications that nobody
//! has share one pool an address, so that inventing names makes neither rows nor fresh budgets (`docs/decisions/0020`).
//!
//! A wrong secret is counted in the unit whose end it is told after; nothing is ever in flight. A right secret is not
//! counted, but no answer that it earned leaves before the pool was read and found not full: else whoever filled it
//! would go on guessing for the one answer that differs. Units that end a call anyway read it on the way.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guard::{Source, Strike};
use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent, TenantId};
use storage::{MeterKey, StoreError, Work};
use tokio::sync::Semaphore;

use super::decision::{SourceFound, record};
use super::meters::{MeterRows, Meters};
use super::refusals::KnownRefusal;
use crate::directory::cache::{Cache, Reading};
use crate::event_log::{address_text, bounded, draft, stamp};
use crate::request::RequestContext;

/// How many wrong secrets are being counted at once: guessing must not take the database from those who log in.
const COUNTED_AT_ONCE: usize = 4;

/// Pools that this node knows to be full.
pub(crate) struct FullPools {
    cache: Cache<PoolKey, KnownRefusal>,
    places: Semaphore,
}

impl Default for FullPools {
    fn default() -> Self {
        Self {
            cache: Cache::default(),
            places: Semaphore::new(COUNTED_AT_ONCE),
        }
    }
}

/// Whose secret, and from where; neighbours in one prefix share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    tenant: TenantId,
    /// None of all that nobody has.
    client: Option<ClientId>,
    prefix: IpAddr,
}

impl PoolKey {
    /// Of the application that the caller says it is, if there is one.
    pub(crate) fn of(cx: &RequestContext, client: &ClientId) -> Self {
        Self::of_any(cx, Some(client.clone()))
    }

    /// Of applications that nobody has.
    pub(crate) fn of_unknown(cx: &RequestContext) -> Self {
        Self::of_any(cx, None)
    }

    fn of_any(cx: &RequestContext, client: Option<ClientId>) -> Self {
        Self {
            tenant: cx.tenant().id.clone(),
            client,
            prefix: Source::new(cx.address()).prefix().network(),
        }
    }
}

impl FullPools {
    /// The refusal that this node knows of; then no secret is compared.
    pub(crate) fn get(&self, key: &PoolKey, now: Timestamp) -> Option<KnownRefusal> {
        self.cache.get(key).filter(|refusal| now < refusal.until)
    }

    pub(crate) fn forget(&self) {
        self.cache.forget();
    }
}

/// The pool that a call with a secret has to do with.
pub(crate) struct SecretPool {
    key: PoolKey,
    address: IpAddr,
    meters: Meters,
    keys: Vec<MeterKey>,
    is_read: AtomicBool,
}

/// A pool that is full, as a unit found it.
pub(crate) struct Spent {
    pub(crate) until: Timestamp,
}

impl SecretPool {
    /// The pool under this key.
    pub(crate) fn of(cx: &RequestContext, key: PoolKey) -> Self {
        let source = Source::new(cx.address());
        let policy = &cx.facts.policy;
        let plan = match &key.client {
            Some(client) => policy.client_secret_plan(client.as_str(), &source),
            None => policy.unknown_clients_plan(&source),
        };
        let meters = Meters::of_pool(plan, &cx.app.secrets.meters, &key.tenant);
        Self {
            key,
            address: source.exact(),
            keys: meters.keys(),
            meters,
            is_read: AtomicBool::new(false),
        }
    }

    /// Marks the moment before the pool is read.
    pub(crate) fn begin(cx: &RequestContext) -> Reading {
        cx.app.protection.full_pools.cache.begin()
    }

    /// Keeps what a unit found, which is durable by now.
    pub(crate) fn found(
        &self,
        cx: &RequestContext,
        spent: Option<&Spent>,
        reading: Reading,
    ) -> Option<KnownRefusal> {
        self.was_read();
        let refusal = KnownRefusal {
            reason: guard::Reason::Pool,
            until: spent?.until,
        };
        let full = &cx.app.protection.full_pools.cache;
        full.put(self.key.clone(), refusal, reading);
        Some(refusal)
    }

    /// Notes that it was read since the call came, and was not full.
    pub(crate) fn was_read(&self) {
        self.is_read.store(true, Ordering::Release);
    }

    /// Counts a wrong secret, with the event of it. What comes back is what may be told once this has returned.
    pub(crate) async fn count(
        self: &Arc<Self>,
        cx: &RequestContext,
        event: Option<LogEvent>,
    ) -> Result<Option<KnownRefusal>, StoreError> {
        let places = &cx.app.protection.full_pools.places;
        let _place = places.acquire().await.map_err(|_| StoreError::Busy)?;
        if let Some(known) = cx.app.protection.full_pools.get(&self.key, cx.now) {
            return Ok(Some(known));
        }
        let (pool, within, now) = (Arc::clone(self), cx.clone(), cx.now);
        let reading = Self::begin(cx);
        let spent = cx
            .store
            .write(async move |work: &mut Work| {
                let rows = pool.meters.read(work).await?;
                match pool.meters.plan().strike(&rows.plain(), now) {
                    Strike::Counted { rows: counted } => {
                        pool.meters.write(work, &rows, counted).await?;
                        if let Some(event) = &event {
                            work.add_events(std::slice::from_ref(event)).await?;
                        }
                        Ok(None)
                    }
                    Strike::Refuse { until, .. } => {
                        pool.tell(work, &within, &rows).await?;
                        Ok(Some(Spent { until }))
                    }
                    // Nothing is in flight in this pool, so nobody waits; if it were, nothing might be told yet.
                    Strike::Wait => Err(StoreError::Rerun),
                }
            })
            .await?;
        Ok(self.found(cx, spent.as_ref(), reading))
    }

    /// Reads the pool unless a unit has, before an answer that a right secret earned.
    pub(crate) async fn look(
        &self,
        cx: &RequestContext,
    ) -> Result<Option<KnownRefusal>, StoreError> {
        if self.is_read.load(Ordering::Acquire) {
            return Ok(None);
        }
        let reading = Self::begin(cx);
        let rows = cx.store.look_at_meters(self.keys()).await?;
        let spent = self.judge(&rows, cx.now);
        Ok(self.found(cx, spent.as_ref(), reading))
    }

    /// Whether these rows of the pool refuse.
    pub(crate) fn judge(&self, rows: &[Option<guard::Row>], now: Timestamp) -> Option<Spent> {
        let (_, until) = self.meters.plan().refusal(rows, now)?;
        Some(Spent { until })
    }

    /// The keys of its meters, in the order of the plan.
    pub(crate) fn keys(&self) -> &[MeterKey] {
        &self.keys
    }

    /// Writes the event of a call whose secret was right unless the pool is full; one statement while nobody has guessed.
    pub(crate) async fn admit_event(
        &self,
        work: &mut Work,
        cx: &RequestContext,
        event: &LogEvent,
    ) -> Result<Option<Spent>, StoreError> {
        let keys = self.keys();
        if work.add_event_unless_counted(event, keys, cx.now).await? {
            return Ok(None);
        }
        let rows = MeterRows::new(work.look_at_meters(keys).await?);
        match self.judge(&rows.plain(), cx.now) {
            Some(spent) => {
                self.tell(work, cx, &rows).await?;
                Ok(Some(spent))
            }
            None => {
                work.add_events(std::slice::from_ref(event)).await?;
                Ok(None)
            }
        }
    }

    /// The warning of a full pool, once an hour.
    pub(crate) async fn tell(
        &self,
        work: &mut Work,
        cx: &RequestContext,
        rows: &MeterRows,
    ) -> Result<(), StoreError> {
        let plain = rows.plain();
        let Some(noticed) = self
            .meters
            .plan()
            .notice(guard::Reason::Pool, &plain, cx.now)
        else {
            return Ok(());
        };
        self.meters.write(work, rows, noticed).await?;
        let mut event = draft(cx, EventType::Warning);
        let address = self.address;
        let client = self.key.client.as_ref().map(|id| bounded(id.as_str()));
        event.description = match &client {
            Some(client) => format!(
                "Too many wrong secrets of the application {client} came from {address}. Its calls from there are refused \
                 until the count drains, with a right secret too. If that is a backend of yours, give it the present \
                 secret; then DELETE /api/v2/anomaly/blocks/ips/{address} ends the refusal at once."
            ),
            None => format!(
                "Too many calls in the names of applications that do not exist came from {address}. Such calls from there \
                 are refused until the count drains; those of applications that exist are not. If it is a backend of \
                 yours, give it the client_id of its application."
            ),
        };
        event.client_id = client.map(ClientId::new);
        event.client_ip = Some(address_text(self.address));
        let explained = self.meters.plan().explain(&plain, cx.now);
        let source = SourceFound::own(self.address);
        record(&mut event, guard::Reason::Pool, &explained, &source);
        stamp(
            std::slice::from_mut(&mut event),
            cx.now_again(),
            &*cx.app.entropy,
        );
        work.add_events(&[event]).await
    }
}
