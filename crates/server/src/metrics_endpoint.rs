//! `/metrics` in Prometheus text, on a listener of its own. No label names a user, an address or a client.

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

/// A service that renders what was recorded.
pub fn router(handle: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(move || std::future::ready(handle.render())))
}
