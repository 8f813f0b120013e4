//! Answers of the Management API: JSON, its error body, its rate-limit headers.
//!
//! Shape: `{statusCode, error, message, errorCode?}`. Never 5xx for what a caller can mend: SDKs retry those.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use storage::StoreError;

/// Why a management call is refused.
#[derive(Debug)]
pub enum Problem {
    /// 400 `invalid_body`; the message names the field and the remedy.
    InvalidBody(String),
    /// 400 `invalid_uri`.
    InvalidUri(String),
    /// 400 `invalid_query_string`.
    InvalidQuery(String),
    /// 400 `operation_not_supported`.
    NotSupported(String),
    /// 401; the message says what is wrong with the token.
    Unauthorized(&'static str),
    /// 403 `insufficient_scope`.
    InsufficientScope(Vec<&'static str>),
    /// 404 with the code of the resource (`inexistent_client`), or none.
    NotFound {
        code: Option<&'static str>,
        message: &'static str,
    },
    /// 409.
    Conflict(&'static str),
    /// 409; the message names what is there already.
    Exists(String),
    /// 413.
    TooLarge,
    /// 503: the hashing pool or the store has no room.
    Busy { retry_after: u64 },
    /// 500; the cause is logged, never told.
    Internal(String),
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidBody(_)
            | Self::InvalidUri(_)
            | Self::InvalidQuery(_)
            | Self::NotSupported(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Conflict(_) | Self::Exists(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_code(&self) -> Option<&'static str> {
        match self {
            Self::InvalidBody(_) => Some("invalid_body"),
            Self::InvalidUri(_) => Some("invalid_uri"),
            Self::InvalidQuery(_) => Some("invalid_query_string"),
            Self::NotSupported(_) => Some("operation_not_supported"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            Self::NotFound { code, .. } => *code,
            Self::Unauthorized(_)
            | Self::Conflict(_)
            | Self::Exists(_)
            | Self::TooLarge
            | Self::Busy { .. }
            | Self::Internal(_) => None,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::InvalidBody(text)
            | Self::InvalidUri(text)
            | Self::InvalidQuery(text)
            | Self::NotSupported(text)
            | Self::Exists(text) => text.clone(),
            Self::Unauthorized(text) | Self::Conflict(text) => (*text).to_owned(),
            Self::InsufficientScope(expected) => {
                format!(
                    "Insufficient scope, expected any of: {}",
                    expected.join(",")
                )
            }
            Self::NotFound { message, .. } => (*message).to_owned(),
            Self::TooLarge => "The request body is larger than 64 KiB.".to_owned(),
            Self::Busy { .. } => {
                "The server is busy. Try again after the time in Retry-After.".to_owned()
            }
            Self::Internal(_) => "An internal error occurred.".to_owned(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "store failed under a management call");
        Self::Busy { retry_after: 1 }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(cause, "management call failed");
        }
        let status = self.status();
        let mut body = json!({
            "statusCode": status.as_u16(),
            "error": status.canonical_reason().unwrap_or("Error"),
            "message": self.message(),
        });
        if let Some(code) = self.error_code() {
            body["errorCode"] = Value::from(code);
        }
        let mut response = answer(status, &body);
        if let Self::Busy { retry_after } = self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        response
    }
}

/// A JSON answer.
pub fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    dress(&mut response);
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = status.into_response();
    dress(&mut response);
    response
}

/// The headers clients read on every management answer. There is no limit to hit: they only must be numbers.
fn dress(response: &mut Response) {
    const RATE: [(&str, &str); 3] = [
        ("x-ratelimit-limit", "1000"),
        ("x-ratelimit-remaining", "999"),
        ("x-ratelimit-reset", "0"),
    ];
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in RATE {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
}
