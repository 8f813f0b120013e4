//! The Management API: tokens that are not its own, paths, queries and bodies; and the wrong method everywhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{SignatureAlgorithm, SigningKey, SystemEntropy, sign_hs256};
use serde_json::{Value, json};

use super::wire::Expected::{Bare, Ours, Text};
use super::wire::{Kind, SECRET, kind, request};

const JSON: &str = "Content-Type: application/json\r\n";

/// `token` is a right one for the Management API, `keys` the key set, `foreign` a right one for another audience.
pub(super) fn tokens(token: &str, keys: &Value, foreign: &str) -> Vec<Kind> {
    let asking = |lines: &str| request("GET", "/api/v2/users", lines, "");
    let [header, payload, signature] =
        <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(payload);
    let kid = part(header)["kid"].as_str().unwrap().to_owned();
    let with_header = |changed: Value| format!("{}.{payload}.{signature}", encode(&changed));
    let modulus = keys["keys"][0]["n"].as_str().unwrap();
    let made = SigningKey::generate("localhost", &SystemEntropy).unwrap();
    let foreign_key = SigningKey::from_pkcs8(&made.to_pkcs8(), kid.clone(), Vec::new()).unwrap();
    let mut admin = claims.clone();
    admin["exp"] = json!(99_999_999_999_u64);
    let mut flipped = signature.to_owned();
    flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });

    let bearer = |name: &str, token: String| {
        (
            name.to_owned(),
            format!("Authorization: Bearer {token}\r\n"),
        )
    };
    let mut forms = vec![
        ("no Authorization".to_owned(), String::new()),
        (
            "an empty Authorization".to_owned(),
            "Authorization: \r\n".to_owned(),
        ),
        (
            "Bearer without a token".to_owned(),
            "Authorization: Bearer\r\n".to_owned(),
        ),
        (
            "Bearer and a space".to_owned(),
            "Authorization: Bearer \r\n".to_owned(),
        ),
        (
            "a token without a scheme".to_owned(),
            format!("Authorization: {token}\r\n"),
        ),
        (
            "a token as Basic".to_owned(),
            format!("Authorization: Basic {token}\r\n"),
        ),
        (
            "BEARER in other words".to_owned(),
            format!("Authorization: Token {token}\r\n"),
        ),
        (
            "a token in a cookie".to_owned(),
            format!("Cookie: access_token={token}\r\n"),
        ),
        (
            "two Authorizations, the right one last".to_owned(),
            format!("Authorization: Bearer x\r\nAuthorization: Bearer {token}\r\n"),
        ),
        (
            "two Authorizations, the right one first".to_owned(),
            format!("Authorization: Bearer {token}\r\nAuthorization: Bearer x\r\n"),
        ),
        bearer("alg none", with_header(json!({"alg": "none", "kid": kid}))),
        bearer(
            "alg none, no signature",
            format!("{}.{payload}.", encode(&json!({"alg": "none", "kid": kid}))),
        ),
        bearer("alg None", with_header(json!({"alg": "None", "kid": kid}))),
        bearer(
            "alg HS256 in the header alone",
            with_header(json!({"alg": "HS256", "kid": kid})),
        ),
        bearer(
            "HS256 with the public modulus",
            sign_hs256(modulus.as_bytes(), "JWT", &admin),
        ),
        bearer(
            "HS256 with the decoded modulus",
            sign_hs256(&URL_SAFE_NO_PAD.decode(modulus).unwrap(), "JWT", &admin),
        ),
        bearer(
            "HS256 with the public key as JSON",
            sign_hs256(keys["keys"][0].to_string().as_bytes(), "JWT", &admin),
        ),
        bearer(
            "HS256 with the certificate",
            sign_hs256(
                keys["keys"][0]["x5c"][0]
                    .as_str()
                    .unwrap_or_default()
                    .as_bytes(),
                "JWT",
                &admin,
            ),
        ),
        bearer("HS256 with an empty key", sign_hs256(b"", "JWT", &admin)),
        bearer("another key with our kid", foreign_key.sign("JWT", &admin)),
        bearer("another key with its own kid", made.sign("JWT", &admin)),
        bearer(
            "PS256 by another key",
            foreign_key.sign_with(SignatureAlgorithm::Ps256, "JWT", &admin),
        ),
        bearer(
            "a key in the header",
            with_header(json!({"alg": "RS256", "jwk": made.jwk()})),
        ),
        bearer(
            "an address of keys in the header",
            with_header(
                json!({"alg": "RS256", "kid": kid, "jku": "https://evil.example/jwks.json"}),
            ),
        ),
        bearer(
            "a kid that is a path",
            with_header(json!({"alg": "RS256", "kid": "../../dev/null"})),
        ),
        bearer(
            "a kid that is SQL",
            with_header(json!({"alg": "RS256", "kid": "' OR 1=1 --"})),
        ),
        bearer(
            "a kid that is a list",
            with_header(json!({"alg": "RS256", "kid": [kid]})),
        ),
        bearer(
            "critical extensions",
            with_header(json!({"alg": "RS256", "kid": kid, "crit": ["exp"]})),
        ),
        bearer(
            "changed claims",
            format!("{header}.{}.{signature}", encode(&admin)),
        ),
        bearer(
            "a changed signature",
            format!("{header}.{payload}.{flipped}"),
        ),
        bearer("no signature", format!("{header}.{payload}.")),
        bearer("two parts", format!("{header}.{payload}")),
        bearer("four parts", format!("{token}.{signature}")),
        bearer(
            "five parts, as if encrypted",
            format!("{token}.{signature}.{signature}"),
        ),
        bearer("a padded signature", format!("{token}=")),
        bearer("the token twice", format!("{token},{token}")),
        bearer("the token in quotes", format!("\"{token}\"")),
        bearer(
            "a token of 20 KB",
            format!("{header}.{}.{signature}", "A".repeat(20_000)),
        ),
        bearer("dots", ".".repeat(10_000)),
        bearer(
            "a header 5,000 deep",
            format!(
                "{}.{payload}.{signature}",
                URL_SAFE_NO_PAD.encode("[".repeat(5_000))
            ),
        ),
        bearer("a token for another API", foreign.to_owned()),
    ];
    let mut kinds: Vec<Kind> = forms
        .drain(..)
        .map(|(name, line)| kind(format!("bearer: {name}"), asking(&line), Ours(401)))
        .collect();
    let not_utf8 = [
        asking("").as_slice().strip_suffix(b"\r\n").unwrap(),
        b"Authorization: Bearer \xff\xfe\r\n\r\n",
    ]
    .concat();
    kinds.push(kind(
        "bearer: a token that is not UTF-8",
        not_utf8,
        Ours(401),
    ));
    let large = asking(&format!(
        "Authorization: Bearer {}\r\n",
        "A".repeat(1 << 20)
    ));
    kinds.push(kind("bearer: a token of 1 MB", large, Bare(431)));
    kinds
}

