//! The RFC endpoints: the token endpoint, discovery, keys, userinfo.

pub(crate) mod client_authentication;
pub(crate) mod discovery;
pub(crate) mod jwks;
pub(crate) mod token;
pub(crate) mod userinfo;

use axum::extract::rejection::BytesRejection;
use http::StatusCode;
use protocol::Reason;

/// Why a body did not arrive.
pub(crate) fn unread(rejection: &BytesRejection) -> Reason {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Reason::BodyTooLarge,
        _ => Reason::UnreadableBody,
    }
}
