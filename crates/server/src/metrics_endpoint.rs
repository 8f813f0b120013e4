//! `/metrics` in Prometheus text, on a listener of its own. No label names a user, an address or a client.

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use metrics_process::Collector;

/// A service that renders what was recorded, with the figures of the process at that moment.
pub fn router(handle: PrometheusHandle) -> Router {
    let process = Collector::default();
    process.describe();
    let render = move || {
        process.collect();
        std::future::ready(handle.render())
    };
    Router::new().route("/metrics", get(render))
}
