//! What a bearer of a verified Management API token may do: the `scope` claim and nothing else.
//!
//! Signature, issuer, audience and times were checked before; those are not looked at here.

use model::ClientId;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::Scope;

/// Who calls the Management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementCaller {
    /// `sub`: `<client_id>@clients`, or a user.
    pub subject: String,
    /// `azp`, or `client_id` in RFC 9068's dialect.
    pub client_id: Option<ClientId>,
    scopes: Scope,
}

/// A token of ours always has these claims in these types; one that has not is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("claim {0} is missing or not a string")]
pub struct UnreadableClaims(pub &'static str);

/// None of the scopes that would do is there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Insufficient scope, expected any of: {}", .expected.join(","))]
pub struct InsufficientScope {
    pub expected: Vec<&'static str>,
}

impl ManagementCaller {
    /// Reads the claims of a token that was verified.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, UnreadableClaims> {
        let text = |name: &'static str| match claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(UnreadableClaims(name)),
        };
        let client_id = match text("azp")? {
            Some(azp) => Some(azp),
            None => text("client_id")?,
        };
        Ok(Self {
            subject: text("sub")?.ok_or(UnreadableClaims("sub"))?.to_owned(),
            client_id: client_id.map(ClientId::new),
            scopes: Scope::of(text("scope")?.unwrap_or_default().split(' ')),
        })
    }

    /// What the token holds.
    pub fn scopes(&self) -> &Scope {
        &self.scopes
    }

    /// Asks for one of these scopes; which one it is makes no difference.
    pub fn require_any(&self, expected: &[&'static str]) -> Result<(), InsufficientScope> {
        if expected.iter().any(|scope| self.scopes.contains(scope)) {
            return Ok(());
        }
        let expected = expected.to_vec();
        Err(InsufficientScope { expected })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Result<ManagementCaller, UnreadableClaims> {
        ManagementCaller::read(claims.as_object().unwrap())
    }

    #[test]
    fn one_of_the_expected_scopes_is_enough() {
        let claims = json!({"sub": "a@clients", "azp": "a", "scope": "read:users update:users"});
        let caller = read(&claims).unwrap();
        assert_eq!(caller.client_id, Some(ClientId::new("a")));
        assert_eq!(caller.require_any(&["read:users"]), Ok(()));
        assert_eq!(caller.require_any(&["read:logs", "update:users"]), Ok(()));
        for other in [
            "read:user",
            "read:users ",
            "READ:USERS",
            "",
            "read:users update:users",
        ] {
            assert!(caller.require_any(&[other]).is_err(), "{other:?}");
        }
        assert!(caller.require_any(&[]).is_err());
    }

    /// auth0-wire-facts §2.7.
    #[test]
    fn the_refusal_says_what_would_do() {
        let caller = read(&json!({"sub": "a@clients", "client_id": "a"})).unwrap();
        assert_eq!(caller.client_id, Some(ClientId::new("a")));
        let refused = caller.require_any(&["read:clients", "update:clients"]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "Insufficient scope, expected any of: read:clients,update:clients"
        );
    }

    #[test]
    fn claims_of_other_types_are_not_believed() {
        for (claims, name) in [
            (json!({"scope": "read:users"}), "sub"),
            (json!({"sub": 7}), "sub"),
            (json!({"sub": "a", "scope": ["read:users"]}), "scope"),
            (json!({"sub": "a", "azp": null}), "azp"),
        ] {
            assert_eq!(read(&claims), Err(UnreadableClaims(name)), "{claims}");
        }
    }
}
