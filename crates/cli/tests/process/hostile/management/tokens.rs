//! Tokens that are not the Management API's own, and those that `/userinfo` gets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{SignatureAlgorithm, SigningKey, SystemEntropy, sign_hs256};
use serde_json::{Value, json};

use super::super::wire::Expected::{Bare, Ours, Text};
use super::super::wire::{Kind, kind, request};

/// `token` is a right one for the Management API, `keys` the key set, `foreign` a right one for another audience.
pub(in crate::hostile) fn tokens(token: &str, keys: &Value, foreign: &str) -> Vec<Kind> {
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

/// `/userinfo`, whose token may be in the header or in a form, never in both; `token` is a right one for another audience.
pub(in crate::hostile) fn userinfo(token: &str) -> Vec<Kind> {
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
