//! Answers to the bearer of an access token (RFC 6750 §3): the challenge in `WWW-Authenticate`, the reason in the body.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use protocol::{BearerRefusal, UserInfo};
use serde_json::json;

/// What was asked for.
pub(crate) fn told(info: &UserInfo) -> Response {
    let mut response = axum::Json(info).into_response();
    forbid_caching(&mut response);
    response
}

/// Why nothing is told.
pub(crate) fn refused(refusal: BearerRefusal) -> Response {
    let (status, code) = match refusal {
        BearerRefusal::Missing => (StatusCode::UNAUTHORIZED, None),
        BearerRefusal::SentTwice => (StatusCode::BAD_REQUEST, Some("invalid_request")),
        BearerRefusal::InvalidToken => (StatusCode::UNAUTHORIZED, Some("invalid_token")),
        BearerRefusal::NoOpenid => (StatusCode::FORBIDDEN, Some("insufficient_scope")),
    };
    let challenge = match code {
        // RFC 6750 §3.1: whoever brought nothing is told nothing more.
        None => "Bearer".to_owned(),
        Some(code) => format!("Bearer error=\"{code}\", error_description=\"{refusal}\""),
    };
    let mut response = if status == StatusCode::UNAUTHORIZED {
        // The wire's body, which clients show as it is.
        (status, "Unauthorized").into_response()
    } else {
        let body = json!({ "error": code, "error_description": refusal.to_string() });
        (status, axum::Json(body)).into_response()
    };
    let challenge = HeaderValue::from_str(&challenge).expect("reasons are printable ASCII");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    forbid_caching(&mut response);
    response
}

/// The database cannot be asked.
pub(crate) fn unavailable() -> Response {
    let body = json!({ "error": "temporarily_unavailable", "error_description": "The server is busy. Try again after the time in Retry-After." });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(1));
    response
}

fn forbid_caching(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
