//! What the server must be told: plain values that have been checked, no strings from files or the environment.

use std::sync::Arc;
use std::time::Duration;

use credentials::Scheme;
use http::HeaderName;
use ipnet::IpNet;
use mail::Roots;
use model::TenantId;

use crate::breach::BreachSources;
use crate::courier::DefaultWay;
use crate::outgoing::OutgoingSettings;

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
    /// What a client may hold, and how long.
    pub connections: ConnectionSettings,
    pub mail: MailSettings,
    /// Where breached passwords are looked up.
    pub breach: Arc<BreachSources>,
    /// Whom requests to the outside may reach.
    pub outgoing: OutgoingSettings,
}

/// How mails leave this server.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Who may vouch for mail servers.
    pub roots: Roots,
    /// For tenants without a provider of their own.
    pub default_way: DefaultWay,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            roots: Roots::System,
            default_way: DefaultWay::None,
        }
    }
}

/// How many connections each listener serves, and how long a client may take for each step.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionSettings {
    /// Open connections; one more is closed at once.
    pub most: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's head, from the handshake or the last answer on; so an idle connection is closed too.
    pub head: Duration,
    /// For a request's whole body.
    pub body: Duration,
    /// For taking any more of an answer.
    pub write: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            most: 4_096,
            handshake: Duration::from_secs(10),
            // Idle connections end with it too, and a client that was busy for ten seconds must not meet a closed one.
            head: Duration::from_secs(20),
            body: Duration::from_secs(10),
            write: Duration::from_secs(10),
        }
    }
}

/// How long and how many may wait for attempts in flight on the same key.
#[derive(Debug, Clone, Copy)]
pub struct WaitingSettings {
    /// From the first wait to the refusal.
    pub patience: Duration,
    pub waiters_a_key: usize,
    pub waiters: usize,
}

impl Default for WaitingSettings {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(10),
            waiters_a_key: 1_024,
            waiters: 4_096,
        }
    }
}
