//! `GET /.well-known/jwks.json` (RFC 7517): RSA keys only, since some clients fail on any other kind.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::answer::document;
use crate::directory::signing_keys;
use crate::request::RequestContext;

/// The public halves of the tenant's signing keys.
pub(crate) async fn key_set(cx: RequestContext) -> Response {
    match signing_keys(&cx.app, &cx.store).await {
        Ok(keys) => document(keys.published.clone()),
        Err(error) => {
            tracing::error!(%error, "signing keys not read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
