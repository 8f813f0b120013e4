//! Addresses that a request to the outside never means: this machine, its networks, and what is no machine (RFC 6890).
//!
//! An IPv4 address within an IPv6 one (mapped, NAT64, 6to4) is judged as what it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is of the operator's own networks, or of nobody's.
pub(super) fn is_own(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_own_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_own_v4(v4),
            None => {
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
                    || matches!(
                        v6.segments(),
                        [0, 0, 0, 0, 0, 0, ..] | [0xfec0..=0xfeff, ..]
                    )
            }
        },
    }
}

fn is_own_v4(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [0 | 240.., ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..]
    ) || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
}

/// The IPv4 address in a NAT64 (RFC 6052, RFC 8215) or 6to4 (RFC 3056) address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0x64, 0xff9b, 0 | 1, _, _, _, high, low] | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_known_however_they_are_written() {
        for own in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::7f00:1",
            "2002:a9fe:a9fe::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_own(own.parse().unwrap()), "{own}");
        }
        for others in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_own(others.parse().unwrap()), "{others}");
        }
    }
}
