//! The bearer of an access token (RFC 6750 §2), and what its token must say to be let in at `/userinfo`
//! (OpenID Connect Core §5.3).
//!
//! Signature, issuer, audience and times are checked by `keys`, opaque tokens by their row; statuses are decided in
//! `server`.

use jiff::Timestamp;
use model::{User, UserId};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Scope, Secret, UnreadableClaims};

/// Why a bearer is turned away, in the words of RFC 6750 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BearerRefusal {
    /// No token: the answer says nothing but how to bring one.
    #[error("Unauthorized")]
    Missing,
    #[error(
        "The access token was sent twice, in the Authorization header and in the body. Send it once."
    )]
    SentTwice,
    #[error(
        "The access token is not one of this server for this address, or it has expired. Get a new one."
    )]
    InvalidToken,
    #[error("The access token was issued without the scope openid. Request it at login.")]
    NoOpenid,
}

/// The token of an `Authorization` header; the scheme's case does not matter (RFC 9110 §11.1).
pub fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The one token of a request, from its header or from the form parameter `access_token`.
pub fn presented_token(header: Option<&str>, body: Option<&str>) -> Result<Secret, BearerRefusal> {
    match (header.and_then(bearer_token), body) {
        (Some(token), None) | (None, Some(token)) => Ok(Secret::new(token.to_owned())),
        (Some(_), Some(_)) => Err(BearerRefusal::SentTwice),
        (None, None) => Err(BearerRefusal::Missing),
    }
}

/// What a good token says at `/userinfo`, whatever its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfoToken {
    pub user_id: UserId,
    pub scope: Scope,
    pub issued_at: Timestamp,
}

impl UserInfoToken {
    /// Reads the claims of a token that was verified.
    ///
    /// Errors: a claim that every token of ours has is not there.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, UnreadableClaims> {
        let text = |name: &'static str| {
            let claim = claims.get(name).and_then(Value::as_str);
            claim.ok_or(UnreadableClaims(name))
        };
        let iat = claims.get("iat").and_then(Value::as_i64);
        let iat = iat.and_then(|second| Timestamp::from_second(second).ok());
        Ok(Self {
            user_id: UserId::new(text("sub")?),
            scope: Scope::of(text("scope").unwrap_or_default().split(' ')),
            issued_at: iat.ok_or(UnreadableClaims("iat"))?,
        })
    }

    /// Whether the bearer is told about this user, made at `created_at`. A token for whoever had the id before is not
    /// for him, to the second that tokens know.
    ///
    /// Errors: no such user, blocked, a user of that id who came later; no `openid` in the scope.
    pub fn admit(&self, user: Option<(&User, Timestamp)>) -> Result<(), BearerRefusal> {
        if !self.scope.contains("openid") {
            return Err(BearerRefusal::NoOpenid);
        }
        let (user, created_at) = user.ok_or(BearerRefusal::InvalidToken)?;
        let is_newcomer = created_at.as_second() > self.issued_at.as_second();
        if user.blocked || user.user_id != self.user_id || is_newcomer {
            return Err(BearerRefusal::InvalidToken);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::testing::user;

    #[test]
    fn one_token_is_read_from_one_place() {
        let found =
            |header, body| presented_token(header, body).map(|token| token.expose().to_owned());
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
            assert_eq!(found(Some(header), None), Ok("a.b.c".to_owned()));
        }
        assert_eq!(found(None, Some("t")), Ok("t".to_owned()));
        assert_eq!(
            found(Some("Bearer t"), Some("t")),
            Err(BearerRefusal::SentTwice)
        );
        for header in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer  "),
            Some("Basic t"),
            Some("t"),
        ] {
            assert_eq!(
                found(header, None),
                Err(BearerRefusal::Missing),
                "{header:?}"
            );
        }
    }

    #[test]
    fn who_is_told() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let ana = user();
        let token = |scope: &str| {
            let claims = json!({"sub": ana.user_id, "scope": scope, "iat": 1_000});
            UserInfoToken::read(claims.as_object().unwrap()).unwrap()
        };
        let mut blocked = ana.clone();
        blocked.blocked = true;
        let mut other = ana.clone();
        other.user_id = UserId::new("auth0|other");
        let invalid = Err(BearerRefusal::InvalidToken);
        let open = token("openid email");
        for (token, user, told) in [
            (&open, Some((&ana, second(1_000))), Ok(())),
            (&open, Some((&ana, second(1_001))), invalid),
            (&open, Some((&blocked, second(1))), invalid),
            (&open, Some((&other, second(1))), invalid),
            (&open, None, invalid),
            (
                &token("email"),
                Some((&ana, second(1))),
                Err(BearerRefusal::NoOpenid),
            ),
            (
                &token(""),
                Some((&ana, second(1))),
                Err(BearerRefusal::NoOpenid),
            ),
        ] {
            assert_eq!(token.admit(user), told);
        }
    }
}
