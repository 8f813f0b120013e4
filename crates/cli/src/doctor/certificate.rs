//! The certificate that applications see, and its private key.
//!
//! The files are read as `serve` reads them. Whether an application trusts the issuer is its own to know.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::finding::Outcome;
use super::secret_file::too_open;
use crate::arguments::Serve;
use crate::tls;

/// Renewal that has not happened by then has failed.
const RENEWAL: SignedDuration = SignedDuration::from_hours(21 * 24);

/// Which files serve, if any.
pub(super) enum Files {
    Given(PathBuf, PathBuf),
    /// Of the development CA, which may not be made yet.
    Development(PathBuf, PathBuf),
    /// A proxy in front has them.
    Elsewhere,
    /// No flag said how the server is started.
    Unknown,
}

impl Files {
    pub(super) fn of(options: &Serve, data_dir: &Path) -> Self {
        match (&options.tls_cert, &options.tls_key) {
            (Some(certificate), Some(key)) => Self::Given(certificate.clone(), key.clone()),
            _ if options.tls_dev => {
                let directory = data_dir.join("dev-ca");
                Self::Development(
                    directory.join("localhost.pem"),
                    directory.join("localhost.key"),
                )
            }
            _ if options.no_tls => Self::Elsewhere,
            _ => Self::Unknown,
        }
    }

    /// Why there is nothing to look at.
    fn absent(&self) -> Option<Outcome> {
        match self {
            Self::Given(..) => None,
            Self::Development(certificate, _) if certificate.exists() => None,
            Self::Development(..) => Some(Outcome::ok("made at the first start with --tls-dev")),
            Self::Elsewhere => Some(Outcome::skip("--no-tls: the proxy in front has it")),
            Self::Unknown => Some(Outcome::skip(
                "give the flags that `serve` gets: --tls-cert and --tls-key, --tls-dev or --no-tls",
            )),
        }
    }

    fn paths(&self) -> Option<(&Path, &Path)> {
        match self {
            Self::Given(certificate, key) | Self::Development(certificate, key) => {
                Some((certificate, key))
            }
            Self::Elsewhere | Self::Unknown => None,
        }
    }
}

/// The hosts that the certificate must be good for.
pub(super) struct Hosts {
    /// Of the public address.
    pub(super) public: Option<String>,
    /// Of all tenants.
    pub(super) tenants: Vec<String>,
}

/// Readable, in its time, and good for the hosts.
pub(super) fn certificate(files: &Files, hosts: &Hosts, now: Timestamp) -> Outcome {
    if let Some(absent) = files.absent() {
        return absent;
    }
    let Some((file, _)) = files.paths() else {
        return Outcome::skip("there is no file");
    };
    let shown = file.display();
    let unreadable = |error: &dyn std::fmt::Display| {
        Outcome::fail(
            format!("the certificate {shown} cannot be read: {error}"),
            "the server does not start",
            "Name a PEM file with the certificate first and its issuers after it",
        )
    };
    let chain = match CertificateDer::pem_file_iter(file).and_then(Iterator::collect) {
        Ok(chain) => chain,
        Err(error) => return unreadable(&error),
    };
    let chain: Vec<CertificateDer<'_>> = chain;
    let mut parsed = Vec::new();
    for der in &chain {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => parsed.push(certificate),
            Err(error) => return unreadable(&error),
        }
    }
    let (Some(first), Some(leaf)) = (chain.first(), parsed.first()) else {
        return unreadable(&"it holds no certificate");
    };
    for certificate in &parsed {
        if let Some(outcome) = out_of_time(certificate, now) {
            return outcome;
        }
    }
    if let Some(outcome) = wrong_names(first, hosts) {
        return outcome;
    }
    let broken = parsed
        .windows(2)
        .find(|pair| pair[0].issuer() != pair[1].subject());
    if let Some(pair) = broken {
        return Outcome::warn(
            format!(
                "{shown}: `{}` is followed by `{}`, which did not issue it",
                pair[0].subject(),
                pair[1].subject()
            ),
            "some applications refuse to connect",
            "Order the file: the certificate, its issuer, that one's issuer, without the root",
        );
    }
    let days = left(leaf, now).as_hours() / 24;
    Outcome::ok(format!(
        "{shown}: issued by `{}`, {days} days left, {} in the chain",
        leaf.issuer(),
        parsed.len()
    ))
}

