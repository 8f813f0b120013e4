//! Header lines (RFC 9110 §5, §7.2), client authentication in them (RFC 7617), and how many and how long they may be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::wire::Expected::{Bare, Ours};
use super::wire::{Kind, SECRET, kind, post};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = hosts();
    kinds.extend(lines());
    kinds.extend(authorizations());
    kinds
}

fn hosts() -> Vec<Kind> {
    let with = |lines: &[u8]| {
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n{FORM}"
        );
        [head.as_bytes(), lines, b"\r\n"].concat()
    };
    let mut kinds = vec![
        kind("no Host", with(b""), Ours(400)),
        kind("two Hosts", with(b"Host: localhost\r\nHost: evil.example\r\n"), Ours(400)),
        kind("two equal Hosts", with(b"Host: localhost\r\nHost: localhost\r\n"), Ours(400)),
        kind("a Host that is not ASCII", with("Host: exämple.com\r\n".as_bytes()), Ours(400)),
        kind("a Host that is not UTF-8", with(b"Host: \xff\xfe\r\n"), Ours(400)),
        kind("a Host with a NUL", with(b"Host: local\0host\r\n"), Bare(400)),
        kind("a Host of 10,000 letters", with(format!("Host: {}\r\n", "a".repeat(10_000)).as_bytes()), Ours(400)),
        kind("no Host for the Management API", b"GET /api/v2/users HTTP/1.1\r\nConnection: close\r\n\r\n".as_slice(), Ours(400)),
        kind("two Hosts for the key set", b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".as_slice(), Ours(400)),
    ];
    for host in [
        "",
        "local host",
        "localhost/path",
        "root@localhost",
        "localhost,evil.example",
        "a\"b",
        "<script>",
        "localhost?x",
        "[::1",
        "localhost:port",
        "localhost:99999",
        "%6cocalhost",
    ] {
        let bytes = with(format!("Host: {host}\r\n").as_bytes());
        kinds.push(kind(format!("Host `{host}`"), bytes, Ours(400)));
    }
    kinds
}

fn lines() -> Vec<Kind> {
    let with = |lines: &[u8]| {
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n{FORM}"
        );
        [head.as_bytes(), lines, b"\r\n"].concat()
    };
    let long =
        |name: usize, value: usize| format!("X-{}: {}\r\n", "n".repeat(name), "v".repeat(value));
    vec![
        kind(
            "90 headers",
            with("X-A: b\r\n".repeat(90).as_bytes()),
            Ours(401),
        ),
        kind(
            "101 headers",
            with("X-A: b\r\n".repeat(101).as_bytes()),
            Bare(431),
        ),
        kind(
            "1,000 headers",
            with("X-A: b\r\n".repeat(1_000).as_bytes()),
            Bare(431),
        ),
        kind(
            "100,000 headers",
            with("X-A: b\r\n".repeat(100_000).as_bytes()),
            Bare(431),
        ),
        kind(
            "a header of 20 KB",
            with(long(1, 20_000).as_bytes()),
            Ours(401),
        ),
        kind(
            "a header of 40 KB",
            with(long(1, 40_000).as_bytes()),
            Bare(431),
        ),
        kind(
            "a header of 1 MB",
            with(long(1, 1 << 20).as_bytes()),
            Bare(431),
        ),
        kind(
            "a header's name of 40 KB",
            with(long(40_000, 1).as_bytes()),
            Bare(431),
        ),
        kind(
            "1,000 cookies",
            with("Cookie: a=b\r\n".repeat(1_000).as_bytes()),
            Bare(431),
        ),
        kind("a folded header", with(b"X-A: b\r\n c\r\n"), Bare(400)),
        kind(
            "a header that begins with a space",
            with(b" X-A: b\r\n"),
            Bare(400),
        ),
        kind("a space in a header's name", with(b"X A: b\r\n"), Bare(400)),
        kind("an empty header's name", with(b": b\r\n"), Bare(400)),
        kind("a header without a colon", with(b"X-A\r\n"), Bare(400)),
        kind(
            "a header's name that is not ASCII",
            with("X-Ä: b\r\n".as_bytes()),
            Bare(400),
        ),
        kind("a NUL in a header's name", with(b"X-\0A: b\r\n"), Bare(400)),
        kind("a NUL in a header's value", with(b"X-A: \0\r\n"), Bare(400)),
        kind(
            "a bare carriage return in a header's value",
            with(b"X-A: b\rX-B: c\r\n"),
            Bare(400),
        ),
        kind(
            "a header's value that is not UTF-8",
            with(b"X-A: \xff\xfe\r\n"),
            Ours(401),
        ),
        kind(
            "a User-Agent of 20 KB",
            with(format!("User-Agent: {}\r\n", "u".repeat(20_000)).as_bytes()),
            Ours(401),
        ),
        kind(
            "a User-Agent that is not UTF-8",
            with(b"User-Agent: \xff\xfe\r\n"),
            Ours(401),
        ),
        kind(
            "Auth0-Client that is no Base64",
            with(b"Auth0-Client: !!!\r\n"),
            Ours(401),
        ),
        kind(
            "Auth0-Client with deep JSON",
            with(format!("Auth0-Client: {}\r\n", STANDARD.encode("[".repeat(10_000))).as_bytes()),
            Ours(401),
        ),
        kind(
            "Content-Encoding that was not applied",
            with(b"Content-Encoding: gzip\r\n"),
            Ours(401),
        ),
        kind(
            "a method override",
            with(b"X-HTTP-Method-Override: DELETE\r\n"),
            Ours(401),
        ),
        kind(
            "100 ranges",
            with(format!("Range: bytes={}\r\n", "0-,".repeat(100)).as_bytes()),
            Ours(401),
        ),
    ]
}

