//! A user of a connection.
//!
//! The password hash is kept beside the document and never leaves with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ConnectionId, Identifier, UserId};

/// The document of a user, as the Management API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Set by an administrator: no token is issued.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
    pub identities: Vec<Identity>,
    /// `user_metadata`, `app_metadata`, `phone_number`, …
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Where a user comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The connection's name.
    pub connection: String,
    /// The part of the user id after the bar.
    pub user_id: String,
    pub provider: String,
    #[serde(rename = "isSocial")]
    pub is_social: bool,
}

/// A user with what storage keeps beside the document.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRecord {
    pub user: User,
    pub connection_id: ConnectionId,
    /// The identifiers under which the user can sign in, normalised; unique within the connection.
    pub identifiers: Vec<Identifier>,
    /// The password hash in its own text form; absent where no password was set.
    pub password_hash: Option<String>,
    /// Format and cost of that hash in compact text (`argon2id-19456-2-1`), for the connection's mix.
    pub password_scheme: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login: Option<Timestamp>,
    pub last_ip: Option<String>,
    pub logins_count: i64,
    pub last_password_reset: Option<Timestamp>,
    pub version: i64,
}