/// The key belongs to the certificate, and only its owner reads it.
pub(super) fn key(files: &Files) -> Outcome {
    if let Some(absent) = files.absent() {
        return absent;
    }
    let Some((certificate, key)) = files.paths() else {
        return Outcome::skip("there is no file");
    };
    let shown = key.display();
    if let Err(error) = PrivateKeyDer::from_pem_file(key) {
        return Outcome::fail(
            format!("the private key {shown} cannot be read: {error}"),
            "the server does not start",
            "Name the PEM file of the certificate's key, readable by the server's user",
        );
    }
    // A certificate that cannot be read is told by its own check.
    if CertificateDer::from_pem_file(certificate).is_ok()
        && let Err(error) = tls::from_files(certificate, key)
    {
        return Outcome::fail(
            format!("{shown} does not fit: {error}"),
            "the server does not start",
            "Name the certificate and the key that were made together",
        );
    }
    let fits = format!("{shown} fits the certificate and is its owner's alone");
    too_open(key, "the private key").unwrap_or(Outcome::Ok(fits))
}

fn out_of_time(certificate: &X509Certificate<'_>, now: Timestamp) -> Option<Outcome> {
    let name = certificate.subject();
    let renew = "Install a renewed certificate and restart the server";
    let begin = certificate.validity().not_before.timestamp();
    if begin > now.as_second() {
        return Some(Outcome::fail(
            format!("the certificate `{name}` is not valid yet"),
            "no application connects",
            "Check this machine's clock, or wait until the certificate's time has come",
        ));
    }
    let left = left(certificate, now);
    let days = left.as_hours().abs() / 24;
    if left.is_negative() {
        return Some(Outcome::fail(
            format!("the certificate `{name}` expired {days} days ago"),
            "no application connects, so nobody can log in",
            renew,
        ));
    }
    (left < RENEWAL).then(|| {
        Outcome::warn(
            format!("the certificate `{name}` expires in {days} days"),
            "then no application connects",
            renew,
        )
    })
}

fn left(certificate: &X509Certificate<'_>, now: Timestamp) -> SignedDuration {
    let end = certificate.validity().not_after.timestamp();
    SignedDuration::from_secs(end.saturating_sub(now.as_second()))
}

fn wrong_names(leaf: &CertificateDer<'_>, hosts: &Hosts) -> Option<Outcome> {
    let parsed = ParsedCertificate::try_from(leaf).ok()?;
    let covered = |host: &str| {
        ServerName::try_from(without_port(host).to_owned())
            .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    let remedy = "Get a certificate with this name among its alternative names, or mend the name";
    if let Some(public) = hosts.public.as_deref().filter(|host| !covered(host)) {
        return Some(Outcome::fail(
            format!("the certificate is not good for `{public}` of server.public_url"),
            "applications that check it, as they should, refuse to connect",
            remedy,
        ));
    }
    let others = hosts.tenants.iter().filter(|host| !covered(host));
    let others: Vec<String> = others.map(|host| format!("`{host}`")).collect();
    (!others.is_empty()).then(|| {
        Outcome::warn(
            format!("the certificate is not good for {}", others.join(", ")),
            "applications of these tenants refuse to connect, unless another server has their certificate",
            remedy,
        )
    })
}

/// `[::1]:8443` is `::1`, `localhost:8443` is `localhost`.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    }
}

#[cfg(test)]
mod tests;
