//! Following the list's file and telling how the sources are: a job, two gauges, and a warning for administrators.

use std::sync::Arc;
use std::time::Duration;

use model::{EventType, LogEvent, TenantId};
use tokio::time::Instant;

use super::sources::{FailingSource, RENEWED_EVERY};
use super::{BreachSources, digest};
use crate::app::App;
use crate::event_log::draft;
use crate::request::RequestContext;

const HOUR: i64 = 3_600_000_000;
const TENANTS: usize = 10_000;

/// Opens the list, and follows it until the server stops; sends digests that are due.
pub async fn start(app: &Arc<App>) {
    renew(app).await;
    let job = Arc::clone(app);
    app.jobs.background(async move {
        loop {
            tokio::time::sleep(RENEWED_EVERY).await;
            renew(&job).await;
            digest::send_due(&job).await;
        }
    });
}

async fn renew(app: &Arc<App>) {
    let of = Arc::clone(app);
    let now = Instant::now().into_std() + Duration::from_millis(1);
    let renewed = tokio::task::spawn_blocking(move || of.settings.breach.renew(now));
    if let Err(error) = renewed.await {
        tracing::error!(%error, "the breach list's file was not looked at");
    }
    tell(&app.settings.breach, app.clock.now());
}

/// 0 entries where a list is set and none is in use; no gauge at all where none is set.
fn tell(sources: &BreachSources, now: jiff::Timestamp) {
    let Some(current) = sources.list() else {
        return;
    };
    let list = current.list();
    let entries = list.as_ref().map_or(0, |list| list.entries());
    metrics::gauge!("portcullis_breach_list_entries").set(entries as f64);
    if let Some(list) = list {
        let age = now.duration_since(list.made_at()).as_secs().max(0);
        metrics::gauge!("portcullis_breach_list_age_seconds").set(age as f64);
    }
}

/// When each tenant was told last, on this node, that a source could not be asked.
pub(crate) struct FailureWatch {
    told_at: quick_cache::sync::Cache<TenantId, i64>,
}

impl Default for FailureWatch {
    fn default() -> Self {
        Self {
            told_at: quick_cache::sync::Cache::new(TENANTS),
        }
    }
}

impl FailureWatch {
    /// The event of a source that failed, once an hour, tenant and node.
    pub(super) fn warning(&self, cx: &RequestContext, source: FailingSource) -> Option<LogEvent> {
        let (tenant, now) = (&cx.tenant().id, cx.now.as_microsecond());
        if self.told_at.get(tenant).is_some_and(|at| now - at < HOUR) {
            return None;
        }
        self.told_at.insert(tenant.clone(), now);
        let mut event = draft(cx, EventType::Warning);
        event.description = format!(
            "Breached password detection could not ask {}, so passwords pass that only it would find. Logins go on. \
             Look at the server's log and at portcullis_breach_lookups_total.",
            source.words()
        );
        // It is about the server, not about whoever happened to log in.
        event.ip = None;
        event.user_agent = None;
        event.rest.clear();
        Some(event)
    }
}
