//! `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).

use axum::Json;
use serde_json::Value;

use crate::request::RequestContext;

/// The tenant's discovery document.
pub(crate) async fn configuration(cx: RequestContext) -> Json<Value> {
    Json(protocol::discovery::configuration(&cx.tenant().issuer()))
}
