//! One file a surface: from a reason to status, code and text, and the headers that surface has.

pub(crate) mod bearer;
pub(crate) mod dbconnections;
pub mod management;
pub(crate) mod oauth;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;

/// A JSON document that was made before.
pub(crate) fn document(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}
