//! Where an attempt comes from, decided in two layers that never mix (`docs/decisions`, auth0-wire-facts §4).
//!
//! Operator layer: the peer, or what a trusted proxy says in the one configured header.
//! Application layer: `auth0-forwarded-for`, only from an authenticated application whose switch is on.
//! A header that does not count is ignored, never an error; the decision goes into the log event.

use std::net::{IpAddr, SocketAddr};

use guard::{Source, Standing};
use http::HeaderMap;
use model::HeaderTrust;
use protocol::Caller;

use crate::settings::ServerSettings;

/// The header with the end user's address.
pub(crate) const FORWARDED_FOR: &str = "auth0-forwarded-for";

/// The caller's address as the operator layer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionAddress {
    pub address: IpAddr,
    /// A trusted proxy named no readable address: its own stands, and an administrator should know.
    pub proxy_failed: bool,
}

/// The right-most entry that is not a trusted proxy, if the peer is one; else the peer.
pub(crate) fn connection_address(
    peer: IpAddr,
    headers: &HeaderMap,
    settings: &ServerSettings,
) -> ConnectionAddress {
    let peer = peer.to_canonical();
    let trusted = |address: &IpAddr| {
        settings
            .trusted_proxies
            .iter()
            .any(|network| network.contains(address))
    };
    if !trusted(&peer) {
        return ConnectionAddress {
            address: peer,
            proxy_failed: false,
        };
    }

    let lines = headers.get_all(&settings.client_ip_header);
    let entries: Vec<&[u8]> = lines
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .collect();
    let mut nearest = None;
    for entry in entries.iter().rev() {
        match std::str::from_utf8(entry).ok().and_then(proxy_entry) {
            Some(address) if trusted(&address) => nearest = Some(address),
            Some(address) => {
                return ConnectionAddress {
                    address,
                    proxy_failed: false,
                };
            }
            None => {
                return ConnectionAddress {
                    address: peer,
                    proxy_failed: true,
                };
            }
        }
    }
    match nearest {
        Some(address) => ConnectionAddress {
            address,
            proxy_failed: false,
        },
        None => ConnectionAddress {
            address: peer,
            proxy_failed: true,
        },
    }
}

/// `ip`, `ip:port`, `[v6]:port`.
fn proxy_entry(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let address = text
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// What became of `auth0-forwarded-for`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderDecision {
    Absent,
    Used,
    UntrustedClient,
    NotAuthenticated,
    Invalid,
    Several,
    /// The application called from outside the networks from which its header is taken.
    ForeignNetwork,
}

impl HeaderDecision {
    /// The word for log events.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Used => "used",
            Self::UntrustedClient => "ignored: untrusted client",
            Self::NotAuthenticated => "ignored: not authenticated",
            Self::Invalid => "ignored: invalid",
            Self::Several => "ignored: several",
            Self::ForeignNetwork => "ignored: foreign network",
        }
    }

    /// What it means, for whoever reads a decision.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Absent => {
                "The call had no auth0-forwarded-for, so the caller's own address counts."
            }
            Self::Used => "The application is trusted and authenticated, and named this address.",
            Self::UntrustedClient => {
                "The call had the header, but Trust Token Endpoint IP Header is off for the application."
            }
            Self::NotAuthenticated => {
                "The call had the header, but was not authenticated with the application's secret."
            }
            Self::Invalid => {
                "The header is not exactly one IP address, so the caller's own address counts."
            }
            Self::Several => "The header came more than once, so the caller's own address counts.",
            Self::ForeignNetwork => {
                "The call came from outside the networks from which the application's header is taken."
            }
        }
    }

    /// The word for metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Used => "used",
            Self::UntrustedClient => "untrusted_client",
            Self::NotAuthenticated => "not_authenticated",
            Self::Invalid => "invalid",
            Self::Several => "several",
            Self::ForeignNetwork => "foreign_network",
        }
    }
}

/// The source of an attempt, and how it was found.
#[derive(Debug, Clone)]
pub(crate) struct TrustedSource {
    pub source: Source,
    pub standing: Standing,
    pub decision: HeaderDecision,
}

/// Decides the source of this request for this caller, whose header is taken as far as `trust` goes.
pub(crate) fn decide(
    headers: &HeaderMap,
    caller: &Caller,
    trust: &HeaderTrust,
    connection: IpAddr,
) -> TrustedSource {
    let own = |standing, decision| TrustedSource {
        source: Source::new(connection),
        standing,
        decision,
    };
    let mut lines = headers.get_all(FORWARDED_FOR).iter();
    let first = lines.next();
    let several = lines.next().is_some();

    if !caller.is_authenticated() {
        let decision = if first.is_some() {
            HeaderDecision::NotAuthenticated
        } else {
            HeaderDecision::Absent
        };
        return own(Standing::Own, decision);
    }
    if !caller.client().is_token_endpoint_ip_header_trusted {
        let decision = if first.is_some() {
            HeaderDecision::UntrustedClient
        } else {
            HeaderDecision::Absent
        };
        return own(Standing::Backend, decision);
    }
    // From here on the client's word is wanted: without a readable one no allowlist may apply,
    // or whoever makes the backend drop the header walks through the backend's own entry.
    match first {
        None => own(Standing::Distrusted, HeaderDecision::Absent),
        Some(_) if !trust.allows(connection) => {
            own(Standing::Distrusted, HeaderDecision::ForeignNetwork)
        }
        Some(_) if several => own(Standing::Distrusted, HeaderDecision::Several),
        Some(line) => match line
            .to_str()
            .ok()
            .and_then(|text| text.parse::<IpAddr>().ok())
        {
            Some(address) => TrustedSource {
                source: Source::new(address),
                standing: Standing::Vouched,
                decision: HeaderDecision::Used,
            },
            None => own(Standing::Distrusted, HeaderDecision::Invalid),
        },
    }
}

#[cfg(test)]
mod fuzzed;
