//! From parameters to a typed request of one grant (auth0-wire-facts §1.2–1.4, §10 rows 17, 18, 22).
//!
//! Looks at the request alone: whether a realm or an audience exists is not known here.

use crate::token::audience::AudienceRequest;
use crate::{GrantType, Parameters, Problem, Reason, Scope, Secret};

/// What is asked of the token endpoint.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    Password(PasswordRequest),
    ClientCredentials(ClientCredentialsRequest),
}

/// Both password grants.
#[derive(Clone, Debug)]
pub struct PasswordRequest {
    /// `Password` or `PasswordRealm`.
    pub grant: GrantType,
    /// As typed; hidden, because people type passwords here.
    pub username: Secret,
    pub password: Secret,
    /// The directory; always there for `PasswordRealm`.
    pub realm: Option<String>,
    pub scope: Option<Scope>,
    pub(super) audience: AudienceRequest,
}

/// An application asks for itself.
#[derive(Clone, Debug)]
pub struct ClientCredentialsRequest {
    pub scope: Option<Scope>,
    pub(super) audience: AudienceRequest,
}

impl TokenRequest {
    /// Reads the parameters of the grant they name.
    ///
    /// Errors: `invalid_request` for what is missing or malformed, `unsupported_grant_type`.
    pub fn read(parameters: &Parameters) -> Result<Self, Reason> {
        let named = parameters.require("grant_type")?.expose();
        let unsupported = || Reason::UnsupportedGrantType(named.to_owned());
        let grant = GrantType::parse(named).ok_or_else(unsupported)?;
        Ok(match grant {
            GrantType::Password | GrantType::PasswordRealm => {
                Self::Password(read_password(grant, parameters)?)
            }
            GrantType::ClientCredentials => Self::ClientCredentials(ClientCredentialsRequest {
                scope: read_scope(parameters)?,
                audience: AudienceRequest::read(parameters),
            }),
        })
    }

    /// The grant.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Password(request) => request.grant,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
        }
    }
}

impl PasswordRequest {
    /// The audience as the request names it, if it does.
    pub fn audience(&self) -> Option<&str> {
        self.audience.audience.as_deref()
    }
}

fn read_password(grant: GrantType, parameters: &Parameters) -> Result<PasswordRequest, Reason> {
    let username = parameters.require("username")?.clone();
    let password = parameters.require("password")?.clone();
    if grant == GrantType::PasswordRealm {
        parameters.require("realm")?;
    }
    Ok(PasswordRequest {
        grant,
        username,
        password,
        realm: parameters.get("realm").map(str::to_owned),
        scope: read_scope(parameters)?,
        audience: AudienceRequest::read(parameters),
    })
}

/// A scope of nothing but spaces names no item: it counts as not sent, like an empty one.
fn read_scope(parameters: &Parameters) -> Result<Option<Scope>, Reason> {
    let invalid = |problem: Problem| Reason::InvalidParameter {
        name: "scope",
        problem,
    };
    let scope = parameters.get("scope").map(Scope::parse).transpose();
    Ok(scope.map_err(invalid)?.filter(|scope| !scope.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::testing::form;

    fn read(body: &str) -> Result<TokenRequest, Reason> {
        TokenRequest::read(&form(body))
    }

    const REALM: &str = "http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fpassword-realm";

    /// auth0-wire-facts §2.4 and §10 rows 18, 22.
    #[test]
    fn what_is_missing_is_named() {
        let realm = format!("grant_type={REALM}");
        for (body, missing) in [
            ("", "grant_type"),
            ("grant_type=", "grant_type"),
            ("grant_type=password&password=x", "username"),
            ("grant_type=password&username=ana", "password"),
            ("grant_type=password&username=ana&password=", "password"),
            ("grant_type=password", "username"),
            (&realm, "username"),
            (&format!("{realm}&username=ana&password=x"), "realm"),
            (&format!("{realm}&username=ana&password=x&realm="), "realm"),
        ] {
            assert_eq!(
                read(body).unwrap_err(),
                Reason::MissingParameter(missing),
                "{body}"
            );
        }
    }

    /// auth0-wire-facts §1.4: known to the vendor, not built.
    #[test]
    fn other_grants_are_unsupported_by_name() {
        for named in [
            "magic",
            "Password",
            "authorization_code",
            "refresh_token",
            "http://auth0.com/oauth/grant-type/mfa-otp",
            "http://auth0.com/oauth/grant-type/passwordless/otp",
            "urn:ietf:params:oauth:grant-type:device_code",
        ] {
            let refused = read(&format!("grant_type={named}")).unwrap_err();
            assert_eq!(
                refused.description(),
                format!("Unsupported grant type: {named}")
            );
        }
    }

    #[test]
    fn a_password_request_keeps_what_was_typed_and_hides_it() {
        let request =
            read("grant_type=password&username=+Ana&password=hunter2&realm=Staff").unwrap();
        assert_eq!(request.grant_type(), GrantType::Password);
        let shown = format!("{request:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("Ana"));
        let TokenRequest::Password(request) = request else {
            panic!("a password request")
        };
        assert_eq!(request.username.expose(), " Ana");
        assert_eq!(request.password.expose(), "hunter2");
        assert_eq!(request.realm.as_deref(), Some("Staff"));
        assert_eq!(request.scope, None);
    }

    #[test]
    fn a_scope_is_read_for_every_grant() {
        for grant in [
            "grant_type=password&username=ana&password=x",
            "grant_type=client_credentials",
        ] {
            let refused = read(&format!("{grant}&scope=%22")).unwrap_err();
            let problem = Problem::NotAScope;
            assert_eq!(
                refused,
                Reason::InvalidParameter {
                    name: "scope",
                    problem
                }
            );
            let (TokenRequest::Password(PasswordRequest { scope, .. })
            | TokenRequest::ClientCredentials(ClientCredentialsRequest { scope, .. })) =
                read(&format!("{grant}&scope=++")).unwrap();
            assert_eq!(scope, None);
        }
    }
}
