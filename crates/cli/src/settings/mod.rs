//! Settings: TOML file, environment over it (`PORTCULLIS_SECTION__KEY`), flags over both. Unknown keys are errors.
//!
//! Each field's comment is its documentation. Cross-checks happen here; nothing below has seen a string.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::arguments::Database as DatabaseFlags;

/// All settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) metrics: Metrics,
    pub(crate) argon2: Argon2,
    pub(crate) hashing: Hashing,
}

/// The server and who may speak for others.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Addresses to listen on.
    pub(crate) listen: Vec<SocketAddr>,
    /// The address users and applications see; decides the issuer of a first tenant.
    pub(crate) public_url: Option<String>,
    /// Networks of the operator's own proxies. Empty: nobody is believed. A /0 is refused.
    #[schemars(with = "Vec<String>")]
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The one header in which those proxies name the caller's address.
    pub(crate) client_ip_header: String,
    /// Domain of the tenant that answers on hosts nobody owns; by default the one of `public_url`.
    pub(crate) default_tenant: Option<String>,
    /// File with the root key: 32 bytes in base64 on one line. Required with PostgreSQL.
    pub(crate) root_key_file: Option<PathBuf>,
    /// The root key itself, for environments that hand secrets over as variables.
    pub(crate) root_key: Option<String>,
    /// Directory of the SQLite database, the root key and the development CA.
    pub(crate) data_dir: PathBuf,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            public_url: None,
            trusted_proxies: Vec::new(),
            client_ip_header: "x-forwarded-for".to_owned(),
            default_tenant: None,
            root_key_file: None,
            root_key: None,
            data_dir: PathBuf::from("portcullis-data"),
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
    /// `postgres://…`; absent means SQLite in the data directory.
    pub(crate) url: Option<String>,
    /// True behind PgBouncer in transaction mode.
    pub(crate) pooler: bool,
    /// Connections of this process to PostgreSQL.
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
    /// Address of `/metrics`.
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
    /// Memory in KiB.
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    pub(crate) passes: u32,
    /// `simd`, or `rustcrypto` for the second implementation.
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
    pub(crate) workers: usize,
    /// Verifications that may wait.
    pub(crate) queue: usize,
    /// Milliseconds a verification may wait before it is refused.
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

/// Reads file, environment and flags.
pub(crate) fn load(flags: &DatabaseFlags) -> Result<Settings, Failure> {
    let mut figment = Figment::from(Serialized::defaults(Settings::default()));
    if let Some(file) = &flags.config {
        if !file.is_file() {
            return Err(Failure::new(format!(
                "the settings file {} does not exist",
                file.display()
            )));
        }
        figment = figment.merge(Toml::file(file));
    }
    let mut settings: Settings = figment
        .merge(Env::prefixed("PORTCULLIS_").split("__"))
        .extract()
        .map_err(|error| Failure::new(format!("settings: {error}")))?;

    if let Some(directory) = &flags.data_dir {
        settings.server.data_dir.clone_from(directory);
    }
    if let Some(url) = &flags.database_url {
        settings.database.url = Some(url.clone());
    }
    if let Some(url) = &flags.public_url {
        settings.server.public_url = Some(url.clone());
    }
    check(settings)
}

fn check(settings: Settings) -> Result<Settings, Failure> {
    if settings
        .server
        .trusted_proxies
        .iter()
        .any(|network| network.prefix_len() == 0)
    {
        return Err(Failure::new(
            "server.trusted_proxies: a /0 would believe everybody; name the networks of your own proxies",
        ));
    }
    if settings.database.url.is_some()
        && settings.server.root_key_file.is_none()
        && settings.server.root_key.is_none()
    {
        return Err(Failure::new(
            "with PostgreSQL all nodes share one root key: set server.root_key_file (make one with `portcullis keys root`)",
        ));
    }
    if settings.argon2.memory_kib < 8 || settings.argon2.passes < 1 {
        return Err(Failure::new(
            "argon2: memory_kib must be at least 8 and passes at least 1",
        ));
    }
    Ok(settings)
}

impl Settings {
    /// Host with the port where it is not 443, from `server.public_url`.
    pub(crate) fn domain(&self, fallback: &str) -> Result<String, Failure> {
        let url = self
            .server
            .public_url
            .clone()
            .unwrap_or_else(|| format!("https://{fallback}/"));
        let refused = || {
            Failure::new(format!(
                "server.public_url: `{url}` is not of the form https://HOST[:PORT]/"
            ))
        };
        let rest = url.strip_prefix("https://").ok_or_else(refused)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let fits = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | ':' | '[' | ']')
        };
        if host.is_empty() || !host.chars().all(fits) {
            return Err(refused());
        }
        Ok(host
            .strip_suffix(":443")
            .unwrap_or(host)
            .to_ascii_lowercase())
    }
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

    #[test]
    fn believing_everybody_is_refused() {
        let mut settings = Settings::default();
        settings.server.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap()];
        assert!(check(settings).is_err());
    }

    #[test]
    fn postgresql_needs_a_root_key_that_all_nodes_share() {
        let mut settings = Settings::default();
        settings.database.url = Some("postgres://localhost/x".to_owned());
        assert!(
            check(settings)
                .unwrap_err()
                .to_string()
                .contains("root_key_file")
        );
    }

    #[test]
    fn unknown_keys_are_errors() {
        let read: Result<Settings, _> = Figment::from(Serialized::defaults(Settings::default()))
            .merge(Toml::string("[server]\nlisten_on = \"x\""))
            .extract();
        assert!(read.unwrap_err().to_string().contains("listen_on"));
    }
}
