//! Warnings about `auth0-forwarded-for`: what an application does with it that an administrator should mend.
//!
//! At most one a node, application, kind and hour. They decide nothing: how the source of an attempt is found is in
//! `source_address`. Losing an entry of the memory costs a repeated warning.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent, TenantId};

use crate::event_log::{bounded, draft, explain_source};
use crate::request::RequestContext;
use crate::source_address::{HeaderDecision, TrustedSource};

const HOUR: i64 = 3_600_000_000;
/// An application that sent the header within this time has lost it; before, it may have been changed on purpose.
const REMEMBERED: i64 = 24 * HOUR;
/// How exactly it is known when the header was last sent.
const RESOLUTION: i64 = 60_000_000;
const APPLICATIONS: usize = 10_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Lost,
    Unreadable,
    Special,
    ForeignNetwork,
    NotTrusted,
}

const FAULTS: usize = 5;

/// What one node remembers of the applications that send the header. Times are microseconds.
pub(crate) struct HeaderWatch {
    hasher: RandomState,
    seen: quick_cache::sync::Cache<u64, Seen>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    sent_at: i64,
    told_at: [i64; FAULTS],
}

impl Default for HeaderWatch {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            seen: quick_cache::sync::Cache::new(APPLICATIONS),
        }
    }
}

impl HeaderWatch {
    /// What is to be told of this call, if anything is.
    fn observe(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        is_trusted: bool,
        source: &TrustedSource,
        now: Timestamp,
    ) -> Option<Fault> {
        let key = self.hasher.hash_one((tenant, client));
        let now = now.as_microsecond();
        let known = self.seen.get(&key);
        let mut seen = known.unwrap_or_default();
        let fault = match source.decision {
            HeaderDecision::Absent if is_trusted && now - seen.sent_at < REMEMBERED => Fault::Lost,
            HeaderDecision::Absent => return None,
            HeaderDecision::Invalid | HeaderDecision::Several => Fault::Unreadable,
            HeaderDecision::ForeignNetwork => Fault::ForeignNetwork,
            HeaderDecision::UntrustedClient | HeaderDecision::NotAuthenticated => Fault::NotTrusted,
            HeaderDecision::Used => {
                if now - seen.sent_at >= RESOLUTION {
                    seen.sent_at = now;
                    self.seen.insert(key, seen);
                }
                if !is_special(source.source.exact()) {
                    return None;
                }
                Fault::Special
            }
        };
        let told_at = seen.told_at.get_mut(fault as usize)?;
        if *told_at != 0 && now - *told_at < HOUR {
            return None;
        }
        *told_at = now;
        self.seen.insert(key, seen);
        Some(fault)
    }
}

/// The warning that this call gives rise to, if any.
pub(crate) fn warning(
    cx: &RequestContext,
    client: &model::Client,
    source: &TrustedSource,
) -> Option<LogEvent> {
    let is_trusted = client.is_token_endpoint_ip_header_trusted && !client.is_public();
    let watch = &cx.app.protection.header_watch;
    let tenant = &cx.tenant().id;
    let fault = watch.observe(tenant, &client.client_id, is_trusted, source, cx.now)?;
    let name = bounded(&client.name);
    let mut event = draft(cx, EventType::Warning);
    event.description = match fault {
        Fault::Lost => format!(
            "The application {name} stopped sending auth0-forwarded-for. Its users now share the limits of its own \
             address and will block each other. Send the end user's address with every login again."
        ),
        Fault::Unreadable => format!(
            "The application {name} sent an auth0-forwarded-for that is not exactly one IP address, so its own address \
             counted. Send one IPv4 or IPv6 address, without port, list or brackets."
        ),
        Fault::Special => format!(
            "The application {name} named a private, loopback or reserved address as its end user's. Most likely it \
             passes on the address of a proxy of its own, so that its users share one. Have it read the address that \
             its outermost proxy saw."
        ),
        Fault::ForeignNetwork => format!(
            "A call with the secret of the application {name} came from outside the networks from which its header is \
             taken, so the header was ignored. If the backend has moved, add its network to header_trust; if not, \
             somebody else has the secret: rotate it."
        ),
        Fault::NotTrusted => format!(
            "The application {name} sends auth0-forwarded-for, but it is ignored: Trust Token Endpoint IP Header is off, \
             or the call was not authenticated. Its users share the limits of its own address. Switch it on if the \
             application is a backend of yours."
        ),
    };
    event.client_id = Some(client.client_id.clone());
    event.client_name = Some(name);
    explain_source(&mut event, source);
    Some(event)
}

