//! `GET /.well-known/jwks.json` (RFC 7517): RSA keys only, since some clients fail on any other kind.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::directory::signing_keys;
use crate::request::RequestContext;

/// The public halves of the tenant's signing keys.
pub(crate) async fn key_set(cx: RequestContext) -> Response {
    match signing_keys(&cx.app, &cx.store).await {
        Ok(keys) => {
            let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
            axum::Json(json!({ "keys": keys })).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "signing keys not read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
