//! The courier: takes mails that are due from the queue, sends them, and settles each attempt.
//!
//! A mail is put down by the unit that causes it ([`queued()`]), composed when it is due, and sent at least once, with the same Message-ID
//! each time. No unit of work is open while a server is spoken to. Each tenant's mails go their own way, so that one
//! slow server delays nobody else's.

mod compose;
mod notice;
mod settle;
mod way;
mod wording;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use model::TenantId;
use storage::{ClaimedMail, StoreError};
use tokio::sync::Semaphore;

use crate::app::App;
pub use notice::{Addressee, Link, Notice, Words, queued, to_administrators};
pub use way::{DefaultWay, Route, Sender, Way, route};
pub(crate) use way::{sealed_password, smtp_of};
pub(crate) use wording::source;

const EVERY: Duration = Duration::from_secs(1);
/// How long a claimer has a mail to itself; longer than any attempt lasts.
pub const LEASE: Duration = Duration::from_secs(600);
/// An attempt is left after this time, whatever its transport allows.
const PATIENCE: Duration = Duration::from_secs(300);
/// Mails of one tenant, and of all, that are being sent at a time on this node.
const AT_A_TIME: usize = 4;
const AT_A_TIME_IN_ALL: usize = 32;
/// The depth of the queue is counted up to here.
const DEPTH_LIMIT: u32 = 100_000;

/// Sends what is due.
pub struct Courier {
    app: Arc<App>,
    route: Route,
    busy: Mutex<HashSet<TenantId>>,
    sending: Semaphore,
}

impl Courier {
    /// A courier that has not begun.
    pub fn new(app: &Arc<App>, route: Route) -> Arc<Self> {
        Arc::new(Self {
            app: Arc::clone(app),
            route,
            busy: Mutex::default(),
            sending: Semaphore::new(AT_A_TIME_IN_ALL),
        })
    }

    /// Looks for due mails every second, until the server stops; attempts under way end.
    pub fn start(self: &Arc<Self>) {
        let courier = Arc::clone(self);
        self.app.jobs.background(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                if let Err(error) = courier.look().await {
                    tracing::warn!(%error, "mails that are due were not looked for");
                }
            }
        });
    }

    /// Sends everything that is due now, and answers when each attempt is settled.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<(), StoreError> {
        let tenants = self.due().await?;
        join_all(tenants.into_iter().map(|tenant| self.deliver(tenant))).await;
        Ok(())
    }

    async fn look(self: &Arc<Self>) -> Result<(), StoreError> {
        for tenant in self.due().await? {
            let courier = Arc::clone(self);
            self.app
                .jobs
                .background(async move { courier.deliver(tenant).await });
        }
        Ok(())
    }

    async fn due(&self) -> Result<Vec<TenantId>, StoreError> {
        let depth = self.app.store.count_queued_mails(DEPTH_LIMIT).await?;
        metrics::gauge!("portcullis_mail_queue_depth").set(depth as f64);
        self.app
            .store
            .list_tenants_with_due_mail(self.app.clock.now())
            .await
    }

    /// The due mails of one tenant, a few at a time, unless this node is at it already.
    async fn deliver(self: &Arc<Self>, tenant: TenantId) {
        let Some(_working) = Working::on(self, &tenant) else {
            return;
        };
        loop {
            let (courier, of) = (Arc::clone(self), tenant.clone());
            // What was claimed is brought to its end: else it would be sent twice whenever a server stops.
            let batch = self
                .app
                .jobs
                .detach(async move { courier.batch(&of).await });
            match batch.await {
                Ok(Ok(0)) | Err(_) => return,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    return tracing::warn!(%error, tenant = tenant.as_str(), "mails that are due were not claimed");
                }
            }
        }
    }

    /// Claims as many mails as may be sent at once, and sends them; how many that were.
    async fn batch(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let Ok(first) = self.sending.acquire().await else {
            return Ok(0);
        };
        let more = (1..AT_A_TIME).map_while(|_| self.sending.try_acquire().ok());
        let places: Vec<_> = std::iter::once(first).chain(more).collect();
        let now = self.app.clock.now();
        let limit = u32::try_from(places.len()).unwrap_or(1);
        let claimed = self
            .app
            .tenant(tenant)
            .claim_mails(now, limit, now + LEASE)
            .await?;
        let count = claimed.len();
        if count > 0 {
            crate::failpoint::pass("after_claim");
            let way = (self.route)(tenant.clone()).await;
            join_all(
                claimed
                    .into_iter()
                    .map(|mail| self.attempt(tenant, &way, mail)),
            )
            .await;
        }
        Ok(count)
    }

    /// One attempt, settled. Where settling fails, the lease ends and the mail is sent again.
    async fn attempt(&self, tenant: &TenantId, way: &Result<Way, String>, claimed: ClaimedMail) {
        let attempted = settle::send(&self.app, tenant, way, &claimed, PATIENCE).await;
        crate::failpoint::pass("after_mail");
        let outcome = attempted.outcome.label();
        metrics::counter!("portcullis_mails_total", "outcome" => outcome).increment(1);
        let mail_id = claimed.mail.mail_id.clone();
        if let Err(error) = settle::settle(&self.app, tenant, claimed, attempted).await {
            tracing::warn!(%error, tenant = tenant.as_str(), mail_id, "an attempt to send a mail was not settled");
        }
        crate::failpoint::pass("after_mail_settled");
    }
}

/// Marks a tenant as worked on by this node.
struct Working<'a> {
    courier: &'a Courier,
    tenant: TenantId,
}

impl<'a> Working<'a> {
    fn on(courier: &'a Courier, tenant: &TenantId) -> Option<Self> {
        let mut busy = courier.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(tenant.clone()).then(|| Self {
            courier,
            tenant: tenant.clone(),
        })
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut busy = self
            .courier
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.tenant);
    }
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}
