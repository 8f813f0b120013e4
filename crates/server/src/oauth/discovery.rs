//! `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).

use axum::response::Response;

use crate::answer::document;
use crate::request::RequestContext;

/// The tenant's discovery document.
pub(crate) async fn configuration(cx: RequestContext) -> Response {
    document(cx.facts.configuration.clone())
}
