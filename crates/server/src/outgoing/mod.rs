//! Requests that this server makes: whom it may call, and who vouches for them.
//!
//! A name is resolved, judged and called in one step, so that it cannot mean another machine a moment later; an address
//! in a URL is judged when the client is made. No redirect is followed and no proxy of the environment is used.

mod targets;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use targets::is_own;

/// What the operator lets outgoing requests do.
#[derive(Debug, Clone, Default)]
pub struct OutgoingSettings {
    /// Authorities that vouch for servers, besides those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether private, loopback and link-local addresses may be called.
    pub allow_private: bool,
}

/// Why nobody can be called at an address.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error("is no address of the form https://HOST/PATH")]
    Url,
    #[error("is not https; only this machine's own addresses may go without")]
    NotEncrypted,
    #[error(
        "leads to a private, loopback or link-local address; set outgoing.allow_private if that is meant"
    )]
    Private,
    #[error("an authority that vouches for servers cannot be used: {0}")]
    Authority(#[from] rustls::Error),
    #[error("the client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// A client for one address, which no answer and no name leads elsewhere. The whole of a request takes at most so long.
pub(crate) fn client(
    settings: &OutgoingSettings,
    url: &str,
    timeout: Duration,
) -> Result<(Client, Url), OutgoingError> {
    let url = address(settings, url)?;
    let client = Client::builder()
        .tls_backend_preconfigured(tls(settings)?)
        .dns_resolver(Resolver {
            allow_private: settings.allow_private,
        })
        .redirect(Policy::none())
        .no_proxy()
        .timeout(timeout)
        .build()?;
    Ok((client, url))
}

/// An address that may be called, as far as it says itself where it leads; where a name leads is judged at each call.
pub(crate) fn address(settings: &OutgoingSettings, url: &str) -> Result<Url, OutgoingError> {
    let url = Url::parse(url).map_err(|_| OutgoingError::Url)?;
    let host = url.host_str().ok_or(OutgoingError::Url)?;
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let is_here = host == "localhost" || literal.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Err(OutgoingError::NotEncrypted),
        _ => return Err(OutgoingError::Url),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutgoingError::Url);
    }
    if !settings.allow_private && (is_here || literal.is_some_and(is_own)) {
        return Err(OutgoingError::Private);
    }
    Ok(url)
}

/// The innermost cause of a failed request, which says most. Never the URL, in which there may be a secret.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() {
        return "the time is over".to_owned();
    }
    if std::ptr::addr_eq(cause, error as &dyn std::error::Error) {
        return "no answer".to_owned();
    }
    cause.to_string()
}

fn tls(settings: &OutgoingSettings) -> Result<ClientConfig, OutgoingError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for authority in &settings.authorities {
        roots.add(authority.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Resolves names, and leaves out addresses that must not be called.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let may = |address: IpAddr| allow_private || !is_own(address);
            let kept: Vec<_> = found.filter(|address| may(address.ip())).collect();
            if kept.is_empty() {
                return Err(Box::from(OutgoingError::Private));
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, allow_private: bool) -> String {
        let settings = OutgoingSettings {
            allow_private,
            ..OutgoingSettings::default()
        };
        let made = client(&settings, url, Duration::from_secs(1));
        made.map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn only_encrypted_addresses_of_others_are_called() {
        for (url, word) in [
            ("https://api.example.com/range/", ""),
            ("https://8.8.8.8/", ""),
            ("http://api.example.com/", "https"),
            ("http://10.0.0.1/", "https"),
            ("ftp://api.example.com/", "form"),
            ("api.example.com", "form"),
            ("https://user:secret@api.example.com/", "form"),
            ("https://localhost/", "allow_private"),
            ("https://127.0.0.1:8443/", "allow_private"),
            ("http://127.0.0.1/", "allow_private"),
            ("https://10.0.0.1/", "allow_private"),
            ("https://169.254.169.254/", "allow_private"),
            ("https://[::1]/", "allow_private"),
            ("https://[::ffff:10.0.0.1]/", "allow_private"),
            ("https://2130706433/", "allow_private"),
        ] {
            let told = refused(url, false);
            assert!(
                told.contains(word) && told.is_empty() == word.is_empty(),
                "{url}: {told}"
            );
        }
        for url in [
            "https://10.0.0.1/",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "https://localhost/",
        ] {
            assert_eq!(refused(url, true), "", "{url}");
        }
        assert!(refused("http://10.0.0.1/", true).contains("https"));
    }

    #[tokio::test]
    async fn a_name_that_leads_here_is_not_called() {
        let name = || "localhost".parse().unwrap();
        let resolver = |allow_private| Resolver { allow_private };
        assert!(resolver(false).resolve(name()).await.is_err());
        assert!(resolver(true).resolve(name()).await.unwrap().count() > 0);
    }
}
