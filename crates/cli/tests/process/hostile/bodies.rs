//! Bodies of the token endpoint: media types, forms, JSON, and each parameter's bounds.

use super::wire::Expected::Ours;
use super::wire::{Kind, SECRET, form, json, kind, post};

/// A whole request but for what a kind changes; the client does not exist.
const WHOLE: [(&str, &str); 6] = [
    ("grant_type", "password"),
    ("username", "ana@example.com"),
    ("password", SECRET),
    ("client_id", "nobody"),
    ("client_secret", "nothing"),
    ("scope", "openid"),
];

pub(super) fn media_types() -> Vec<Kind> {
    let whole = as_json(&WHOLE);
    let with = |media_type: &[u8], body: &[u8]| {
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\nContent-Type: ",
            body.len()
        );
        [head.as_bytes(), media_type, b"\r\n\r\n", body].concat()
    };
    let utf16 = |little: bool| -> Vec<u8> {
        let units = whole.encode_utf16();
        units
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    };
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
    ];
    let mut kinds = vec![
        kind(
            "no Content-Type",
            post("/oauth/token", "", &whole),
            Ours(400),
        ),
        kind(
            "two Content-Types",
            post(
                "/oauth/token",
                "Content-Type: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                &whole,
            ),
            Ours(400),
        ),
        kind(
            "a Content-Type that is not UTF-8",
            with(b"\xff\xfe", whole.as_bytes()),
            Ours(400),
        ),
        kind("JSON said to be a form", form(&whole), Ours(401)),
        kind("a form said to be JSON", json(as_form(&WHOLE)), Ours(400)),
        kind(
            "UTF-16 with the little end first",
            with(b"application/json; charset=utf-16", &utf16(true)),
            Ours(400),
        ),
        kind(
            "UTF-16 with the big end first",
            with(b"application/json; charset=utf-16", &utf16(false)),
            Ours(400),
        ),
        kind(
            "a byte order mark",
            json(format!("\u{feff}{whole}")),
            Ours(400),
        ),
        kind("gzip without saying so", json(gzip), Ours(400)),
        kind(
            "gzip",
            post(
                "/oauth/token",
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                gzip,
            ),
            Ours(400),
        ),
        kind(
            "an encoding nobody knows",
            post(
                "/oauth/token",
                "Content-Type: application/json\r\nContent-Encoding: frob\r\n",
                &whole,
            ),
            Ours(401),
        ),
    ];
    for media_type in [
        "",
        ";",
        "/",
        "text/plain",
        "text/json",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "application/jsonp",
        "application",
        "multipart/form-data; boundary=x",
        "application/json, application/x-www-form-urlencoded",
        "application/vnd.api+json",
        "*/*",
        "application/ json",
    ] {
        let bytes = with(media_type.as_bytes(), whole.as_bytes());
        kinds.push(kind(
            format!("Content-Type `{media_type}`"),
            bytes,
            Ours(400),
        ));
    }
    for name in ["application/json", "application/x-www-form-urlencoded"] {
        for (what, body) in [
            ("empty", String::new()),
            ("of 60 KB of spaces", " ".repeat(60_000)),
        ] {
            // An empty form has no grant; blank JSON is no JSON.
            let wanted = if name.contains("form") { 401 } else { 400 };
            kinds.push(kind(
                format!("{name} that is {what}"),
                with(name.as_bytes(), body.as_bytes()),
                Ours(wanted),
            ));
        }
    }
    kinds
}

