//! Networks as settings write them: an address and a length, each in the one way that everybody reads alike.
//!
//! `ipnet` takes leading zeros, which some read as octal: `010.0.0.0/8` would be believed as another network than meant.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

/// Reads a list of networks.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let network = |text: &String| {
        one(text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no network; write an address and a length without leading zeros, as in 10.0.0.0/8 or fd00::/8"
            ))
        })
    };
    texts.iter().map(network).collect()
}

fn one(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    address.parse::<IpAddr>().ok()?;
    let network: IpNet = text.parse().ok()?;
    (length == network.prefix_len().to_string()).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_in_one_way() {
        for good in [
            "10.0.0.0/8",
            "203.0.113.7/32",
            "fd00::/8",
            "0.0.0.0/0",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(one(good).is_some(), "{good}");
        }
        for bad in [
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0",
            "10.0.0/8",
            "10.0.0.0/33",
            "fd00::/129",
            "",
            "/8",
        ] {
            assert!(one(bad).is_none(), "{bad}");
        }
    }
}
