//! A client grant: which scopes of which API an application may have, for itself or for its users.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ClientGrantId, ClientId};

/// One row of `/api/v2/client-grants`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientGrant {
    pub id: ClientGrantId,
    pub client_id: ClientId,
    /// The API's identifier.
    pub audience: String,
    #[serde(default)]
    pub scope: Vec<String>,
    /// Every scope of the API, those of later days included; `scope` counts for nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_all_scopes: bool,
    #[serde(default)]
    pub subject_type: SubjectType,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ClientGrant {
    /// Whether it holds this scope of its API.
    pub fn holds(&self, scope: &str) -> bool {
        self.allow_all_scopes || self.scope.iter().any(|held| held == scope)
    }
}

/// For whom the grant speaks: the application itself, or users signing in through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    #[default]
    Client,
    User,
}
