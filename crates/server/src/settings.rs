//! What the server must be told: plain values that have been checked, no strings from files or the environment.

use credentials::Scheme;
use http::HeaderName;
use ipnet::IpNet;
use model::TenantId;

/// Settings of one running server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The operator's own proxies; only their `client_ip_header` is read.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which those proxies name the caller's address.
    pub client_ip_header: HeaderName,
    /// The tenant that answers on hosts nobody owns.
    pub default_tenant: Option<TenantId>,
    /// Format and cost of new password hashes.
    pub password_scheme: Scheme,
    /// Bounds of the wait for attempts in flight.
    pub waiting: WaitingSettings,
}

/// How long and how many may wait for attempts in flight on the same key.
#[derive(Debug, Clone, Copy)]
pub struct WaitingSettings {
    /// From the first wait to the refusal.
    pub patience: std::time::Duration,
    pub waiters_a_key: usize,
    pub waiters: usize,
}

impl Default for WaitingSettings {
    fn default() -> Self {
        Self {
            patience: std::time::Duration::from_secs(10),
            waiters_a_key: 1_024,
            waiters: 4_096,
        }
    }
}
