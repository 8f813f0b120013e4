//! `Authorization: Basic` as a client's credentials (RFC 6749 §2.3.1, RFC 7617): id and secret are
//! percent-encoded, joined by a colon, and sent as Base64.
//!
//! `+` is taken as itself, not as a space: clients that do not encode at all are common, those that send form
//! encoding with spaces in a secret are not. Other schemes belong to others and are ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Reason, Secret, percent};

/// What a Basic header says.
pub(crate) struct BasicCredentials {
    pub(crate) id: String,
    pub(crate) secret: Secret,
}

/// Reads the value of the header; `None` for another scheme.
///
/// Errors: [`Reason::MalformedBasic`].
pub(crate) fn read(authorization: &str) -> Result<Option<BasicCredentials>, Reason> {
    let value = authorization.trim();
    let (scheme, encoded) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    decode(encoded.trim_start())
        .map(Some)
        .ok_or(Reason::MalformedBasic)
}

fn decode(encoded: &str) -> Option<BasicCredentials> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (id, secret) = bytes.split_at_checked(colon)?;
    let secret = secret.strip_prefix(b":")?;
    let [id, secret] = [id, secret].map(|half| {
        percent::decode(half)
            .ok()
            .filter(|text| !text.contains(char::is_control))
    });
    Some(BasicCredentials {
        id: id?,
        secret: Secret::new(secret?),
    })
}
