//! Settings: what each key means, its default and its unit. Unknown keys are errors.
//!
//! Each field's comment is its documentation, and `settings schema` prints it. `writeOnly` marks what is never shown,
//! `x-unit` what a number counts. Where values come from is in `load`.

mod command;
mod load;
mod networks;
mod reference;
mod schema;
mod show;

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Failure;
pub(crate) use command::{Command, run};
pub(crate) use load::{load, load_for_serving};

/// All settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) metrics: Metrics,
    pub(crate) argon2: Argon2,
    pub(crate) hashing: Hashing,
    pub(crate) mail: Mail,
    pub(crate) breach: Breach,
    pub(crate) outgoing: Outgoing,
}

/// The server and who may speak for others.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Addresses to listen on.
    #[schemars(length(min = 1), example = ["0.0.0.0:8443", "[::]:8443"])]
    pub(crate) listen: Vec<SocketAddr>,
    /// The address users and applications see; decides the issuer of a first tenant.
    #[schemars(example = "https://id.example.com/")]
    pub(crate) public_url: Option<String>,
    /// Networks of the operator's own proxies. Empty: nobody is believed. More than a /8 (IPv6: a /7) is refused.
    #[schemars(with = "Vec<String>", example = ["10.0.0.0/8", "fd00::/8"])]
    #[serde(deserialize_with = "networks::read")]
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The one header in which those proxies name the caller's address.
    #[schemars(example = "x-real-ip")]
    pub(crate) client_ip_header: String,
    /// Name or domain of the tenant that answers on hosts nobody owns; by default the one of `public_url`.
    #[schemars(example = "id.example.com")]
    pub(crate) default_tenant: Option<String>,
    /// File with the root key: 32 bytes in base64 on one line. Required with PostgreSQL.
    #[schemars(example = "/etc/portcullis/root.key")]
    pub(crate) root_key_file: Option<PathBuf>,
    /// The root key itself, for environments that hand secrets over as variables.
    #[schemars(extend("writeOnly" = true))]
    pub(crate) root_key: Option<String>,
    /// Directory of the SQLite database, the root key and the development CA.
    #[schemars(example = "/var/lib/portcullis")]
    pub(crate) data_dir: PathBuf,
    /// Open connections a listener serves; one more is closed at once.
    #[schemars(range(min = 1), example = 10000, extend("x-unit" = "connections"))]
    pub(crate) max_connections: usize,
    /// Seconds a client may take for the TLS handshake.
    #[schemars(range(min = 1, max = 20), example = 5, extend("x-unit" = "seconds"))]
    pub(crate) handshake_timeout_seconds: u64,
    /// Seconds a client may take for a request's head, and stay idle between two requests.
    #[schemars(range(min = 1, max = 120), example = 15, extend("x-unit" = "seconds"))]
    pub(crate) header_timeout_seconds: u64,
    /// Seconds a client may take for a request's whole body.
    #[schemars(range(min = 1, max = 20), example = 15, extend("x-unit" = "seconds"))]
    pub(crate) body_timeout_seconds: u64,
    /// Seconds a client may leave an answer unread.
    #[schemars(range(min = 1, max = 20), example = 15, extend("x-unit" = "seconds"))]
    pub(crate) write_timeout_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        let connections = server::ConnectionSettings::default();
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8443))],
            public_url: None,
            trusted_proxies: Vec::new(),
            client_ip_header: "x-forwarded-for".to_owned(),
            default_tenant: None,
            root_key_file: None,
            root_key: None,
            data_dir: PathBuf::from("portcullis-data"),
            max_connections: connections.most,
            handshake_timeout_seconds: connections.handshake.as_secs(),
            header_timeout_seconds: connections.head.as_secs(),
            body_timeout_seconds: connections.body.as_secs(),
            write_timeout_seconds: connections.write.as_secs(),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("listen", &self.listen)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// Where the data is.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    /// `postgres://USER:PASSWORD@HOST:5432/NAME`; absent means SQLite in the data directory. `?sslmode=verify-full`, with
    /// `&sslrootcert=FILE` for a root of your own, encrypts the way and verifies the server.
    #[schemars(extend("writeOnly" = true))]
    pub(crate) url: Option<String>,
    /// True behind PgBouncer in transaction mode.
    #[schemars(example = true)]
    pub(crate) pooler: bool,
    /// Connections of this process to PostgreSQL.
    #[schemars(range(min = 1), example = 32, extend("x-unit" = "connections"))]
    pub(crate) max_connections: usize,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            pooler: false,
            max_connections: 16,
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("pooler", &self.pooler)
            .finish_non_exhaustive()
    }
}

/// The listener for Prometheus.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metrics {
    /// Address of `/metrics`. Whoever reaches it reads the figures without a password.
    #[schemars(example = "10.0.0.5:9464")]
    pub(crate) listen: SocketAddr,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9464)),
        }
    }
}

/// Cost of new password hashes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Argon2 {
    /// Memory of one hash; the workers' together must fit into the machine.
    #[schemars(range(min = 8), example = 65_536, extend("x-unit" = "KiB"))]
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    #[schemars(range(min = 1), example = 3, extend("x-unit" = "passes"))]
    pub(crate) passes: u32,
    /// `simd`, or `rustcrypto` for the second implementation.
    #[schemars(with = "String", extend("enum" = ["simd", "rustcrypto"]), example = &"rustcrypto")]
    pub(crate) implementation: Argon2Implementation,
}