/// Whether no end user on the Internet can have this address (RFC 6890).
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, third, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || first == 0
                || first >= 240
                || (first == 100 && second & 0b1100_0000 == 64)
                || (first == 198 && second & 0b1111_1110 == 18)
                || (first == 192 && second == 0 && third == 0)
        }
        IpAddr::V6(v6) => {
            let [first, second, third, fourth, ..] = v6.segments();
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                // Site-local (RFC 3879), discard-only (RFC 6666), local NAT64 (RFC 8215).
                || first & 0xffc0 == 0xfec0
                || (first, second, third, fourth) == (0x100, 0, 0, 0)
                || (first, second, third) == (0x64, 0xff9b, 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use guard::{Source, Standing};

    use super::*;

    fn source(decision: HeaderDecision, address: &str) -> TrustedSource {
        TrustedSource {
            source: Source::new(address.parse().unwrap()),
            standing: Standing::Vouched,
            decision,
        }
    }

    #[test]
    fn each_fault_is_told_once_an_hour() {
        let watch = HeaderWatch::default();
        let (tenant, client) = (TenantId::new("t"), ClientId::new("c"));
        let observe = |decision, address, minute: i64| {
            let now = Timestamp::from_second(1_000_000 + minute * 60).unwrap();
            watch.observe(&tenant, &client, true, &source(decision, address), now)
        };
        use HeaderDecision as D;
        assert_eq!(
            observe(D::Absent, "192.0.2.1", 0),
            None,
            "it never sent one"
        );
        assert_eq!(observe(D::Used, "192.0.2.1", 1), None);
        assert_eq!(observe(D::Absent, "192.0.2.1", 2), Some(Fault::Lost));
        assert_eq!(observe(D::Absent, "192.0.2.1", 61), None);
        assert_eq!(observe(D::Absent, "192.0.2.1", 62), Some(Fault::Lost));
        assert_eq!(
            observe(D::Absent, "192.0.2.1", 24 * 60 + 2),
            None,
            "a day later it is as it is"
        );
        assert_eq!(observe(D::Used, "10.0.0.1", 3_000), Some(Fault::Special));
        assert_eq!(observe(D::Used, "10.0.0.2", 3_001), None);
        assert_eq!(
            observe(D::Invalid, "192.0.2.1", 3_002),
            Some(Fault::Unreadable)
        );
        assert_eq!(observe(D::Several, "192.0.2.1", 3_003), None);
        assert_eq!(
            observe(D::ForeignNetwork, "192.0.2.1", 3_004),
            Some(Fault::ForeignNetwork)
        );
        assert_eq!(
            observe(D::UntrustedClient, "192.0.2.1", 3_005),
            Some(Fault::NotTrusted)
        );
    }

    #[test]
    fn nobody_on_the_internet_has_these_addresses() {
        for special in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "198.18.0.1",
            "198.19.255.255",
            "192.0.0.8",
            "fec0::1",
            "100::1",
            "64:ff9b:1::a00:1",
        ] {
            assert!(is_special(special.parse().unwrap()), "{special}");
        }
        for public in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "64:ff9b::808:808",
            "2606:4700::1",
            "192.0.2.1",
            "2001:db8::1",
        ] {
            assert!(!is_special(public.parse().unwrap()), "{public}");
        }
    }
}