/// Paths and queries with a right token.
pub(super) fn addresses(token: &str) -> Vec<Kind> {
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

/// Bodies with a right token.
pub(super) fn bodies(token: &str) -> Vec<Kind> {
    let line = format!("Authorization: Bearer {token}\r\n");
    let send = |method: &str, path: &str, media_type: &str, body: &[u8]| {
        request(
            method,
            &format!("/api/v2/{path}"),
            &format!("{line}{media_type}"),
            body,
        )
    };
    let text = |body: &str| send("POST", "users", JSON, body.as_bytes());
    let user = |more: &str| {
        format!(
            "{{\"connection\":\"Users\",\"email\":\"eve@example.com\",\"password\":\"{SECRET}\"{more}}}"
        )
    };
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let mut kinds = vec![
        kind("body: a list", text("[]"), Ours(400)),
        kind("body: a string", text(&format!("\"{SECRET}\"")), Ours(400)),
        kind("body: null", text("null"), Ours(400)),
        kind("body: nothing", text(""), Ours(400)),
        kind("body: half a document", text("{\"connection\":"), Ours(400)),
        kind(
            "body: bytes that are not UTF-8",
            send("POST", "users", JSON, b"{\"email\":\"\xff\"}"),
            Ours(400),
        ),
        kind(
            "body: a byte order mark",
            text(&format!("\u{feff}{}", user(""))),
            Ours(400),
        ),
        kind(
            "body: UTF-16",
            send(
                "POST",
                "users",
                JSON,
                &user("")
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect::<Vec<_>>(),
            ),
            Ours(400),
        ),
        kind(
            "body: a lone surrogate",
            text("{\"email\":\"\\ud800\"}"),
            Ours(400),
        ),
        kind(
            "body: a NUL",
            text(&user(",\"name\":\"a\\u0000b\"")),
            Ours(400),
        ),
        kind("body: 10,000 deep", text(&deep(10_000)), Ours(400)),
        kind(
            "body: metadata 10,000 deep",
            text(&user(&format!(
                ",\"user_metadata\":{{\"x\":{}}}",
                deep(10_000)
            ))),
            Ours(400),
        ),
        kind(
            "body: metadata of 100,000 members",
            text(&user(&format!(
                ",\"user_metadata\":{{{}}}",
                vec!["\"a\":1"; 100_000].join(",")
            ))),
            Ours(413),
        ),
        kind(
            "body: metadata of 1 MB",
            text(&user(&format!(
                ",\"app_metadata\":{{\"x\":\"{}\"}}",
                "a".repeat(1 << 20)
            ))),
            Ours(413),
        ),
        kind(
            "body: metadata that is a list",
            text(&user(",\"user_metadata\":[]")),
            Ours(400),
        ),
        kind(
            "body: a member nobody knows",
            text(&user(",\"is_admin\":true")),
            Ours(400),
        ),
        kind(
            "body: __proto__",
            text(&user(",\"__proto__\":{}")),
            Ours(400),
        ),
        kind(
            "body: an id of 1,000 characters",
            text(&user(&format!(",\"user_id\":\"{}\"", "x".repeat(1_000)))),
            Ours(400),
        ),
        kind(
            "body: a password of 60 KB",
            text(&format!(
                "{{\"connection\":\"Users\",\"email\":\"eve@example.com\",\"password\":\"{}\"}}",
                "a".repeat(60_000)
            )),
            Ours(400),
        ),
        kind(
            "body: an email of 60 KB",
            text(&format!(
                "{{\"connection\":\"Users\",\"email\":\"{}@example.com\",\"password\":\"{SECRET}\"}}",
                "a".repeat(60_000)
            )),
            Ours(400),
        ),
        kind(
            "body: a number beyond a double",
            text("{\"email\":1e999999}"),
            Ours(400),
        ),
        kind(
            "body: a form that is no form",
            send(
                "POST",
                "users",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                b"\xff\xfe%zz=%",
            ),
            Ours(400),
        ),
        kind(
            "body: multipart",
            send(
                "POST",
                "users",
                "Content-Type: multipart/form-data; boundary=x\r\n",
                b"--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\neve\r\n--x--",
            ),
            Ours(400),
        ),
        kind(
            "body: chunks that are none",
            format!(
                "POST /api/v2/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{line}{JSON}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}"
            ),
            Ours(400),
        ),
        kind(
            "body: shorter than it says",
            format!(
                "POST /api/v2/users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{line}{JSON}Content-Length: 100\r\n\r\n{{}}"
            ),
            Ours(400),
        ),
    ];
    for name in [
        "connection",
        "email",
        "password",
        "username",
        "name",
        "user_metadata",
        "blocked",
        "email_verified",
    ] {
        let mut members =
            json!({"connection": "Users", "email": "eve@example.com", "password": SECRET});
        members[name] = json!([{"$gt": ""}]);
        kinds.push(kind(
            format!("body: `{name}` as a list"),
            text(&members.to_string()),
            Ours(400),
        ));
    }
    for (path, body) in [
        (
            "attack-protection/brute-force-protection",
            json!({"max_attempts": -1}),
        ),
        (
            "attack-protection/brute-force-protection",
            json!({"max_attempts": 1e300}),
        ),
        (
            "attack-protection/brute-force-protection",
            json!({"allowlist": vec!["::/0"; 5_000]}),
        ),
        (
            "attack-protection/brute-force-protection",
            json!({"allowlist": ["not an address"]}),
        ),
        (
            "attack-protection/suspicious-ip-throttling",
            json!({"stage": {"pre-login": {"max_attempts": "many"}}}),
        ),
        (
            "attack-protection/suspicious-ip-throttling",
            json!({"stage": []}),
        ),
        (
            "portcullis/attack-protection",
            json!({"same_user": {"max_attempts": 0}}),
        ),
        ("tenants/settings", json!({"default_directory": {"x": 1}})),
        ("tenants/settings", json!({"flags": "all"})),
    ] {
        let shown: String = body.to_string().chars().take(40).collect();
        kinds.push(kind(
            format!("body: {path} {shown}"),
            send("PATCH", path, JSON, body.to_string().as_bytes()),
            Ours(400),
        ));
    }
    kinds
}

/// Methods a path does not have.
pub(super) fn methods(token: &str) -> Vec<Kind> {
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

/// `/userinfo`, whose token may be in the header or in a form, never in both; `token` is a right one for another audience.
pub(super) fn userinfo(token: &str) -> Vec<Kind> {
    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
    let line = format!("Authorization: Bearer {token}\r\n");
    let get = |lines: &str| request("GET", "/userinfo", lines, "");
    let send = |lines: &str, body: &str| request("POST", "/userinfo", lines, body);
    vec![
        kind("a token for another audience", get(&line), Text(401)),
        kind(
            "two Authorizations",
            get(&format!("{line}{line}")),
            Text(401),
        ),
        kind(
            "an opaque token nobody has",
            get("Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"),
            Text(401),
        ),
        kind(
            "an opaque token of 20 KB",
            get(&format!("Authorization: Bearer {}\r\n", "A".repeat(20_000))),
            Text(401),
        ),
        kind(
            "a token in header and form",
            send(&format!("{line}{FORM}"), &format!("access_token={token}")),
            Ours(400),
        ),
        kind(
            "two tokens in the form",
            send(FORM, "access_token=a&access_token=b"),
            Text(401),
        ),
        kind(
            "a form with a broken sequence",
            send(FORM, "access_token=%zz"),
            Text(401),
        ),
        kind(
            "a form of 70 KB",
            send(FORM, &format!("access_token={}", "a".repeat(70_000))),
            Ours(413),
        ),
        kind(
            "a body shorter than it says",
            format!(
                "POST /userinfo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{FORM}Content-Length: 9\r\n\r\na"
            ),
            Ours(400),
        ),
        kind(
            "no Host",
            "GET /userinfo HTTP/1.1\r\nConnection: close\r\n\r\n",
            Ours(400),
        ),
    ]
}
