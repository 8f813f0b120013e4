//! What tokens say (auth0-wire-facts §1.5–1.7; RFC 9068 §2.2; OpenID Connect Core §2, §5.1).
//!
//! Claims are made of an approval and of values passed in; signing them is the work of `keys`.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use model::{SigningAlgorithm, TokenDialect, User, wire_time};
use serde::Serialize;
use serde_json::Value;

use super::approved::{Approved, Subject};
use crate::Scope;

/// The claims of an access token. The order of fields is the order on the wire.
#[derive(Clone, Debug, Serialize)]
pub struct AccessTokenClaims {
    iss: String,
    sub: String,
    aud: AudienceClaim,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(flatten)]
    issued_to: IssuedTo,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<String>>,
}

/// `aud`: a string, or a list where the token is good for `/userinfo` too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AudienceClaim {
    One(String),
    Several([String; 2]),
}

/// The claims in which the dialects differ.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum IssuedTo {
    Vendor { gty: &'static str, azp: String },
    Rfc9068 { client_id: String, jti: String },
}

/// The claims of an ID token. There is no nonce: nobody sent one, and SDKs refuse a token that has one.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    user: UserClaims,
}

/// What `/userinfo` says (OpenID Connect Core §5.3.2).
#[derive(Clone, Debug, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: UserClaims,
}

impl UserInfo {
    /// What the scope allows. `updated_at` is when the user last changed.
    pub fn of(user: &User, updated_at: Timestamp, scope: &Scope) -> Self {
        let mut claims = UserClaims::of(user, scope);
        if scope.contains("profile") {
            claims.updated_at = Some(wire_time(updated_at));
        }
        Self {
            sub: user.user_id.as_str().to_owned(),
            claims,
        }
    }
}

/// What a scope lets a token say of the user (OpenID Connect Core §5.4). `address` says nothing: users have none.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct UserClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_verified: Option<bool>,
}

impl UserClaims {
    pub(super) fn of(user: &User, scope: &Scope) -> Self {
        let text = |name: &str| {
            user.rest
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let mut claims = Self::default();
        if scope.contains("profile") {
            claims.name.clone_from(&user.name);
            claims.family_name.clone_from(&user.family_name);
            claims.given_name.clone_from(&user.given_name);
            claims.middle_name = text("middle_name");
            claims.nickname.clone_from(&user.nickname);
            claims.picture.clone_from(&user.picture);
        }
        if scope.contains("email") {
            claims.email.clone_from(&user.email);
            claims.email_verified = user.email.as_ref().map(|_| user.email_verified);
        }
        if scope.contains("phone") {
            claims.phone_number = text("phone_number");
            let verified = user.rest.get("phone_verified").and_then(Value::as_bool);
            claims.phone_number_verified = verified.filter(|_| claims.phone_number.is_some());
        }
        claims
    }
}

impl Approved {
    /// The claims of the access token. `issuer` ends with a slash; `jti` is a fresh random id, used where the
    /// dialect has one.
    pub fn access_token_claims(
        &self,
        issuer: &str,
        now: Timestamp,
        jti: String,
    ) -> AccessTokenClaims {
        let iat = now.as_second();
        let client_id = self.client_id.as_str();
        let dialect = self
            .api
            .as_ref()
            .map_or(TokenDialect::AccessToken, |api| api.dialect);
        let (issued_to, says_permissions) = match dialect {
            TokenDialect::AccessToken => (self.vendor(), false),
            TokenDialect::AccessTokenAuthz => (self.vendor(), true),
            TokenDialect::Rfc9068Profile => (self.rfc9068(jti), false),
            TokenDialect::Rfc9068ProfileAuthz => (self.rfc9068(jti), true),
        };
        let api = self.api.as_ref().filter(|_| says_permissions);
        AccessTokenClaims {
            iss: issuer.to_owned(),
            sub: match &self.subject {
                Subject::User(user) => user.id.as_str().to_owned(),
                Subject::Client => format!("{client_id}@clients"),
            },
            aud: self.audience_claim(issuer),
            iat,
            exp: iat.saturating_add(i64::from(self.lifetime())),
            scope: (!self.scope.is_empty()).then(|| self.scope.to_string()),
            issued_to,
            permissions: api.map(|api| api.permissions.clone()),
        }
    }

    /// The claims of the ID token, if `openid` was granted to a user.
    pub fn id_token_claims(&self, issuer: &str, now: Timestamp) -> Option<IdTokenClaims> {
        let Subject::User(user) = &self.subject else {
            return None;
        };
        let iat = now.as_second();
        self.scope.contains("openid").then(|| IdTokenClaims {
            iss: issuer.to_owned(),
            sub: user.id.as_str().to_owned(),
            aud: self.client_id.as_str().to_owned(),
            iat,
            exp: iat.saturating_add(i64::from(user.id_token_lifetime)),
            user: user.claims.clone(),
        })
    }

    fn vendor(&self) -> IssuedTo {
        IssuedTo::Vendor {
            gty: self.grant.gty(),
            azp: self.client_id.as_str().to_owned(),
        }
    }

    fn rfc9068(&self, jti: String) -> IssuedTo {
        IssuedTo::Rfc9068 {
            client_id: self.client_id.as_str().to_owned(),
            jti,
        }
    }

    /// `/userinfo` reads RS256 only, so an API with a shared secret keeps its token to itself.
    fn audience_claim(&self, issuer: &str) -> AudienceClaim {
        let userinfo = format!("{issuer}userinfo");
        let Some(api) = &self.api else {
            return AudienceClaim::One(userinfo);
        };
        let about_user = matches!(self.subject, Subject::User(_)) && self.scope.contains("openid");
        match api.alg {
            SigningAlgorithm::RS256 if about_user => {
                AudienceClaim::Several([api.identifier.clone(), userinfo])
            }
            SigningAlgorithm::RS256 | SigningAlgorithm::HS256 => {
                AudienceClaim::One(api.identifier.clone())
            }
        }
    }
}