pub(super) fn forms() -> Vec<Kind> {
    let mut kinds = missing(form, as_form);
    for (name, value) in WHOLE.into_iter().chain([
        ("realm", "Users"),
        ("audience", "x"),
        ("resource", "x"),
        ("unknown", "x"),
    ]) {
        let body = format!("{}&{name}={value}&{name}={value}", as_form(&WHOLE));
        kinds.push(kind(format!("form: `{name}` twice"), form(body), Ours(400)));
    }
    let and = |more: &str| form(format!("{}&{more}", as_form(&without("scope"))));
    kinds.extend([
        kind("form: 65 parameters", and(&numbered(60)), Ours(400)),
        kind(
            "form: 10,000 parameters",
            form(numbered(10_000).get(..60_000).unwrap()),
            Ours(400),
        ),
        kind(
            "form: a value of 1 MB",
            and(&format!("x={}", "a".repeat(1 << 20))),
            Ours(413),
        ),
        kind(
            "form: a name of 60 KB",
            and(&format!("{}=x", "a".repeat(60_000))),
            Ours(401),
        ),
        kind(
            "form: 60 KB of ampersands",
            form("&".repeat(60_000)),
            Ours(401),
        ),
        kind(
            "form: 60 KB of equals signs",
            form("=".repeat(60_000)),
            Ours(401),
        ),
        kind(
            "form: raw bytes that are not UTF-8",
            form([as_form(&WHOLE).as_bytes(), b"&x=\xff\xfe"].concat()),
            Ours(400),
        ),
        kind(
            "form: raw bytes in a name",
            form([as_form(&WHOLE).as_bytes(), b"&\xff=x"].concat()),
            Ours(400),
        ),
        kind(
            "form: semicolons between the pairs",
            form(as_form(&WHOLE).replace('&', ";")),
            Ours(401),
        ),
        kind(
            "form: brackets for a list",
            form("grant_type=password&client_id=a&username[]=ana&password=x"),
            Ours(400),
        ),
        kind(
            "form: brackets for an operator",
            form("grant_type=password&client_id=a&username=ana&password[$ne]=x"),
            Ours(400),
        ),
        kind(
            "form: deep brackets",
            form(format!(
                "grant_type=password&client_id=a&username{}=ana&password=x",
                "[a]".repeat(5_000)
            )),
            Ours(400),
        ),
        kind(
            "form: a line break between the pairs",
            form(as_form(&WHOLE).replace('&', "\r\n")),
            Ours(401),
        ),
        kind(
            "form: a parameter in capitals",
            form(as_form(&WHOLE).replace("password=", "PASSWORD=")),
            Ours(400),
        ),
    ]);
    for broken in [
        "%",
        "%4",
        "%zz",
        "%u0041",
        "%%41",
        "%-1",
        "%ff",
        "%c0%af",
        "%ed%a0%80",
        "%00",
        "%f8%88%80%80%80",
    ] {
        kinds.push(kind(
            format!("form: the sequence {broken}"),
            and(&format!("scope={broken}")),
            Ours(400),
        ));
    }
    for grant in [
        "magic",
        "PASSWORD",
        "password ",
        "authorization_code",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "http://auth0.com/oauth/grant-type/mfa-otp",
        "%F0%9F%94%91",
        "__proto__",
    ] {
        let body = as_form(&without("grant_type"));
        kinds.push(kind(
            format!("form: the grant `{grant}`"),
            form(format!("{body}&grant_type={grant}")),
            Ours(501),
        ));
    }
    kinds.extend(bounds());
    kinds
}

/// One parameter too long, too many or of the wrong characters.
fn bounds() -> Vec<Kind> {
    let with =
        |name: &str, value: &str| form(format!("{}&{name}={value}", as_form(&without(name))));
    let long = |length: usize| "a".repeat(length);
    let mut kinds = Vec::new();
    for (name, length) in [
        ("grant_type", 257),
        ("client_id", 257),
        ("client_secret", 1_025),
        ("username", 255),
        ("password", 1_025),
        ("realm", 129),
        ("audience", 601),
        ("resource", 601),
        ("scope", 4_097),
        ("username", 50_000),
        ("password", 50_000),
    ] {
        kinds.push(kind(
            format!("form: `{name}` of {length}"),
            with(name, &long(length)),
            Ours(400),
        ));
    }
    for name in [
        "grant_type",
        "client_id",
        "client_secret",
        "username",
        "password",
        "realm",
        "audience",
        "scope",
    ] {
        kinds.push(kind(
            format!("form: a NUL in `{name}`"),
            with(name, "a%00b"),
            Ours(400),
        ));
    }
    for (what, scope) in [
        ("201 items", "a+".repeat(201)),
        ("a quotation mark", "%22".to_owned()),
        ("a backslash", "%5c".to_owned()),
        ("a tab", "a%09b".to_owned()),
        ("an emoji", "%F0%9F%94%91".to_owned()),
        ("a line break", "a%0d%0ab".to_owned()),
    ] {
        kinds.push(kind(
            format!("form: a scope with {what}"),
            with("scope", &scope),
            Ours(400),
        ));
    }
    kinds
}

