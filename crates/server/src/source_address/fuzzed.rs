//! Fuzzed: whatever the two headers hold, an address counts only if it is written there, whole.

use std::sync::Arc;

use credentials::Scheme;
use http::{HeaderName, HeaderValue};
use model::Client;
use protocol::authentication_rule;
use serde_json::json;

use super::*;
use crate::breach::BreachSources;
use crate::outgoing::OutgoingSettings;
use crate::settings::{ConnectionSettings, MailSettings, WaitingSettings};

const PEER: &str = "10.0.0.1";

fn settings() -> ServerSettings {
    ServerSettings {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        client_ip_header: HeaderName::from_static("x-forwarded-for"),
        default_tenant: None,
        password_scheme: Scheme::argon2id_default(),
        waiting: WaitingSettings::default(),
        connections: ConnectionSettings::default(),
        mail: MailSettings::default(),
        breach: {
            let now = tokio::time::Instant::now().into_std();
            Arc::new(BreachSources::new(&Default::default(), &Default::default(), now).unwrap())
        },
        outgoing: OutgoingSettings::default(),
    }
}

fn headers(name: &'static str, lines: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        headers.append(name, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}

#[test]
fn a_proxys_word_is_an_address_in_its_header_or_fails() {
    let settings = settings();
    let peer: IpAddr = PEER.parse().unwrap();
    let seeds: [&[u8]; 5] = [
        b"192.0.2.1, 10.0.0.2",
        b"[2001:db8::1]:443,10.1.1.1:80",
        b"::ffff:192.0.2.1",
        b"unknown, 192.0.2.1\n10.0.0.3",
        b"10.0.0.2,10.0.0.3",
    ];
    fuzz::check(&seeds, |input| {
        let Some(headers) = headers("x-forwarded-for", input) else {
            return;
        };
        let found = connection_address(peer, &headers, &settings);
        assert_eq!(found.address, found.address.to_canonical());
        let written = String::from_utf8_lossy(input);
        let mut entries = written.split([',', '\n']).filter_map(proxy_entry);
        assert!(found.address == peer || entries.any(|entry| entry == found.address));
        assert!(!found.proxy_failed || found.address == peer);
        let stranger: IpAddr = "198.51.100.1".parse().unwrap();
        let ignored = connection_address(stranger, &headers, &settings);
        assert_eq!((ignored.address, ignored.proxy_failed), (stranger, false));
    });
}

#[test]
fn a_backends_word_is_one_whole_address_or_nothing() {
    let document = json!({
        "client_id": "shop", "name": "Shop", "token_endpoint_auth_method": "client_secret_post",
        "is_token_endpoint_ip_header_trusted": true,
    });
    let client: Client = serde_json::from_value(document).unwrap();
    let caller = authentication_rule(Some(Arc::new(client)), Some(true)).unwrap();
    let peer: IpAddr = PEER.parse().unwrap();
    let seeds: [&[u8]; 6] = [
        b"192.0.2.1",
        b"2001:db8::1",
        b"::ffff:192.0.2.1",
        b"192.0.2.1, 192.0.2.2",
        b"192.0.2.1\n192.0.2.1",
        b"fe80::1%eth0",
    ];
    fuzz::check(&seeds, |input| {
        let Some(headers) = headers(FORWARDED_FOR, input) else {
            return;
        };
        let decided = decide(&headers, &caller, &HeaderTrust::default(), peer);
        let written = std::str::from_utf8(input).ok();
        let address = written.and_then(|text| text.parse::<IpAddr>().ok());
        match address {
            Some(address) => {
                assert_eq!(decided.decision, HeaderDecision::Used);
                assert_eq!(decided.source.exact(), Source::new(address).exact());
            }
            None => {
                assert_ne!(decided.decision, HeaderDecision::Used);
                assert_eq!(decided.source.exact(), peer);
                assert!(matches!(decided.standing, Standing::Distrusted));
            }
        }
    });
}
