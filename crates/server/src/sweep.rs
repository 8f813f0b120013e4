//! Removes meter rows that have come to equal absent ones: every minute, in bounded steps.
//!
//! Rows of unknown identifiers expire exactly like those of users, so that expiry tells nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

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
pub async fn sweep(app: &App) {
    let tenants = match app.store.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => return tracing::warn!(%error, "expired meters not removed"),
    };
    for tenant in tenants {
        let rows = app.tenant(&tenant.id);
        loop {
            match rows.remove_expired_meters(app.clock.now(), STEP).await {
                Ok(removed) if removed < u64::from(STEP) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, tenant = tenant.id.as_str(), "expired meters not removed");
                    break;
                }
            }
        }
    }
}
