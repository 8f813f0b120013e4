//! What a template may say: the documented variables, filled by the server.
//!
//! Wire: auth0-wire-facts §7.2. There is no address database, so `user.city` and `user.country` are empty.

use serde_json::{Map, Value, json};

/// Values for one mail. What is left empty renders as nothing.
#[derive(Clone, Default, PartialEq)]
pub struct Variables {
    /// The user's document: `email`, `name`, `user_metadata`, …
    pub user: Map<String, Value>,
    /// Where the attempt came from (`user.source_ip`).
    pub source_ip: Option<String>,
    /// `name`, `clientID`, `client_metadata`; also under the older name `client`.
    pub application: Map<String, Value>,
    /// `connection.name`.
    pub connection: Option<String>,
    /// The tenant's name.
    pub tenant: String,
    pub friendly_name: Option<String>,
    pub support_email: Option<String>,
    pub support_url: Option<String>,
    /// The one-time link.
    pub url: Option<String>,
    /// The one-time code.
    pub code: Option<String>,
    /// A language tag, as `fr` or `pt-BR`.
    pub request_language: Option<String>,
    /// `organization`, `inviter`, `custom_domain`, …
    pub rest: Map<String, Value>,
}

impl Variables {
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut user = self.user.clone();
        let place = [
            ("source_ip", self.source_ip.as_deref()),
            ("city", None),
            ("country", None),
        ];
        for (name, value) in place {
            user.insert(name.to_owned(), json!(value.unwrap_or_default()));
        }
        let mut all = self.rest.clone();
        let known = json!({
            "user": user,
            "application": self.application,
            "client": self.application,
            "connection": { "name": self.connection },
            "tenant": self.tenant,
            "friendly_name": self.friendly_name.as_ref().unwrap_or(&self.tenant),
            "support_email": self.support_email,
            "support_url": self.support_url,
            "url": self.url,
            "code": self.code,
            "request_language": self.request_language,
        });
        if let Value::Object(known) = known {
            all.extend(known);
        }
        all
    }
}

/// Links and codes are secrets, users are people.
impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}
