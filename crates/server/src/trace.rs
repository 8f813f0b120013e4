//! An id for every request, in the answer and on every line the server's own log has about it.
//! The line that says how it ended is at debug level: log events are the record, this is for looking inside.
//!
//! No query, no body, no address: those belong to log events, which have retention and access rights.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use tokio::time::Instant;
use tracing::Instrument;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Runs the request inside a span and reports its outcome.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), path);
    let started = Instant::now();

    let mut response = next.run(request).instrument(span.clone()).await;

    let _entered = span.enter();
    let took = started.elapsed();
    tracing::debug!(
        status = response.status().as_u16(),
        micros = took.as_micros() as u64,
        "answered"
    );
    response
        .headers_mut()
        .insert("x-request-id", HeaderValue::from(id));
    response
}
