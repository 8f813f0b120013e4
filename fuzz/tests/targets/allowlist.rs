//! Allowlists and the networks of a trusted header: an entry that is read matches what is written, and no more.

use std::net::IpAddr;

use guard::{Allowlist, Source};

#[test]
fn an_entry_matches_its_own_addresses_and_no_others() {
    let seeds: [&[u8]; 8] = [
        b"::ffff:098.51.100.0/120",
        b"198.51.100.7",
        b"198.51.100.0/24\n2001:db8::/32",
        b"::ffff:198.51.100.0/120",
        b"::/0",
        b"0.0.0.0/0\n10/8",
        b"fe80::1%eth0",
        b"2001:DB8:0::1/128\n::ffff:1.2.3.4",
    ];
    let strangers: [IpAddr; 3] =
        ["203.0.113.77", "2001:db8:ffff::77", "::77"].map(|it| it.parse().unwrap());
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let entries: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let Ok(list) = Allowlist::parse(&entries) else {
            return;
        };
        assert!(entries.len() <= Allowlist::LIMIT);
        for entry in &entries {
            let (address, length) = entry.split_once('/').unwrap_or((entry, "128"));
            let address: IpAddr = address.parse().expect("an entry begins with an address");
            let source = Source::new(address).exact();
            // A network of IPv6 that is wider than all mapped addresses names no address of IPv4.
            let is_wider =
                address.is_ipv6() && source.is_ipv4() && length.parse::<u8>().unwrap() < 96;
            assert!(is_wider || list.contains(source), "{entry}");
        }
        // Without a network, nobody else is let in.
        if !text.contains('/') {
            for stranger in strangers {
                let named = entries.iter().any(|entry| {
                    entry
                        .parse::<IpAddr>()
                        .is_ok_and(|it| Source::new(it).exact() == stranger)
                });
                assert_eq!(list.contains(stranger), named, "{stranger} in {text}");
            }
        }
    });
}
