//! Who calls the token endpoint: what the call presents (RFC 6749 §2.3.1; auth0-wire-facts §3, §10 rows 9, 10, 20)
//! and what that makes the caller (§10 row 29).
//!
//! [`Caller`] is the proof: [`authentication_rule`] alone makes one. Secrets are compared by the server.

use std::sync::Arc;

use model::{Client, ClientId};

use crate::client_credentials_header as header;
use crate::parameters::check_length;
use crate::{GrantType, Parameters, Reason, Secret};

/// A client as the call names it, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedClient {
    id: ClientId,
    secret: PresentedSecret,
}

/// The secret, and the way it came. Both ways are taken from every client that has a secret (§10 row 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedSecret {
    None,
    Basic(Secret),
    Body(Secret),
}

impl PresentedClient {
    /// Reads the `Authorization` header, if there is one, and the body.
    ///
    /// Errors: two ways at once and two different ids are `invalid_request`; no id or an unreadable header,
    /// `invalid_client`.
    pub fn read(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, Reason> {
        let in_body = parameters.get("client_id");
        let body_secret = parameters.secret("client_secret");
        let (id, secret) = match authorization.map(header::read).transpose()?.flatten() {
            Some(_) if body_secret.is_some() => return Err(Reason::TwoClientAuthentications),
            Some(basic) if in_body.is_some_and(|id| id != basic.id) => {
                return Err(Reason::ConflictingClientIds);
            }
            Some(basic) => {
                check_length("client_id", &basic.id)?;
                check_length("client_secret", basic.secret.expose())?;
                let secret = match basic.secret.expose() {
                    "" => PresentedSecret::None,
                    _ => PresentedSecret::Basic(basic.secret),
                };
                (basic.id, secret)
            }
            None => {
                let secret = body_secret
                    .cloned()
                    .map_or(PresentedSecret::None, PresentedSecret::Body);
                (in_body.unwrap_or_default().to_owned(), secret)
            }
        };
        if id.is_empty() {
            return Err(Reason::MissingClientId);
        }
        Ok(Self {
            id: ClientId::new(id),
            secret,
        })
    }

    /// The client it claims to be.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The secret to compare, however it came.
    pub fn secret(&self) -> Option<&str> {
        match &self.secret {
            PresentedSecret::None => None,
            PresentedSecret::Basic(secret) | PresentedSecret::Body(secret) => Some(secret.expose()),
        }
    }

    /// The secret with the way it came.
    pub fn presented_secret(&self) -> &PresentedSecret {
        &self.secret
    }
}

/// How far a caller is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStanding {
    /// The secret was right.
    Authenticated,
    /// Anybody may say this client id.
    Public,
}

/// The client behind a call, as far as [`authentication_rule`] believes it. Nothing else makes one.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Arc<Client>,
    standing: ClientStanding,
}

impl Caller {
    /// The application.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How far it is believed.
    pub fn standing(&self) -> ClientStanding {
        self.standing
    }

    /// Whether this very call was authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.standing == ClientStanding::Authenticated
    }

    /// Whether the application may use the grant (auth0-wire-facts §2.4).
    ///
    /// Errors: not among its grants; users' passwords are not for third parties; client credentials are not for
    /// whoever has none (RFC 6749 §4.4).
    pub fn require_grant(&self, grant: GrantType) -> Result<(), Reason> {
        let first_party_only = match grant {
            GrantType::Password | GrantType::PasswordRealm => true,
            GrantType::ClientCredentials => false,
        };
        if !self.client.may_use(grant.as_str()) || (first_party_only && !self.client.is_first_party)
        {
            return Err(Reason::GrantNotAllowed(grant));
        }
        match (grant, self.standing) {
            (GrantType::ClientCredentials, ClientStanding::Public) => Err(Reason::PublicClient),
            _ => Ok(()),
        }
    }
}

/// Decides what the caller is. `secret_matches` is `None` where no secret was presented.
///
/// A public client is never authenticated, whatever it sends: its secret is no secret. A wrong one is refused all
/// the same. Unknown client, wrong secret and missing secret are one answer.
pub fn authentication_rule(
    client: Option<Arc<Client>>,
    secret_matches: Option<bool>,
) -> Result<Caller, Reason> {
    let client = client.ok_or(Reason::Unauthorized)?;
    let standing = match (client.is_public(), secret_matches) {
        (true, None | Some(true)) => ClientStanding::Public,
        (false, Some(true)) => ClientStanding::Authenticated,
        (_, Some(false)) | (false, None) => return Err(Reason::Unauthorized),
    };
    Ok(Caller { client, standing })
}

#[cfg(test)]
mod tests;
