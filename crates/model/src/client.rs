//! An application (wire: client).
//!
//! The fields that decide something are typed; the others are kept as they were sent and given back.
//! Secrets are not part of the document: a record carries their digest and their sealed copy beside it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ClientId, HeaderTrust};

/// The document of an application, as the Management API shows it (without its secret).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub client_id: ClientId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_type: Option<ApplicationType>,
    /// Absent means public for native and single-page applications, confidential otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// The dashboard's **Trust Token Endpoint IP Header**.
    #[serde(default)]
    pub is_token_endpoint_ip_header_trusted: bool,
    #[serde(default)]
    pub grant_types: Vec<String>,
    #[serde(default = "yes")]
    pub is_first_party: bool,
    #[serde(default)]
    pub jwt_configuration: JwtConfiguration,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Client {
    /// Whether this application keeps no secret: it can never be authenticated, whatever it sends.
    pub fn is_public(&self) -> bool {
        match self.token_endpoint_auth_method {
            Some(TokenEndpointAuthMethod::None) => true,
            Some(
                TokenEndpointAuthMethod::ClientSecretPost
                | TokenEndpointAuthMethod::ClientSecretBasic,
            ) => false,
            None => matches!(
                self.app_type,
                Some(ApplicationType::Native | ApplicationType::Spa)
            ),
        }
    }

    /// Whether the application was given this grant type.
    pub fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|granted| granted == grant_type)
    }
}

/// An application with its secret, as storage keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientRecord {
    pub client: Client,
    /// SHA-256 of the secret, to compare.
    pub secret_digest: [u8; 32],
    /// The secret sealed under the root key: the wire gives it back, and HS256 tokens are signed with it.
    pub secret_sealed: Vec<u8>,
    /// From where its trusted header is taken.
    pub header_trust: HeaderTrust,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// `app_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    Native,
    Spa,
    RegularWeb,
    NonInteractive,
}

/// `token_endpoint_auth_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    None,
    ClientSecretPost,
    ClientSecretBasic,
}

/// `jwt_configuration`: how ID tokens are signed and how long they live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtConfiguration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<SigningAlgorithm>,
    /// Seconds.
    #[serde(default = "ten_hours")]
    pub lifetime_in_seconds: u32,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Default for JwtConfiguration {
    fn default() -> Self {
        Self {
            alg: None,
            lifetime_in_seconds: ten_hours(),
            rest: Map::new(),
        }
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    RS256,
    HS256,
}

fn yes() -> bool {
    true
}

fn ten_hours() -> u32 {
    36_000
}
