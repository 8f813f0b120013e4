//! Paths and queries of the Management API, and the wrong method everywhere.

use super::super::wire::Expected::{Bare, Ours};
use super::super::wire::{Kind, kind, request};

/// Paths and queries with a right token.
pub(in crate::hostile) fn addresses(token: &str) -> Vec<Kind> {
    let line = format!("Authorization: Bearer {token}\r\n");
    let at = |path: &str| request("GET", &format!("/api/v2/{path}"), &line, "");
    let mut kinds = Vec::new();
    for path in [
        "nothing",
        "users/a/b/c",
        "Users",
        "users/",
        "../v2/users",
        "clients/../users",
        "%75sers",
    ] {
        kinds.push(kind(format!("path `{path}`"), at(path), Ours(404)));
    }
    for id in ["%00", "%FF", "a%00b", "%c0%af", "%ed%a0%80"] {
        for resource in [
            "users",
            "clients",
            "connections",
            "resource-servers",
            "logs",
        ] {
            kinds.push(kind(
                format!("path `{resource}/{id}`"),
                at(&format!("{resource}/{id}")),
                Ours(400),
            ));
        }
    }
    for id in [
        "auth0%7Cnobody",
        "%zz",
        "..%2f..%2fetc%2fpasswd",
        "'%20OR%201=1",
        "__proto__",
        &"a".repeat(8_000),
    ] {
        let shown: String = id.chars().take(20).collect();
        kinds.push(kind(
            format!("path `clients/{shown}`"),
            at(&format!("clients/{id}")),
            Ours(404),
        ));
    }
    for (resource, query) in [
        ("users", "per_page=-1"),
        ("users", "per_page=101"),
        ("users", "per_page=99999999999999999999"),
        ("users", "per_page=NaN"),
        ("users", "per_page=1e2"),
        ("users", "per_page=0x10"),
        ("users", "per_page="),
        ("users", "page=-1"),
        ("users", "page=18446744073709551616"),
        ("users", "page=one"),
        ("users", "page[]=1&page="),
        ("users", "q=email:%00"),
        ("users", "per_page=%00"),
        ("clients", "per_page=1000"),
        ("connections", "page=1.5"),
        ("logs", "per_page=101"),
        ("logs", "sort=date"),
        ("logs", "sort=password:1"),
        ("logs", "sort=date:1;DROP"),
        ("logs", "q=password:x"),
        ("logs", "q=(type:s"),
        ("logs", "q=type:s)"),
        ("logs", "q=type:s%20OR"),
        ("logs", "q=NOT"),
        ("logs", "q=/s/"),
        ("logs", "q=type:s~"),
        ("logs", "q=type:s%5E2"),
        ("logs", "q=date:[a%20TO%20b]"),
        ("logs", "q=date:[2026-01-01%20TO"),
        ("logs", "q=type:"),
        ("logs", "q=:"),
        ("logs", "q=type:%22"),
        ("logs", "q=user_id:%00"),
        ("logs", "from=%00"),
        ("logs", "from=x&take=0"),
        ("logs", "from=x&take=101"),
        ("logs", "from=x&take=-1"),
        ("users-by-email", "email=%00"),
        ("users-by-email", ""),
        ("user-blocks", ""),
        ("user-blocks", "identifier=%00"),
        ("connections", "name=%00"),
    ] {
        kinds.push(kind(
            format!("query `{resource}?{query}`"),
            at(&format!("{resource}?{query}")),
            Ours(400),
        ));
    }
    for address in [
        "127.0.0.1%2f8",
        "1.2.3",
        "0x7f000001",
        "fe80::1%25eth0",
        "localhost",
        "%5b::1%5d",
        "1.2.3.4:80",
    ] {
        kinds.push(kind(
            format!("path `anomaly/blocks/ips/{address}`"),
            at(&format!("anomaly/blocks/ips/{address}")),
            Ours(400),
        ));
    }
    kinds
}

/// Methods a path does not have.
pub(in crate::hostile) fn methods(token: &str) -> Vec<Kind> {
    let line = format!("Authorization: Bearer {token}\r\n");
    let mut kinds = Vec::new();
    for (method, path) in [
        ("PUT", "users"),
        ("DELETE", "users"),
        ("PATCH", "clients"),
        ("POST", "logs"),
        ("POST", "tenants/settings"),
        ("TRACE", "users"),
        ("PROPFIND", "users"),
    ] {
        kinds.push(kind(
            format!("{method} {path}"),
            request(method, &format!("/api/v2/{path}"), &line, ""),
            Ours(404),
        ));
    }
    for (method, path) in [
        ("POST", "/.well-known/jwks.json"),
        ("DELETE", "/.well-known/openid-configuration"),
        ("POST", "/livez"),
        ("PUT", "/readyz"),
    ] {
        kinds.push(kind(
            format!("{method} {path}"),
            request(method, path, "", ""),
            Bare(405),
        ));
    }
    for path in [
        "/",
        "/api/v2/",
        "/metrics",
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/oauth/revoke",
        "/authorize",
    ] {
        kinds.push(kind(
            format!("GET {path}"),
            request("GET", path, "", ""),
            Bare(404),
        ));
    }
    kinds
}
