//! Who can reach the server, and who is believed about where others come from.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::finding::Outcome;
use crate::arguments::Serve;
use crate::open;
use crate::settings::{Server, Settings};

/// Networks that nobody on the internet has an address in.
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// The address of `server.public_url`.
pub(super) fn public_url(settings: &Settings) -> Outcome {
    let Some(url) = &settings.server.public_url else {
        return Outcome::ok("not set: the first tenant's domain counts");
    };
    match settings.domain("") {
        Ok(domain) => Outcome::ok(format!("https://{domain}/")),
        Err(error) => Outcome::fail(
            error.to_string(),
            format!("the server does not start with `{url}`"),
            "Write scheme, host and, where it is not 443, the port, and nothing else",
        ),
    }
}

/// `server.trusted_proxies` and `server.client_ip_header`.
pub(super) fn trusted_proxies(server: &Server, options: &Serve) -> Outcome {
    if let Err(error) = open::header(&server.client_ip_header) {
        return Outcome::fail(
            error.to_string(),
            "the server does not start",
            "Write the name of one header, as in x-forwarded-for",
        );
    }
    let networks = &server.trusted_proxies;
    if networks.is_empty() {
        return without_proxies(server, options);
    }
    let wide = networks.iter().filter(|network| is_wide(network));
    if let Some(wide) = shown(wide) {
        return Outcome::fail(
            format!("server.trusted_proxies holds {wide}, as good as everybody"),
            "an attacker chooses the address that he is counted under, so no block holds him",
            "Name the networks of your own proxies only",
        );
    }
    let public = networks.iter().filter(|network| !is_private(network));
    if let Some(public) = shown(public) {
        return Outcome::warn(
            format!("server.trusted_proxies holds {public}, which are public"),
            "whoever has an address there chooses the one that he is counted under",
            "Keep it only if every machine there is your proxy, as with the networks that a CDN publishes",
        );
    }
    Outcome::ok(format!(
        "{} is believed from {} networks, all private",
        server.client_ip_header,
        networks.len()
    ))
}

fn without_proxies(server: &Server, options: &Serve) -> Outcome {
    let remedy = "Set server.trusted_proxies to the addresses of your proxies";
    if server.client_ip_header != Server::default().client_ip_header {
        return Outcome::warn(
            format!(
                "server.client_ip_header is {}, but server.trusted_proxies is empty",
                server.client_ip_header
            ),
            "nobody is believed, so the header is never read and users behind a proxy share its address",
            remedy,
        );
    }
    if options.no_tls {
        return Outcome::warn(
            "--no-tls means a proxy in front, but server.trusted_proxies is empty",
            "all callers seem to come from the proxy, and one attacker gets all of them blocked",
            remedy,
        );
    }
    Outcome::ok("none: the address that connects is the one that counts")
}

/// Whether passwords cross a network in clear.
pub(super) fn listeners(addresses: &[SocketAddr], options: &Serve) -> Outcome {
    let all = addresses.iter().map(ToString::to_string);
    let all = all.collect::<Vec<_>>().join(", ");
    match addresses.iter().find(|address| is_exposed(address.ip())) {
        Some(address) if options.no_tls => Outcome::warn(
            format!("--no-tls listens on {address}"),
            "whoever reaches it without the proxy sends passwords in clear",
            "Listen on 127.0.0.1 or a private address that only the proxy reaches",
        ),
        _ => Outcome::Ok(all),
    }
}

/// Whether strangers can read the figures.
pub(super) fn metrics(address: SocketAddr) -> Outcome {
    if is_exposed(address.ip()) {
        return Outcome::warn(
            format!("metrics.listen is {address}"),
            "whoever reaches it reads without a password how often logins fail and what is blocked",
            "Listen on 127.0.0.1 or a private address, or let a firewall admit only Prometheus",
        );
    }
    Outcome::ok(address.to_string())
}

/// All interfaces, or an address on the internet.
fn is_exposed(address: IpAddr) -> bool {
    address.is_unspecified() || !is_private(&IpNet::from(address))
}

fn is_private(network: &IpNet) -> bool {
    let private = PRIVATE.iter().filter_map(|private| private.parse().ok());
    private
        .into_iter()
        .any(|private: IpNet| private.contains(network))
}

fn is_wide(network: &IpNet) -> bool {
    let least = match network {
        IpNet::V4(_) => 8,
        IpNet::V6(_) => 7,
    };
    network.prefix_len() < least
}

fn shown<'a>(networks: impl Iterator<Item = &'a IpNet>) -> Option<String> {
    let all: Vec<String> = networks.map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::says;
    use crate::doctor::options;

    fn server(proxies: &[&str]) -> Server {
        Server {
            trusted_proxies: proxies.iter().map(|each| each.parse().unwrap()).collect(),
            ..Server::default()
        }
    }

    #[test]
    fn only_the_operators_own_proxies_are_worth_belief() {
        let dev = options(&["--tls-dev"]);
        for (proxies, expected) in [
            (&[][..], "ok"),
            (&["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"], "ok"),
            (&["192.168.1.7/32", "198.51.100.0/24"], "warn"),
            (&["2001:db8::/32"], "warn"),
            (&["172.16.0.0/11"], "warn"),
            (&["0.0.0.0/1", "128.0.0.0/1"], "fail"),
            (&["10.0.0.0/8", "::/1"], "fail"),
            (&["2000::/3"], "fail"),
        ] {
            let outcome = trusted_proxies(&server(proxies), &dev);
            says(&outcome, expected, "");
        }
    }

    #[test]
    fn a_header_that_nobody_is_believed_about_is_named() {
        let mut server = server(&[]);
        server.client_ip_header = "x-real-ip".to_owned();
        let outcome = trusted_proxies(&server, &options(&["--tls-dev"]));
        says(&outcome, "warn", "");
        server.client_ip_header = "x real ip".to_owned();
        let outcome = trusted_proxies(&server, &options(&["--tls-dev"]));
        says(&outcome, "fail", "");
    }

    #[test]
    fn a_proxy_that_terminates_tls_must_be_trusted() {
        let plain = options(&["--no-tls"]);
        let outcome = trusted_proxies(&server(&[]), &plain);
        says(&outcome, "warn", "");
        let outcome = trusted_proxies(&server(&["10.0.0.0/8"]), &plain);
        says(&outcome, "ok", "");
    }

    #[test]
    fn what_strangers_reach_is_named() {
        for (address, expected) in [
            ("127.0.0.1:9464", "ok"),
            ("[::1]:9464", "ok"),
            ("10.0.0.5:9464", "ok"),
            ("0.0.0.0:9464", "warn"),
            ("[::]:9464", "warn"),
            ("203.0.113.5:9464", "warn"),
        ] {
            let address = address.parse().unwrap();
            says(&metrics(address), expected, "");
            let plain = listeners(&[address], &options(&["--no-tls"]));
            says(&plain, expected, "");
            let tls = listeners(&[address], &options(&["--tls-dev"]));
            says(&tls, "ok", "");
        }
    }

    #[test]
    fn an_address_that_is_none_fails() {
        let mut settings = Settings::default();
        says(&public_url(&settings), "ok", "not set");
        for (url, expected) in [
            ("https://id.example.com/", "ok"),
            ("http://id.example.com/", "fail"),
            ("https://id.example.com/login", "fail"),
        ] {
            settings.server.public_url = Some(url.to_owned());
            says(&public_url(&settings), expected, "https://");
        }
    }
}
