//! Who asks, from where, at what time: the facts every handler starts from.
//!
//! The tenant comes from the exact host and port of the request, an alias of it, or the default tenant.
//! The address here is the operator layer's (peer or trusted proxy); the application layer is `source_address`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::{ACCEPT_LANGUAGE, HOST, USER_AGENT};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use jiff::Timestamp;
use model::Tenant;
use storage::TenantStore;

use crate::app::App;
use crate::directory::TenantFacts;
use crate::event_log::sdk_of;
use crate::source_address::{ConnectionAddress, connection_address};

/// The facts of one request.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub app: Arc<App>,
    pub facts: Arc<TenantFacts>,
    pub store: TenantStore,
    /// When the request arrived.
    pub now: Timestamp,
    pub connection: ConnectionAddress,

    pub user_agent: Option<String>,
    /// The tag that the caller would like best, as mails name it.
    pub language: Option<String>,
    /// What the caller's SDK says of itself.
    pub sdk: Option<serde_json::Value>,
}

impl RequestContext {
    /// The tenant that is spoken to.
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.facts.tenant
    }

    /// The caller's own address as the operator layer sees it.
    pub(crate) fn address(&self) -> IpAddr {
        self.connection.address
    }

    /// The time after a wait.
    pub(crate) fn now_again(&self) -> Timestamp {
        self.app.clock.now().max(self.now)
    }
}

/// Why a request has no context. Told as JSON in `answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoContext {
    #[error(
        "Send exactly one Host header with the name, and the port where there is one, of this server."
    )]
    Host,
    #[error("No tenant has this host.")]
    UnknownHost,
    #[error("The server is busy. Try again after the time in Retry-After.")]
    Unavailable,
    #[error("An internal error occurred.")]
    Peer,
}

impl FromRequestParts<Arc<App>> for RequestContext {
    type Rejection = NoContext;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, NoContext> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
            .await
            .map_err(|_| NoContext::Peer)?;
        let hostname = host_of(parts).ok_or(NoContext::Host)?;
        let facts = match app.directory.tenant_by_host(app, &hostname).await {
            Ok(Some(facts)) => facts,
            Ok(None) => return Err(NoContext::UnknownHost),
            Err(error) => {
                tracing::error!(%error, "tenant not read");
                return Err(NoContext::Unavailable);
            }
        };

        Ok(Self {
            store: app.tenant(&facts.tenant.id),
            now: app.clock.now(),
            connection: connection_address(peer.ip(), &parts.headers, &app.settings),

            user_agent: text_of(&parts.headers, USER_AGENT),
            language: text_of(&parts.headers, ACCEPT_LANGUAGE)
                .and_then(|wanted| first_language(&wanted)),
            sdk: sdk_of(&parts.headers),
            facts,
            app: Arc::clone(app),
        })
    }
}

/// The first tag of `Accept-Language` (RFC 9110 §12.5.4), if it is one (RFC 5646 §4.4.1 has the length).
fn first_language(wanted: &str) -> Option<String> {
    const LONGEST: usize = 35;
    let tag = wanted.split([',', ';']).next()?.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!tag.is_empty() && tag.len() <= LONGEST && tag.bytes().all(plain)).then(|| tag.to_owned())
}

/// The host that is spoken to (RFC 9112 §3.2): HTTP/1.1 has exactly one Host header, and a target's own host wins.
/// None if it has another number, or what it says is no host; empty where HTTP/1.0 says nothing.
fn host_of(parts: &Parts) -> Option<String> {
    let mut lines = parts.headers.get_all(HOST).iter();
    let (line, more) = (lines.next(), lines.next());
    let missing = line.is_none() && parts.version == Version::HTTP_11;
    if more.is_some() || missing {
        return None;
    }
    let line = line.map(|line| line.to_str()).transpose().ok()?;
    let named = parts.uri.authority().map(Authority::as_str).or(line);
    named.map_or(Some(String::new()), host)
}

/// A host, with the port where it is not 443, in lower case; none if it is something else.
fn host(text: &str) -> Option<String> {
    // RFC 1035 §2.3.4, and a port.
    const LONGEST: usize = 255 + 6;
    let authority: Authority = text.parse().ok()?;
    let plain = text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    });
    // Of brackets, the parser asks less than RFC 3986 §3.2.2.
    let bracketed = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            address.parse::<std::net::Ipv6Addr>().is_ok()
                && (rest.is_empty() || rest.starts_with(':'))
        }
        None => !text.contains(['[', ']']),
    };
    let port = authority.host().len() == text.len() || authority.port_u16().is_some();
    (plain && bracketed && port && !authority.host().is_empty() && text.len() <= LONGEST).then(
        || {
            text.strip_suffix(":443")
                .unwrap_or(text)
                .to_ascii_lowercase()
        },
    )
}

/// One header as text, cut at 1 KiB; what is not text is absent.
pub(crate) fn text_of(
    headers: &HeaderMap,
    name: impl http::header::AsHeaderName,
) -> Option<String> {
    const MAX: usize = 1_024;
    let text = headers.get(name)?.to_str().ok()?;
    Some(text.get(..MAX).unwrap_or(text).to_owned())
}

/// A header that must not be there twice, as text; none if it is, or is no text, `Some(None)` if it is absent.
pub(crate) fn only_one<'headers>(
    headers: &'headers HeaderMap,
    name: &HeaderName,
) -> Option<Option<&'headers str>> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next().map(HeaderValue::to_str).transpose().ok()?;
    lines.next().is_none().then_some(line)
}

#[cfg(test)]
mod fuzzed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_perhaps_a_port() {
        for (text, read) in [
            ("Login.Example.com", "login.example.com"),
            ("login.example.com:8443", "login.example.com:8443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ] {
            assert_eq!(host(text).as_deref(), Some(read), "{text}");
        }
        for text in [
            "", ":80", "a:b", "a:70000", "[::1", "a@b", "a/b", "a,b", "a b", "%61",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
    }
}
