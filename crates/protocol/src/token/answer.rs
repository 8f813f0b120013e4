//! The body of a successful answer (RFC 6749 §5.1; auth0-wire-facts §1.1).

use std::fmt;

use serde::Serialize;

/// Tokens, as the caller gets them. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenAnswer {
    pub access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Where it is not what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Seconds the access token lives.
    pub expires_in: u32,
    pub token_type: &'static str,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("scope", &self.scope)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
