//! A connection: a directory of users. Only the database strategy holds passwords.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ClientId, ConnectionId};

/// The strategy of connections whose passwords are kept here.
pub const DATABASE_STRATEGY: &str = "auth0";

/// One row of `/api/v2/connections`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub strategy: String,
    /// The realm names that lead here; by default the connection's name.
    #[serde(default)]
    pub realms: Vec<String>,
    /// Applications that may use this directory.
    #[serde(default)]
    pub enabled_clients: Vec<ClientId>,
    #[serde(default)]
    pub options: ConnectionOptions,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Connection {
    /// Whether the application may use this directory.
    pub fn is_enabled_for(&self, client: &ClientId) -> bool {
        self.enabled_clients.contains(client)
    }
}

/// `options` of a database connection: what the server reads, and the rest as it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionOptions {
    /// Whether brute-force protection applies to this directory.
    pub brute_force_protection: bool,
    /// Whether users have a user name beside their e-mail address.
    pub requires_username: bool,
    #[serde(rename = "passwordPolicy", skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            brute_force_protection: true,
            requires_username: false,
            password_policy: None,
            rest: Map::new(),
        }
    }
}
