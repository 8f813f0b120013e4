//! Statistics of a tenant: logins, sign-ups and breached passwords of each day, and users who were active.
//!
//! They are kept by following the log, not by the requests themselves: a login writes nothing for them, and no row is
//! written by many at once. A step reads what is settled after the mark, and one unit moves the mark from where it was read
//! and adds what was found, so that each event counts once, whatever crashes and however many nodes follow.
//! Why, and how late that makes them: `docs/decisions/0018-statistics-follow-the-log.md`.

mod tally;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::{LogId, TenantId};
use storage::{CHECKPOINT_DELAY, LogMark, StoreError, Work};
use tokio::time::Instant;

use crate::app::App;
use crate::failpoint;
use tally::{Tally, tally};

const EVERY: Duration = Duration::from_secs(10);
const STEP: u32 = 1_000;
/// Between two steps at least; as long as the last one took, if that was longer. Logins go on meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// Starts the job.
pub fn start(app: &Arc<App>) {
    let job = Arc::clone(app);
    app.jobs.background(async move {
        loop {
            follow(&job).await;
            tokio::time::sleep(EVERY).await;
        }
    });
}

/// Counts everything that is settled and not yet counted, in every tenant.
pub async fn follow(app: &Arc<App>) {
    let tenants = match app.store.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::warn!(%error, "statistics not brought up to date"),
    };
    for tenant in tenants {
        if let Err(error) = follow_tenant(app, &tenant.id).await {
            tracing::warn!(%error, tenant = tenant.id.as_str(), "statistics not brought up to date");
        }
    }
}

async fn follow_tenant(app: &App, tenant: &TenantId) -> Result<(), StoreError> {
    loop {
        let began = Instant::now();
        if !step(app, tenant, app.clock.now()).await? {
            return Ok(());
        }
        tokio::time::sleep(began.elapsed().max(PAUSE)).await;
    }
}

/// Counts the next events; whether there may be more for this node to count.
async fn step(app: &App, tenant: &TenantId, now: Timestamp) -> Result<bool, StoreError> {
    let rows = app.tenant(tenant);
    let mark = rows.find_log_mark(LogMark::Counted).await?;
    let after = mark.clone().unwrap_or_else(|| LogId::new(""));
    let found = rows.list_log_heads(&after, &settled(now), STEP).await?;
    let Some(last) = found.last().map(|head| head.log_id.clone()) else {
        return Ok(false);
    };

    let Tally { days, active } = tally(&found);

    let counted = rows
        .write(async move |work: &mut Work| {
            let moved = work.move_log_mark(LogMark::Counted, mark.as_ref(), &last);
            if !moved.await? {
                return Ok(false);
            }
            for counts in &days {
                work.add_day_counts(counts, now).await?;
            }
            for (day, users) in &active {
                work.note_active_users(*day, users).await?;
            }
            failpoint::pass("statistics_within");
            Ok(true)
        })
        .await?;
    failpoint::pass("statistics_after");
    // Where another node was first, it goes on.
    Ok(counted && found.len() == STEP as usize)
}

/// No event with an id before this one is committed any more; one that is passed over would never count.
fn settled(now: Timestamp) -> LogId {
    LogId::first_of(now.checked_sub(CHECKPOINT_DELAY).unwrap_or(Timestamp::MIN))
}
