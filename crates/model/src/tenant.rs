//! A tenant: the owner of keys, users, settings and logs, reached under its own domain.
//!
//! The issuer comes from the tenant's domain, never from a request header.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AttackProtection, LogSettings, TenantId};

/// A tenant with everything a request needs to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub id: TenantId,
    /// The short name that clients show as `tenant`.
    pub name: String,
    /// Host with the port where it is not 443, as in `localhost:8443`.
    pub domain: String,
    /// Other hosts that lead here.
    pub aliases: Vec<String>,
    pub settings: TenantSettings,
    pub attack_protection: AttackProtection,
    pub logs: LogSettings,
    /// Counts changes; a writer names the version it read.
    pub version: i64,
}

impl Tenant {
    /// `https://DOMAIN/`, with the trailing slash.
    pub fn issuer(&self) -> String {
        format!("https://{}/", self.domain)
    }

    /// The audience of the Management API, `https://DOMAIN/api/v2/`.
    pub fn management_audience(&self) -> String {
        format!("https://{}/api/v2/", self.domain)
    }

    /// The audience under which `/userinfo` takes access tokens.
    pub fn userinfo_audience(&self) -> String {
        format!("https://{}/userinfo", self.domain)
    }
}

/// `tenants/settings` of the Management API: what the server reads, and the rest as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantSettings {
    /// Name of the connection that `grant_type=password` uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_directory: Option<String>,
    /// Identifier of the API that is meant when a request names no audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_audience: Option<String>,
    /// `compatibility` lets `resource` stand for `audience`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_parameter_profile: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