pub(super) fn documents() -> Vec<Kind> {
    let mut kinds = missing(json, as_json);
    let names = [
        "grant_type",
        "client_id",
        "client_secret",
        "username",
        "password",
        "realm",
        "audience",
        "resource",
        "scope",
    ];
    for name in names {
        for (what, value) in [
            ("number", "1"),
            ("boolean", "true"),
            ("list", "[\"x\"]"),
            ("object", "{\"$ne\":\"x\"}"),
        ] {
            let body = without_then(name, value);
            kinds.push(kind(
                format!("JSON: `{name}` as a {what}"),
                json(body),
                Ours(400),
            ));
        }
    }
    for (name, status) in [
        ("grant_type", 400),
        ("username", 400),
        ("password", 400),
        ("client_id", 401),
    ] {
        kinds.push(kind(
            format!("JSON: `{name}` as null"),
            json(without_then(name, "null")),
            Ours(status),
        ));
    }
    for name in ["grant_type", "username", "password", "unknown"] {
        let whole = as_json(&WHOLE);
        let body = format!(
            "{},\"{name}\":\"a\",\"{name}\":\"b\"}}",
            whole.trim_end_matches('}')
        );
        kinds.push(kind(format!("JSON: `{name}` twice"), json(body), Ours(400)));
    }
    for (what, body) in [
        ("a list", "[]".to_owned()),
        ("a string", "\"password\"".to_owned()),
        ("a number", "1".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a list 10,000 deep", "[".repeat(10_000)),
        (
            "a closed list 10,000 deep",
            format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("an object 10,000 deep", "{\"a\":".repeat(10_000)),
        (
            "a member 10,000 deep",
            format!("{{\"x\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        (
            "10,000 members",
            format!("{{{}}}", vec!["\"a\":1"; 10_000].join(",")),
        ),
        ("garbage at the end", format!("{}x", as_json(&WHOLE))),
        ("two documents", format!("{0}{0}", as_json(&WHOLE))),
        ("a document a line", format!("{0}\n{0}", as_json(&WHOLE))),
        (
            "half a document",
            as_json(&WHOLE).get(..40).unwrap().to_owned(),
        ),
        ("a NUL at the end", format!("{}\0", as_json(&WHOLE))),
        (
            "a comment",
            "{\"grant_type\":\"password\" /* x */}".to_owned(),
        ),
        (
            "a line comment",
            "{\"grant_type\":\"password\" // x\n}".to_owned(),
        ),
        ("NaN", "{\"x\":NaN}".to_owned()),
        ("Infinity", "{\"x\":-Infinity}".to_owned()),
        ("a hexadecimal number", "{\"x\":0x10}".to_owned()),
        ("a number that begins with zero", "{\"x\":012}".to_owned()),
        ("an exponent beyond a double", "{\"x\":1e999999}".to_owned()),
        ("single quotes", "{'grant_type':'password'}".to_owned()),
        (
            "names without quotes",
            "{grant_type:\"password\"}".to_owned(),
        ),
        (
            "a comma at the end",
            "{\"grant_type\":\"password\",}".to_owned(),
        ),
        (
            "a colon missing",
            "{\"grant_type\" \"password\"}".to_owned(),
        ),
        (
            "a lone high surrogate",
            "{\"username\":\"\\ud800\"}".to_owned(),
        ),
        (
            "a lone low surrogate",
            "{\"username\":\"\\udc00\"}".to_owned(),
        ),
        (
            "an escape nobody knows",
            "{\"username\":\"\\x41\"}".to_owned(),
        ),
        ("a short escape", "{\"username\":\"\\u00\"}".to_owned()),
        (
            "an escaped NUL",
            "{\"grant_type\":\"password\",\"username\":\"a\\u0000b\"}".to_owned(),
        ),
        (
            "an escaped NUL in a name",
            "{\"gr\\u0000ant\":\"password\"}".to_owned(),
        ),
        (
            "a raw line break in a string",
            "{\"username\":\"a\nb\"}".to_owned(),
        ),
        (
            "__proto__",
            "{\"__proto__\":{\"grant_type\":\"password\"}}".to_owned(),
        ),
        (
            "constructor",
            "{\"constructor\":{\"prototype\":{\"username\":\"ana\"}}}".to_owned(),
        ),
    ] {
        // An object that can be read but names no client is refused as such.
        let wanted = if what == "__proto__" || what == "constructor" {
            401
        } else {
            400
        };
        kinds.push(kind(format!("JSON: {what}"), json(body), Ours(wanted)));
    }
    let whole = as_json(&without("username"));
    let with_raw = |raw: &[u8]| {
        [
            whole.trim_end_matches('}').as_bytes(),
            b",\"username\":\"",
            raw,
            b"\"}",
        ]
        .concat()
    };
    for (what, raw) in [
        ("a stray byte", &b"\xff"[..]),
        ("an overlong slash", b"\xc0\xaf"),
        ("an encoded surrogate", b"\xed\xa0\x80"),
        ("half a character", b"\xf0\x9f"),
    ] {
        kinds.push(kind(
            format!("JSON: {what}"),
            json(with_raw(raw)),
            Ours(400),
        ));
    }
    let digits = format!(
        "{},\"x\":{}}}",
        as_json(&WHOLE).trim_end_matches('}'),
        "9".repeat(50_000)
    );
    kinds.push(kind(
        "JSON: a number of 50,000 digits",
        json(digits),
        Ours(400),
    ));
    kinds.push(kind(
        "JSON: a document of 1 MB",
        json(format!("{{\"x\":\"{}\"}}", "a".repeat(1 << 20))),
        Ours(413),
    ));
    kinds
}

/// Each required parameter left out, and sent empty.
fn missing(send: impl Fn(String) -> Vec<u8>, write: fn(&[(&str, &str)]) -> String) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for name in ["grant_type", "username", "password", "client_id"] {
        let status = if name == "client_id" { 401 } else { 400 };
        let body = write(&without(name));
        kinds.push(kind(
            format!("`{name}` left out of {body:.12}"),
            send(body),
            Ours(status),
        ));
        let empty: Vec<(&str, &str)> = WHOLE
            .into_iter()
            .map(|(known, value)| (known, if known == name { "" } else { value }))
            .collect();
        let body = write(&empty);
        kinds.push(kind(
            format!("`{name}` empty in {body:.12}"),
            send(body),
            Ours(status),
        ));
    }
    let mut realm = without("grant_type");
    realm.push((
        "grant_type",
        "http://auth0.com/oauth/grant-type/password-realm",
    ));
    let body = write(&realm);
    kinds.push(kind(
        format!("`realm` left out of {body:.12}"),
        send(body),
        Ours(400),
    ));
    kinds
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    WHOLE
        .into_iter()
        .filter(|(known, _)| *known != name)
        .collect()
}

fn without_then(name: &str, value: &str) -> String {
    format!(
        "{},\"{name}\":{value}}}",
        as_json(&without(name)).trim_end_matches('}')
    )
}

fn as_form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

fn as_json(pairs: &[(&str, &str)]) -> String {
    let members = pairs
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn numbered(count: usize) -> String {
    (0..count)
        .map(|number| format!("p{number}=x"))
        .collect::<Vec<_>>()
        .join("&")
}
