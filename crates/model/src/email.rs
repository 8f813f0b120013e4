//! How a tenant sends mail and what its mails say: `emails/provider` and `email-templates` of the Management API.
//!
//! Wire: auth0-wire-facts §7.1. What may stand in them is judged where they come in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tenant's own mail server, without its password. The one kind of provider that is built is `smtp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailProvider {
    pub enabled: bool,
    /// The sender where a template names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_from_address: Option<String>,
    pub smtp_host: String,
    pub smtp_port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_user: Option<String>,
    /// Kept and given back; nothing in it does anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
}

/// A tenant's own text of one kind of mail; the names are those of the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailTemplate {
    /// Which mail it is, as `verify_email`.
    pub template: String,
    pub body: String,
    /// The sender; empty for the provider's default.
    pub from: String,
    pub subject: String,
    /// Where a link of the mail leads in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_url: Option<String>,
    /// How long a link of the mail lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_lifetime_in_seconds: Option<u32>,
    /// Whether `result_url` learns the user's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_email_in_redirect: Option<bool>,
    /// A mail whose template is disabled is not sent.
    pub enabled: bool,
}
