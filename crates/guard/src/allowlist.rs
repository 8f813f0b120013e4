//! Addresses and networks that a shield leaves alone (auth0-wire-facts §4.4).
//!
//! They match the exact address of a source, never a network it is counted in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// Up to [`Allowlist::LIMIT`] addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowlist {
    networks: Vec<IpNet>,
}

impl Allowlist {
    /// The most entries a list may have.
    pub const LIMIT: usize = 100;

    /// Reads IPv4 and IPv6 addresses and CIDR blocks.
    ///
    /// # Errors
    /// The first entry that is neither, or a list that is too long.
    pub fn parse(entries: &[String]) -> Result<Self, AllowlistError> {
        if entries.len() > Self::LIMIT {
            return Err(AllowlistError::TooMany(entries.len()));
        }
        let networks = entries.iter().map(|entry| match network(entry) {
            Some(network) if is_too_wide(&network) => Err(AllowlistError::TooWide(entry.clone())),
            Some(network) => Ok(network),
            None => Err(AllowlistError::Entry(entry.clone())),
        });
        Ok(Self {
            networks: networks.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the list names this address, which is not IPv4-mapped.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowlistError {
    /// The entry that is neither an address nor a CIDR block.
    Entry(String),
    /// A network so wide that the shield would protect nobody.
    TooWide(String),
    /// More entries than [`Allowlist::LIMIT`]: so many.
    TooMany(usize),
}

impl fmt::Display for AllowlistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => write!(f, "{entry:?} is neither an IP address nor a CIDR block"),
            Self::TooWide(entry) => write!(
                f,
                "{entry:?} is wider than /8 (IPv4) or /16 (IPv6), which would switch the protection off: name the networks \
                 that are your own"
            ),
            Self::TooMany(count) => write!(
                f,
                "an allowlist has at most {} entries, not {count}",
                Allowlist::LIMIT
            ),
        }
    }
}

impl std::error::Error for AllowlistError {}

/// Wider than any one organisation's network.
fn is_too_wide(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 16,
    }
}

/// The network of an address or a CIDR block; IPv4 written as IPv6 is IPv4.
///
/// The address of a block is read like any other: `ipnet` itself takes leading zeros, which some read as octal.
pub fn network(entry: &str) -> Option<IpNet> {
    let network = match entry.split_once('/') {
        None => IpNet::from(entry.parse::<IpAddr>().ok()?),
        Some((address, length)) => {
            let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
            let length = length.parse().ok().filter(|_| is_number)?;
            IpNet::new(address.parse().ok()?, length).ok()?
        }
    };
    Some(unmapped(network).trunc())
}

/// Sources are unmapped, so a network within `::ffff:0:0/96` could else match nothing.
fn unmapped(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V4(_) => None,
        IpNet::V6(v6) => v6
            .addr()
            .to_ipv4_mapped()
            .zip(v6.prefix_len().checked_sub(96)),
    };
    let v4 =
        mapped.and_then(|(address, length): (Ipv4Addr, u8)| Ipv4Net::new(address, length).ok());
    v4.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn list(entries: &[&str]) -> Result<Allowlist, AllowlistError> {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        Allowlist::parse(&entries)
    }

    fn matches(entry: &str, address: &str) -> bool {
        let source = Source::new(address.parse().unwrap());
        list(&[entry]).unwrap().contains(source.exact())
    }

    #[test]
    fn what_an_entry_matches() {
        let table = [
            ("198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "::ffff:198.51.100.7", true),
            ("198.51.100.7", "198.51.100.8", false),
            ("198.51.100.0/24", "198.51.100.8", true),
            ("198.51.100.9/24", "198.51.100.8", true),
            ("::ffff:198.51.100.7", "198.51.100.7", true),
            ("::ffff:198.51.100.0/120", "198.51.100.8", true),
            ("2001:db8::1", "2001:db8:0::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("2001:db8::/32", "2001:db8:ffff::2", true),
            ("2000::/16", "198.51.100.7", false),
            ("198.0.0.0/8", "198.51.100.7", true),
            // Never the address it is folded to.
            ("8.8.8.8", "64:ff9b::8.8.8.8", false),
            ("8.8.8.8", "2002:808:808::1", false),
        ];
        for (entry, address, expected) in table {
            assert_eq!(matches(entry, address), expected, "{entry} {address}");
        }
    }

    #[test]
    fn unreadable_entries_are_named() {
        for entry in [
            "",
            " 198.51.100.7",
            "198.51.100.7:80",
            "[::1]",
            "::1%eth0",
            "10.0.0.0/33",
            "10/8",
            "010.0.0.0/8",
            "::ffff:098.51.100.0/120",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "a.example",
        ] {
            let error = list(&["10.0.0.1", entry]).unwrap_err();
            assert_eq!(error, AllowlistError::Entry(entry.to_owned()));
        }
    }

    #[test]
    fn a_network_that_leaves_nobody_protected_is_refused() {
        for entry in [
            "0.0.0.0/0",
            "128.0.0.0/1",
            "10.0.0.0/7",
            "::/0",
            "2000::/3",
            "2000::/15",
            "::ffff:0:0/96",
        ] {
            assert_eq!(
                list(&[entry]),
                Err(AllowlistError::TooWide(entry.to_owned()))
            );
        }
    }

    #[test]
    fn a_hundred_entries_and_no_more() {
        assert!(list(&["10.0.0.1"; 100]).is_ok());
        assert_eq!(list(&["10.0.0.1"; 101]), Err(AllowlistError::TooMany(101)));
        assert!(!list(&[]).unwrap().contains([10, 0, 0, 1].into()));
    }
}
