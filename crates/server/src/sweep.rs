//! Removes meter rows that have come to equal absent ones, opaque tokens, tickets and jobs that no longer live, and log
//! events that are older than their tenant keeps them: every minute, in bounded steps.
//!
//! Rows of unknown identifiers expire exactly like those of users, so that expiry tells nothing.

use std::sync::Arc;
use std::time::Duration;

use storage::StoreError;

use crate::app::App;
use crate::log_retention;
use crate::protection::block_sweep;

const EVERY: Duration = Duration::from_secs(60);
const STEP: u32 = 1_000;

/// Starts the job.
pub fn start(app: &Arc<App>) {
    let job = Arc::clone(app);
    app.jobs.background(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            sweep(&job).await;
        }
    });
}

/// One round over all tenants.
pub async fn sweep(app: &Arc<App>) {
    let tenants = match app.store.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::warn!(%error, "expired rows not removed"),
    };
    for tenant in tenants {
        let rows = app.tenant(&tenant.id);
        let swept = async {
            let now = app.clock.now();
            block_sweep::tell_ended_by_settings(app, &tenant, now).await?;
            block_sweep::remove_expired(app, &tenant, now).await?;
            while rows
                .remove_expired_access_tokens(app.clock.now(), STEP)
                .await?
                == u64::from(STEP)
            {}
            while rows.remove_expired_tickets(app.clock.now(), STEP).await? == u64::from(STEP) {}
            while rows.remove_expired_jobs(app.clock.now(), STEP).await? == u64::from(STEP) {}
            // After the blocks that have ended: what explains them is dropped with the rest.
            log_retention::drop_old(app, &tenant, now).await?;
            Ok::<_, StoreError>(())
        };
        if let Err(error) = swept.await {
            tracing::warn!(%error, tenant = tenant.id.as_str(), "expired rows not removed");
        }
    }
}
