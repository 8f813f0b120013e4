//! One file a surface: from a reason to status, code and text, and the headers that surface has.

pub(crate) mod bearer;
pub(crate) mod dbconnections;
pub mod management;
pub(crate) mod oauth;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

/// JSON that nobody keeps.
pub(crate) fn unkept(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "application/json; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A JSON document that was made before.
pub(crate) fn document(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}
