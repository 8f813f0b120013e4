//! How far the trusted header of one application is believed: a limit of ours beside Auth0's switch.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// From where an application's `auth0-forwarded-for` is taken. It narrows the switch and never stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeaderTrust {
    /// The backend's own networks; empty means anywhere, as on the wire.
    pub networks: Vec<IpNet>,
}

impl HeaderTrust {
    /// Whether a call from this address (canonical, IPv4 not mapped) may name the end user's.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_means_anywhere() {
        let of = |networks: &[&str]| HeaderTrust {
            networks: networks.iter().map(|net| net.parse().unwrap()).collect(),
        };
        let allows = |networks, address: &str| of(networks).allows(address.parse().unwrap());
        assert!(allows(&[], "192.0.2.1") && allows(&[], "2001:db8::1"));
        assert!(allows(&["192.0.2.0/24"], "192.0.2.1"));
        assert!(!allows(&["192.0.2.0/24"], "198.51.100.1"));
        assert!(!allows(&["192.0.2.0/24"], "2001:db8::1"));
        assert!(allows(&["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1"));
    }
}
