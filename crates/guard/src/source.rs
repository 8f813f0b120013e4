//! Where an attempt comes from: the exact address, and the networks it is counted in.
//!
//! Networks fold the ways in which one host can write itself (NAT64, RFC 6052 §2.1; 6to4, RFC 3056 §2), but only
//! where the embedded IPv4 address is a global one. The exact address is never folded: allowlists match it, logs
//! show it. IPv4 counts as /32 and IPv6 as /64, with its /56 and /48 as parents.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The source of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    exact: IpAddr,
}

impl Source {
    /// An IPv4-mapped address (`::ffff:a.b.c.d`) is the IPv4 address.
    pub fn new(address: IpAddr) -> Self {
        Self {
            exact: address.to_canonical(),
        }
    }

    /// The address as it came, only unmapped.
    pub fn exact(&self) -> IpAddr {
        self.exact
    }

    /// What counts as one place: the /32, or the /64.
    pub fn prefix(&self) -> IpNet {
        match self.counted() {
            IpAddr::V4(_) => self.network(32),
            IpAddr::V6(_) => self.network(64),
        }
    }

    /// The first parent of an IPv6 source.
    pub fn prefix56(&self) -> Option<IpNet> {
        self.parent(56)
    }

    /// The second parent of an IPv6 source.
    pub fn prefix48(&self) -> Option<IpNet> {
        self.parent(48)
    }

    fn parent(&self, length: u8) -> Option<IpNet> {
        self.counted().is_ipv6().then(|| self.network(length))
    }

    fn network(&self, length: u8) -> IpNet {
        let address = self.counted();
        IpNet::new(address, length)
            .unwrap_or(IpNet::from(address))
            .trunc()
    }

    fn counted(&self) -> IpAddr {
        match self.exact {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => match embedded(address) {
                Some(inner) if is_global(inner) => IpAddr::V4(inner),
                _ => IpAddr::V6(address),
            },
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exact.fmt(f)
    }
}

/// The IPv4 address in a NAT64 or 6to4 address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Some(Ipv4Addr::new(a, b, c, d))
}

/// IANA's special-purpose registry (RFC 6890), as far as it is not globally reachable.
fn is_global(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        [0 | 240.., ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..]
    );
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(text.parse().unwrap())
    }

    #[test]
    fn networks_of_an_address() {
        let table = [
            ("198.51.100.7", "198.51.100.7/32", None),
            ("::ffff:198.51.100.7", "198.51.100.7/32", None),
            ("::ffff:c633:6407", "198.51.100.7/32", None),
            (
                "2001:db8:1:2345:6:7:8:9",
                "2001:db8:1:2345::/64",
                Some(("2001:db8:1:2300::/56", "2001:db8:1::/48")),
            ),
            // NAT64 and 6to4 around a global address.
            ("64:ff9b::8.8.8.8", "8.8.8.8/32", None),
            ("2002:808:808:1:2:3:4:5", "8.8.8.8/32", None),
            // Around one that is not, the embedded address means nothing.
            (
                "64:ff9b::10.0.0.1",
                "64:ff9b::/64",
                Some(("64:ff9b::/56", "64:ff9b::/48")),
            ),
            (
                "2002:7f00:1::1",
                "2002:7f00:1::/64",
                Some(("2002:7f00:1::/56", "2002:7f00:1::/48")),
            ),
            // The local-use NAT64 prefix is the operator's own matter (RFC 8215).
            (
                "64:ff9b:1::8.8.8.8",
                "64:ff9b:1::/64",
                Some(("64:ff9b:1::/56", "64:ff9b:1::/48")),
            ),
            // The deprecated IPv4-compatible form is an IPv6 address.
            ("::8.8.8.8", "::/64", Some(("::/56", "::/48"))),
        ];
        for (text, prefix, parents) in table {
            let source = source(text);
            assert_eq!(source.prefix().to_string(), prefix, "{text}");
            let found = source.prefix56().zip(source.prefix48());
            let found = found.map(|(a, b)| (a.to_string(), b.to_string()));
            let wanted = parents.map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn the_exact_address_is_only_unmapped() {
        assert_eq!(
            source("::ffff:198.51.100.7").to_string(),
            "198.51.100.7",
            "mapped"
        );
        assert_eq!(
            source("64:ff9b::8.8.8.8").exact(),
            "64:ff9b::808:808".parse::<IpAddr>().unwrap()
        );
        assert_eq!(source("2002:808:808::1").to_string(), "2002:808:808::1");
    }

    #[test]
    fn every_way_to_write_an_address_is_one_source() {
        let forms = [
            "2001:db8::1",
            "2001:DB8:0:0:0:0:0:1",
            "2001:0db8:0000:0000:0000:0000:0000:0001",
            "2001:db8::0:1",
        ];
        for form in forms {
            assert_eq!(source(form), source("2001:db8::1"));
        }
    }

    #[test]
    fn special_addresses_are_not_global() {
        for text in [
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_global(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "198.20.0.1"] {
            assert!(is_global(text.parse().unwrap()), "{text}");
        }
    }
}
