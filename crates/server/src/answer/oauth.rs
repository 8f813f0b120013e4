//! Answers of the token endpoint: RFC 6749 §5.1 and §5.2, with the vendor's statuses (auth0-wire-facts §2).

use axum::response::{IntoResponse, Response};
use guard::Reason as GuardReason;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use protocol::{ErrorCode, Reason, TokenAnswer};
use serde_json::json;

use crate::protection::KnownRefusal;
use crate::request::{NoContext, RequestContext};

/// Why a call is refused, with what the answer's headers must say.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pace: Pace,
}

/// When to come back, as far as the caller may know.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Unsaid,
    /// A shield: numbers for clients that parse them, nothing of a bucket's state.
    Shield,
    /// When there is room again, and the size of the bucket where it is told.
    Limit {
        size: u32,
        until: Timestamp,
    },
    /// Seconds.
    RetryAfter(u64),
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let pace = if matches!(reason, Reason::TemporarilyUnavailable) {
            Pace::RetryAfter(1)
        } else {
            Pace::Unsaid
        };
        Self { reason, pace }
    }
}

impl Refusal {
    /// 503 with the seconds after which it is worth trying again.
    pub(crate) fn busy(seconds: u64) -> Self {
        metrics::counter!("portcullis_refusals_total", "reason" => "busy").increment(1);
        Self {
            reason: Reason::TemporarilyUnavailable,
            pace: Pace::RetryAfter(seconds.max(1)),
        }
    }

    /// What the guard refused.
    pub(crate) fn by_guard(cx: &RequestContext, known: &KnownRefusal) -> Self {
        let (reason, pace, label) = match known.reason {
            GuardReason::Blocked => (Reason::BruteForceBlocked, Pace::Shield, "brute_force"),
            GuardReason::SuspiciousIp => (Reason::SuspiciousIp, Pace::Shield, "suspicious_ip"),
            GuardReason::Pool => (
                Reason::TooManyRequests,
                Pace::Limit {
                    size: 0,
                    until: known.until,
                },
                "pool",
            ),
            GuardReason::SameUser => {
                let size = cx.facts.policy.same_user.max_attempts;
                (
                    Reason::SameUserLimit,
                    Pace::Limit {
                        size,
                        until: known.until,
                    },
                    "same_user",
                )
            }
        };
        metrics::counter!("portcullis_refusals_total", "reason" => label).increment(1);
        Self { reason, pace }
    }

    /// The answer.
    pub(crate) fn into_response(self, now: Timestamp) -> Response {
        let code = self.reason.code();
        let body =
            json!({ "error": code.as_str(), "error_description": self.reason.description() });
        let status = status_of(&self.reason);
        let mut response = (status, body.to_string()).into_response();
        dress(response.headers_mut());
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6749 §5.2: a client that came with Basic is told that it is wanted.
            let challenge = HeaderValue::from_static("Basic realm=\"oauth/token\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        self.pace.write(response.headers_mut(), now);
        response
    }
}

impl Pace {
    fn write(self, headers: &mut HeaderMap, now: Timestamp) {
        let mut rate = |limit: u64, reset: i64| {
            for (name, value) in [
                ("x-ratelimit-limit", HeaderValue::from(limit)),
                ("x-ratelimit-remaining", HeaderValue::from(0)),
                ("x-ratelimit-reset", HeaderValue::from(reset)),
            ] {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        match self {
            Self::Unsaid => {}
            Self::Shield => rate(0, now.as_second()),
            Self::Limit { size, until } => {
                // Rounded up, so that coming back at that second is not too early.
                let wait = until.duration_since(now).as_millis().max(0) as u64;
                rate(u64::from(size), until.as_second() + 1);
                headers.insert(
                    header::RETRY_AFTER,
                    HeaderValue::from(wait.div_ceil(1_000).max(1)),
                );
            }
            Self::RetryAfter(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
    }
}

/// The token answer.
pub(crate) fn success(answer: &TokenAnswer) -> Response {
    let body = serde_json::to_string(answer).expect("a token answer has only text and numbers");
    let mut response = (StatusCode::OK, body).into_response();
    dress(response.headers_mut());
    response
}

impl IntoResponse for NoContext {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::Host => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::UnknownHost => (StatusCode::NOT_FOUND, "not_found"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::Peer => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        let body = json!({ "error": code, "error_description": self.to_string() });
        let mut response = (status, body.to_string()).into_response();
        dress(response.headers_mut());
        if self == Self::Unavailable {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        response
    }
}

/// 405 for any method but POST.
pub(crate) fn method_refused() -> Response {
    let body = json!({ "error": "method_not_allowed", "error_description": "Use POST." });
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, body.to_string()).into_response();
    dress(response.headers_mut());
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// RFC 6749 §5.1: tokens and refusals are never cached.
fn dress(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// The status of each code; where one code has two, the reason decides.
fn status_of(reason: &Reason) -> StatusCode {
    match reason.code() {
        ErrorCode::AccessDenied if matches!(reason, Reason::Unauthorized) => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::InvalidRequest if matches!(reason, Reason::UnknownRealm(_)) => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::InvalidRequest if matches!(reason, Reason::BodyTooLarge) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorCode::InvalidClient | ErrorCode::PasswordLeaked => StatusCode::UNAUTHORIZED,
        ErrorCode::AccessDenied
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::Unauthorized => StatusCode::FORBIDDEN,
        ErrorCode::TooManyAttempts | ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::UnsupportedGrantType => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}
