//! An id for every request, in the answer and on every line the server's own log has about it.
//! The line that says how it ended is at debug level: log events are the record, this is for looking inside.
//!
//! No query, no body, no address: those belong to log events, which have retention and access rights.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use tokio::time::Instant;
use tracing::Instrument;

/// Runs the request inside a span and reports its outcome.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    // Random, since a counter would tell everybody how busy the server is.
    let id = keys::prefixed_id("", 16, &keys::SystemEntropy);
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
    response.headers_mut().insert(
        "x-request-id",
        HeaderValue::from_str(&id).expect("letters and digits are a header value"),
    );
    response
}