impl Default for Argon2 {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            implementation: Argon2Implementation::Simd,
        }
    }
}

/// Which code computes Argon2id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Argon2Implementation {
    Simd,
    RustCrypto,
}

/// The hashing pool.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hashing {
    /// Threads that hash; 0 means one a core.
    #[schemars(example = 4, extend("x-unit" = "threads"))]
    pub(crate) workers: usize,
    /// Verifications that may wait.
    #[schemars(example = 256, extend("x-unit" = "verifications"))]
    pub(crate) queue: usize,
    /// How long a verification may wait before it is refused.
    #[schemars(example = 2_000, extend("x-unit" = "milliseconds"))]
    pub(crate) deadline_ms: u64,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            workers: 0,
            queue: 1_024,
            deadline_ms: 5_000,
        }
    }
}

/// How mails leave. A tenant's own e-mail provider wins over the server named here.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// File with the certificates (PEM) of those who may vouch for mail servers; by default whom the system trusts.
    #[schemars(example = "/etc/portcullis/mail-ca.pem")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Mail server for tenants without a provider of their own. Without it their mails wait for a day and are given up.
    #[schemars(example = "mail.example.com")]
    pub(crate) smtp_host: Option<String>,
    /// Its port. 465 and 2465 speak TLS; any other speaks STARTTLS, which only a server on this machine may lack.
    #[schemars(range(min = 1), example = 465, extend("x-unit" = "port"))]
    pub(crate) smtp_port: u16,
    /// User at that server.
    #[schemars(example = &"portcullis")]
    pub(crate) smtp_user: Option<String>,
    /// Password of that user.
    #[schemars(extend("writeOnly" = true))]
    pub(crate) smtp_pass: Option<String>,
    /// Sender of every mail that goes over that server, whatever a template says; needed beside `smtp_host`.
    #[schemars(example = "Example Login <no-reply@example.com>")]
    pub(crate) from: Option<String>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            ca_file: None,
            smtp_host: None,
            smtp_port: 587,
            smtp_user: None,
            smtp_pass: None,
            from: None,
        }
    }
}

/// Where breached passwords are looked up. Which tenants ask, and what follows, is in their own settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Breach {
    /// Whether the built-in list of 100,000 common passwords counts.
    #[schemars(example = false)]
    pub(crate) built_in: bool,
    /// A list made by `portcullis breach-list build`; followed without a restart when it is replaced.
    #[schemars(example = "/var/lib/portcullis/breach-list")]
    pub(crate) list_file: Option<PathBuf>,
    /// A range API that is asked too: five hex digits of a password's SHA-1 leave this server. Must be https.
    #[schemars(example = "https://api.pwnedpasswords.com/range/")]
    pub(crate) online_url: Option<String>,
    /// How long one request to it may take; then the password passes.
    #[schemars(range(min = 50, max = 5_000), example = 500, extend("x-unit" = "milliseconds"))]
    pub(crate) online_timeout_ms: u64,
}

impl Default for Breach {
    fn default() -> Self {
        let breach = server::breach::BreachSettings::default();
        Self {
            built_in: breach.built_in,
            list_file: None,
            online_url: None,
            online_timeout_ms: u64::try_from(breach.online_timeout.as_millis()).unwrap_or(1_000),
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("smtp_host", &self.smtp_host)
            .finish_non_exhaustive()
    }
}

/// Requests that the server makes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Outgoing {
    /// File with certificates (PEM) of authorities that vouch for other servers, besides the system's own.
    #[schemars(example = "/etc/portcullis/authorities.pem")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether requests may go to private, loopback and link-local addresses.
    #[schemars(example = true)]
    pub(crate) allow_private: bool,
}

impl Settings {
    /// Host with the port where it is not 443, from `server.public_url`.
    pub(crate) fn domain(&self, fallback: &str) -> Result<String, Failure> {
        match &self.server.public_url {
            None => Ok(fallback.to_owned()),
            Some(url) => {
                domain(url).map_err(|refused| Failure::new(format!("server.public_url: {refused}")))
            }
        }
    }
}

/// The host of a tenant's address, with the port where it is not 443.
pub(crate) fn domain(url: &str) -> Result<String, Failure> {
    let rest = url.strip_prefix("https://");
    let named = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    named
        .and_then(host)
        .ok_or_else(|| Failure::new(format!("`{url}` is not of the form https://HOST[:PORT]/")))
}

/// A host and perhaps a port, as requests are compared with it.
pub(crate) fn host(text: &str) -> Option<String> {
    let fits = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | ':' | '[' | ']')
    };
    let named = !text.is_empty() && text.chars().all(fits);
    named.then(|| {
        text.strip_suffix(":443")
            .unwrap_or(text)
            .to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str) -> Settings {
        Settings {
            server: Server {
                public_url: Some(url.to_owned()),
                ..Server::default()
            },
            ..Settings::default()
        }
    }

    #[test]
    fn the_domain_keeps_a_port_that_is_not_443() {
        for (url, domain) in [
            ("https://localhost:8443/", "localhost:8443"),
            ("https://id.example.com:443/", "id.example.com"),
            ("https://ID.example.com", "id.example.com"),
        ] {
            assert_eq!(with_url(url).domain("x").unwrap(), domain);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "http://localhost/",
            "https:///",
            "https://user@host/",
            "https://host/path",
        ] {
            assert!(with_url(url).domain("x").is_err(), "{url}");
        }
    }
}
