//! An API (wire: resource server): an audience with its scopes, lifetimes and signing algorithm.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ResourceServerId, SigningAlgorithm};

/// One row of `/api/v2/resource-servers`. The secret of an HS256 API is not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceServer {
    pub id: ResourceServerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The audience; never changes.
    pub identifier: String,
    #[serde(default)]
    pub is_system: bool,
    #[serde(default)]
    pub scopes: Vec<ResourceServerScope>,
    #[serde(default = "rs256")]
    pub signing_alg: SigningAlgorithm,
    #[serde(default)]
    pub allow_offline_access: bool,
    /// Seconds an access token lives.
    #[serde(default = "one_day")]
    pub token_lifetime: u32,
    /// Whether a user's permissions limit the scopes (role-based access control).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforce_policies: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_dialect: Option<TokenDialect>,
    /// Who may have tokens for it at all.
    #[serde(default)]
    pub subject_type_authorization: SubjectTypeAuthorization,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ResourceServer {
    /// The scope values this API defines.
    pub fn scope_values(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(|scope| scope.value.as_str())
    }
}

/// A permission of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServerScope {
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `token_dialect`: the shape of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenDialect {
    AccessToken,
    AccessTokenAuthz,
    Rfc9068Profile,
    Rfc9068ProfileAuthz,
}

/// `subject_type_authorization`: the API's access policies, one for users and one for applications themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubjectTypeAuthorization {
    pub user: UserAccess,
    pub client: ClientAccess,
}

/// `subject_type_authorization.user`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserAccess {
    pub policy: UserPolicy,
}

/// `subject_type_authorization.client`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientAccess {
    pub policy: ClientPolicy,
}

/// Through which applications users get tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserPolicy {
    #[default]
    AllowAll,
    DenyAll,
    /// Those with a grant of subject type `user`, as far as its scopes go.
    RequireClientGrant,
}

/// Which applications get tokens for themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientPolicy {
    DenyAll,
    /// Those with a grant of subject type `client`, as far as its scopes go.
    #[default]
    RequireClientGrant,
}

fn rs256() -> SigningAlgorithm {
    SigningAlgorithm::RS256
}

fn one_day() -> u32 {
    86_400
}
