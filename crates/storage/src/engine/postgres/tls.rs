//! Whether the way to PostgreSQL is encrypted, by the words of libpq in the URL: `sslmode` and `sslrootcert`.
//!
//! `require`, `verify-ca` and `verify-full` all mean what the last one says: the certificate is held to a root (a PEM file,
//! or the system's) and to the host's name. Without them the way is plain, and a server that offers TLS is not asked.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;

/// How connections are made.
#[derive(Clone)]
pub(super) enum Encryption {
    Plain,
    Verified(MakeRustlsConnect),
}

/// Reads a URL. Errors never quote it, since it carries a password.
pub(super) fn read(url: &str) -> Result<(Config, Encryption), OpenError> {
    let Words { url, root, verify } = words(url);
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        // The text of the cause may quote the URL, and with it the password.
        OpenError::Url(error.to_string())
    })?;
    if verify {
        config.ssl_mode(SslMode::Require);
    }
    if config.get_ssl_mode() != SslMode::Require {
        if root.is_some() {
            return Err(OpenError::Url(
                "sslrootcert does nothing without sslmode=verify-full; send both".to_owned(),
            ));
        }
        config.ssl_mode(SslMode::Disable);
        return Ok((config, Encryption::Plain));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Url(error.to_string()))?
        .with_root_certificates(roots(root.as_deref().map(Path::new))?)
        .with_no_client_auth();
    Ok((config, Encryption::Verified(MakeRustlsConnect::new(tls))))
}

/// What the driver does not know, taken out of the URL.
struct Words {
    url: String,
    root: Option<String>,
    verify: bool,
}

fn words(url: &str) -> Words {
    let mut found = Words {
        url: url.to_owned(),
        root: None,
        verify: false,
    };
    let Some((before, query)) = url.split_once('?') else {
        return found;
    };
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("sslrootcert", file) => found.root = Some(file.to_owned()),
            ("sslmode", "verify-ca" | "verify-full") => found.verify = true,
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    // The driver decodes percent signs alone.
    found.url = format!("{before}?{}", rest.finish().replace('+', "%20"));
    found
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let refused = |cause: String| OpenError::File {
                path: file.display().to_string(),
                cause,
            };
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| refused(error.to_string()))?;
            let (added, _) = roots.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(refused("it holds no certificate in PEM form".to_owned()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(OpenError::Url(
                    "this system has no root certificates; name the file of your own with sslrootcert".to_owned(),
                ));
            }
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(url: &str) -> Option<bool> {
        let (_, encryption) = read(url).ok()?;
        Some(matches!(encryption, Encryption::Plain))
    }

    #[test]
    fn only_a_word_for_it_encrypts() {
        for url in [
            "postgres://u:p@db.example.com/x",
            "postgres://u:p@db.example.com/x?sslmode=prefer",
            "postgres://u:p@db.example.com/x?sslmode=disable&application_name=a%20b",
        ] {
            assert_eq!(is_plain(url), Some(true), "{url}");
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://u:p@db.example.com/x?connect_timeout=3&sslmode={mode}");
            // A machine without root certificates refuses, and never falls back.
            assert_ne!(is_plain(&url), Some(true), "{url}");
        }
        for url in [
            "postgres://u:p@db.example.com/x?sslmode=nonsense",
            "postgres://u:p@db.example.com/x?sslrootcert=/etc/ca.pem",
            "postgres://u:p@db.example.com/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
        ] {
            assert_eq!(is_plain(url), None, "{url}");
        }
    }

    #[test]
    fn the_rest_of_the_url_reaches_the_driver() {
        let url = "postgres://u:p%40w@db.example.com:6432/x?sslmode=disable&application_name=a%20b%2Bc&options=-c%20x%3D1";
        let (config, _) = read(url).unwrap();
        assert_eq!(config.get_application_name(), Some("a b+c"));
        assert_eq!(config.get_options(), Some("-c x=1"));
        assert_eq!(config.get_password(), Some(&b"p@w"[..]));
        assert_eq!(config.get_ports(), [6432]);
    }
}
