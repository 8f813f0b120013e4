//! Where settings come from: a TOML file, the environment over it (`PORTCULLIS_SECTION__KEY`), flags over both.
//!
//! Cross-checks happen here; nothing below has seen a string. Who set a value is kept for `settings show`.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider, Source};
use ipnet::IpNet;

use super::Settings;
use crate::Failure;
use crate::arguments::{Database as DatabaseFlags, Serve};

/// Who set a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    File(PathBuf),
    /// The variable.
    Environment(String),
    /// The flag.
    Flag(String),
}

/// Settings with who set what.
pub(super) struct Loaded {
    pub(super) settings: Settings,
    figment: Figment,
}

/// Reads file, environment and flags.
pub(crate) fn load(flags: &DatabaseFlags) -> Result<Settings, Failure> {
    Ok(read(flags, &[])?.settings)
}

/// Reads them with the flags that only a server has.
pub(crate) fn load_for_serving(options: &Serve) -> Result<Settings, Failure> {
    Ok(read(&options.database, &options.listen)?.settings)
}

pub(super) fn read(flags: &DatabaseFlags, listen: &[SocketAddr]) -> Result<Loaded, Failure> {
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
    figment = figment.merge(Env::prefixed("PORTCULLIS_").split("__"));
    let listen = (!listen.is_empty()).then_some(listen);
    for (flag, key, value) in [
        ("--data-dir", "server.data_dir", value(&flags.data_dir)?),
        (
            "--database-url",
            "database.url",
            value(&flags.database_url)?,
        ),
        (
            "--public-url",
            "server.public_url",
            value(&flags.public_url)?,
        ),
        ("--listen", "server.listen", value(&listen)?),
    ] {
        if let Some(value) = value {
            figment = figment.merge(Flag { flag, key, value });
        }
    }
    let settings = figment
        .extract()
        .map_err(|error| Failure::new(format!("settings: {error}")))?;
    Ok(Loaded {
        settings: check(settings)?,
        figment,
    })
}

impl Loaded {
    /// Who set this key, as in `server.listen`.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let Some(metadata) = self.figment.find_metadata(key) else {
            return Origin::Default;
        };
        match &metadata.source {
            Some(Source::File(file)) => Origin::File(file.clone()),
            Some(Source::Custom(flag)) => Origin::Flag(flag.clone()),
            _ if metadata.name.contains("environment") => Origin::Environment(variable(key)),
            _ => Origin::Default,
        }
    }
}

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("PORTCULLIS_{}", key.replace('.', "__").to_uppercase())
}

/// One flag that was given.
struct Flag {
    flag: &'static str,
    key: &'static str,
    value: Value,
}

impl Provider for Flag {
    fn metadata(&self) -> Metadata {
        Metadata::from("flag", Source::Custom(self.flag.to_owned()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let nested = nest(self.key, self.value.clone()).into_dict();
        Ok(Profile::Default.collect(nested.expect("a key has a section")))
    }
}

fn value(flag: &Option<impl serde::Serialize>) -> Result<Option<Value>, Failure> {
    flag.as_ref()
        .map(Value::serialize)
        .transpose()
        .map_err(|error| Failure::new(format!("flags: {error}")))
}

/// Whether a network is larger than the largest private ones (RFC 1918: 10/8, RFC 4193: fc00::/7). Two halves of
/// everything believe everybody like a whole.
fn is_nobodys(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 7,
    }
}

fn check(settings: Settings) -> Result<Settings, Failure> {
    if settings.server.listen.is_empty() {
        return Err(Failure::new(
            "server.listen: name at least one address, as in 127.0.0.1:8443",
        ));
    }
    let proxies = &settings.server.trusted_proxies;
    if let Some(network) = proxies.iter().find(|network| is_nobodys(network)) {
        return Err(Failure::new(format!(
            "server.trusted_proxies: {network} is larger than any network of one's own and would believe strangers; \
             name the networks of your own proxies (at most a /8, for IPv6 a /7)"
        )));
    }
    if settings.database.url.is_some()
        && settings.server.root_key_file.is_none()
        && settings.server.root_key.is_none()
    {
        return Err(Failure::new(
            "with PostgreSQL all nodes share one root key: set server.root_key_file (make one with `portcullis keys root`)",
        ));
    }
    if settings.server.max_connections == 0 {
        return Err(Failure::new("server.max_connections: must be at least 1"));
    }
    // Below the 25 s a whole request has, or late bodies would be answered as if the server were slow. A head comes before
    // that time begins, and clients that are busy may come back to an idle connection late.
    let timeouts = [
        ("handshake", settings.server.handshake_timeout_seconds, 20),
        ("header", settings.server.header_timeout_seconds, 120),
        ("body", settings.server.body_timeout_seconds, 20),
        ("write", settings.server.write_timeout_seconds, 20),
    ];
    let is_beyond = |(_, seconds, most): &&(&str, u64, u64)| !(1..=*most).contains(seconds);
    if let Some((name, _, most)) = timeouts.iter().find(is_beyond) {
        return Err(Failure::new(format!(
            "server.{name}_timeout_seconds: must be from 1 to {most}"
        )));
    }
    if settings.argon2.memory_kib < 8 || settings.argon2.passes < 1 {
        return Err(Failure::new(
            "argon2: memory_kib must be at least 8 and passes at least 1",
        ));
    }
    if !(50..=5_000).contains(&settings.breach.online_timeout_ms) {
        return Err(Failure::new(
            "breach.online_timeout_ms: must be from 50 to 5000, for every login may wait that long",
        ));
    }
    Ok(settings)
}

#[cfg(test)]
mod fuzzed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_believed_by_default() {
        assert!(Settings::default().server.trusted_proxies.is_empty());
    }

    #[test]
    fn believing_everybody_is_refused() {
        for everybody in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["8000::/1"],
        ] {
            let mut settings = Settings::default();
            settings.server.trusted_proxies =
                everybody.iter().map(|net| net.parse().unwrap()).collect();
            assert!(
                check(settings)
                    .unwrap_err()
                    .to_string()
                    .contains("trusted_proxies")
            );
        }
        for own in ["10.0.0.0/8", "fc00::/7", "203.0.113.7/32"] {
            let mut settings = Settings::default();
            settings.server.trusted_proxies = vec![own.parse().unwrap()];
            assert!(check(settings).is_ok(), "{own}");
        }
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
