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
    #[serde(default)]
    pub subject_type: SubjectType,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// For whom the grant speaks: the application itself, or users signing in through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    #[default]
    Client,
    User,
}