fn authorizations() -> Vec<Kind> {
    let body = format!("grant_type=password&username=ana&password={SECRET}");
    let with = |lines: &[u8], body: &str| {
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{FORM}",
            body.len()
        );
        [head.as_bytes(), lines, b"\r\n", body.as_bytes()].concat()
    };
    let basic =
        |credentials: &[u8]| format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials));
    let good = basic(format!("shop:{SECRET}").as_bytes());
    let mut kinds = vec![
        kind(
            "two Authorization headers",
            with(format!("{good}{good}").as_bytes(), &body),
            Ours(401),
        ),
        kind(
            "Basic and Bearer",
            with(
                format!("{good}Authorization: Bearer x\r\n").as_bytes(),
                &body,
            ),
            Ours(401),
        ),
        kind(
            "Basic and a secret in the body",
            with(
                good.as_bytes(),
                &format!("{body}&client_id=shop&client_secret={SECRET}"),
            ),
            Ours(400),
        ),
        kind(
            "Basic and another client in the body",
            with(good.as_bytes(), &format!("{body}&client_id=other")),
            Ours(400),
        ),
        kind(
            "Basic of a client nobody knows",
            with(good.as_bytes(), &body),
            Ours(401),
        ),
        kind(
            "an Authorization that is not ASCII",
            with(
                "Authorization: Básic x\r\n".as_bytes(),
                &format!("{body}&client_id=shop"),
            ),
            Ours(401),
        ),
        kind(
            "an Authorization that is not UTF-8",
            with(
                b"Authorization: \xff\xfe\r\n",
                &format!("{body}&client_id=shop"),
            ),
            Ours(401),
        ),
    ];
    for (name, value) in [
        ("Basic alone", "Basic".to_owned()),
        ("Basic and a space", "Basic ".to_owned()),
        ("Basic with no Base64", "Basic !!!!".to_owned()),
        ("Basic with another alphabet", "Basic _-_-".to_owned()),
        ("Basic without padding", "Basic YTpiYg".to_owned()),
        ("Basic with too much padding", "Basic YTpi====".to_owned()),
        ("Basic twice", "Basic Basic YTpi".to_owned()),
        ("Basic and more", "Basic YTpi, realm=x".to_owned()),
        ("Basic with an inner space", "Basic YT pi".to_owned()),
        ("Basic with an equals sign", "Basic=YTpi".to_owned()),
        (
            "another scheme",
            "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
        ),
        ("a scheme nobody knows", "Frobnicate YTpi".to_owned()),
        ("Digest", "Digest username=\"a\", realm=\"b\"".to_owned()),
        ("an empty value", String::new()),
    ] {
        let line = format!("Authorization: {value}\r\n");
        kinds.push(kind(
            format!("Authorization: {name}"),
            with(line.as_bytes(), &body),
            Ours(401),
        ));
    }
    for (name, credentials) in [
        ("nothing", &b""[..]),
        ("no colon", b"shop"),
        ("only a colon", b":"),
        ("no id", b":secret"),
        ("bytes that are not UTF-8", b"\xff\xfe:x"),
        ("a NUL", b"sh\0op:x"),
        ("a line break", b"shop:x\r\nX-Injected: 1"),
        ("a broken percent sequence", b"shop:%zz"),
        ("an encoded NUL", b"shop:%00"),
        ("an encoded byte that is not UTF-8", b"shop:%ff"),
        ("SQL", b"' OR 1=1 --:x"),
        ("no secret", b"shop:"),
    ] {
        let line = basic(credentials);
        kinds.push(kind(
            format!("Basic of {name}"),
            with(line.as_bytes(), &body),
            Ours(401),
        ));
    }
    for (name, id, secret) in [
        ("an id of 10 KB", 10_000, 1),
        ("a secret of 10 KB", 1, 10_000),
    ] {
        let line = basic(format!("{}:{}", "i".repeat(id), "s".repeat(secret)).as_bytes());
        kinds.push(kind(
            format!("Basic with {name}"),
            with(line.as_bytes(), &body),
            Ours(400),
        ));
    }
    kinds.push(kind(
        "Basic of 60 KB",
        post("/oauth/token", &basic(&[b'a'; 45_000]), ""),
        Bare(431),
    ));
    kinds
}
