//! Liveness and readiness, on every host, without a tenant.
//!
//! Ready means: the store answers, its migrations are done, and its clock is within 5 s of ours.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;

use crate::app::App;

const MAX_SKEW: Duration = Duration::from_secs(5);

/// `GET /livez`.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, String) {
    match fitness(&app).await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {reason}\n"),
        ),
    }
}

/// How far two clocks are apart, where that is too far to serve.
pub fn excessive_skew(ours: Timestamp, theirs: Timestamp) -> Option<Duration> {
    let skew = ours.duration_since(theirs).unsigned_abs();
    (skew > MAX_SKEW).then_some(skew)
}

async fn fitness(app: &App) -> Result<(), String> {
    app.store.check().await.map_err(|error| {
        tracing::warn!(%error, "store not reached");
        "the database cannot be reached".to_owned()
    })?;
    let pending = app
        .store
        .pending_migrations()
        .await
        .map_err(|_| "the database cannot be read".to_owned())?;
    if pending > 0 {
        return Err(format!(
            "{pending} migrations are pending; run `portcullis migrate`"
        ));
    }
    let theirs = app
        .store
        .clock()
        .await
        .map_err(|_| "the database's clock cannot be read".to_owned())?;
    match theirs.and_then(|theirs| excessive_skew(app.clock.now(), theirs)) {
        None => Ok(()),
        Some(skew) => Err(format!(
            "this machine's clock is {} s away from the database's",
            skew.as_secs()
        )),
    }
}
