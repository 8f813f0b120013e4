//! The grant types that are built, with their names on the wire (auth0-wire-facts §1.4).

use std::fmt;

/// A grant that the token endpoint serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// RFC 6749 §4.3.
    Password,
    /// The vendor's: the password grant with a named directory.
    PasswordRealm,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

impl GrantType {
    /// All of them, as discovery lists them.
    pub const ALL: [Self; 3] = [Self::ClientCredentials, Self::Password, Self::PasswordRealm];

    /// Reads the wire name; `None` for what is not built, known to the vendor or not.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// The wire name, as in `grant_type` and in a client's `grant_types`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordRealm => "http://auth0.com/oauth/grant-type/password-realm",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The short word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordRealm => "password-realm",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The `gty` claim (auth0-wire-facts §1.6, §10 row 13).
    pub(super) fn gty(self) -> &'static str {
        match self {
            Self::Password | Self::PasswordRealm => "password",
            Self::ClientCredentials => "client-credentials",
        }
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
