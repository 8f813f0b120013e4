//! Request lines and framing (RFC 9112 §3, §6, §7): where one message begins and ends.

use super::wire::Expected::{Bare, Closed, Frames, Ours};
use super::wire::{Kind, kind, post, request};

const JSON: &str = "Content-Type: application/json\r\n";

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = request_lines();
    kinds.extend(targets());
    kinds.extend(lengths());
    kinds.extend(transfer_encodings());
    kinds.extend(chunks());
    kinds.extend(other_protocols());
    kinds.extend(http2());
    kinds
}

fn request_lines() -> Vec<Kind> {
    let line = |line: &str| format!("{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    vec![
        kind(
            "an unknown method",
            line("FROBNICATE /oauth/token HTTP/1.1"),
            Ours(405),
        ),
        kind(
            "a method in lower case",
            line("post /oauth/token HTTP/1.1"),
            Ours(405),
        ),
        kind(
            "GET with the grant in the query",
            line("GET /oauth/token?grant_type=password HTTP/1.1"),
            Ours(405),
        ),
        kind("PUT", line("PUT /oauth/token HTTP/1.1"), Ours(405)),
        kind("TRACE", line("TRACE /oauth/token HTTP/1.1"), Ours(405)),
        kind("OPTIONS", line("OPTIONS /oauth/token HTTP/1.1"), Ours(405)),
        kind(
            "a method with an @",
            line("P@ST /oauth/token HTTP/1.1"),
            Bare(400),
        ),
        kind(
            "a method of 40 KB",
            line(&format!("{} / HTTP/1.1", "A".repeat(40_000))),
            Bare(431),
        ),
        kind("no method", line(" /oauth/token HTTP/1.1"), Bare(400)),
        kind("no target", line("POST HTTP/1.1"), Bare(400)),
        kind("HTTP/0.9", "GET /livez\r\n\r\n", Bare(400)),
        kind("version 0.9", line("GET /livez HTTP/0.9"), Bare(400)),
        kind("version 1.2", line("GET /livez HTTP/1.2"), Bare(400)),
        kind("version 2.0", line("GET /livez HTTP/2.0"), Bare(400)),
        kind(
            "version in lower case",
            line("GET /livez http/1.1"),
            Bare(400),
        ),
        kind(
            "words after the version",
            line("GET /livez HTTP/1.1 please"),
            Bare(400),
        ),
        kind(
            "tabs between the parts",
            line("POST\t/oauth/token\tHTTP/1.1"),
            Bare(400),
        ),
        kind(
            "two spaces between the parts",
            line("POST  /oauth/token  HTTP/1.1"),
            Bare(400),
        ),
        kind(
            "only carriage returns",
            "POST /oauth/token HTTP/1.1\rHost: x\r\r",
            Bare(400),
        ),
        kind(
            "a NUL before the method",
            line("\0POST /oauth/token HTTP/1.1"),
            Bare(400),
        ),
        kind("only empty lines", "\r\n".repeat(20), Closed),
        kind("40 KB of empty lines", "\r\n".repeat(20_000), Bare(431)),
        kind("one letter", "P", Closed),
        kind(
            "half a head",
            "POST /oauth/token HTTP/1.1\r\nHost: loc",
            Closed,
        ),
        kind(
            "random bytes",
            (0..4_096_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80)
                .collect::<Vec<u8>>(),
            Bare(400),
        ),
        kind("1 MB of zeros", vec![0; 1 << 20], Bare(400)),
        kind("1 MB of letters", vec![b'A'; 1 << 20], Bare(431)),
    ]
}

fn targets() -> Vec<Kind> {
    let at = |target: &str| request("POST", target, JSON, "{}");
    let mut kinds = vec![
        kind(
            "a target of 30 KB",
            at(&format!("/oauth/token?{}", "a".repeat(30_000))),
            Ours(401),
        ),
        kind(
            "a target of 40 KB",
            at(&format!("/oauth/token?{}", "a".repeat(40_000))),
            Bare(431),
        ),
        kind(
            "a target of 70 KB",
            at(&format!("/{}", "a".repeat(70_000))),
            Bare(431),
        ),
        kind(
            "a target of 1 MB",
            at(&format!("/{}", "a".repeat(1 << 20))),
            Bare(431),
        ),
        kind("a space in the target", at("/oauth/to ken"), Bare(400)),
        kind("a NUL in the target", at("/oauth/\0token"), Bare(400)),
        kind("a DEL in the target", at("/oauth/\u{7f}token"), Bare(400)),
        kind(
            "a carriage return in the target",
            at("/oauth/\rtoken"),
            Bare(400),
        ),
        kind(
            "a line break in the target",
            at("/oauth/token\r\nX-Injected: 1"),
            Bare(400),
        ),
        kind("no slash", at("oauth/token"), Bare(400)),
        kind("an empty target", at(""), Bare(400)),
        kind("an asterisk", at("*"), Bare(404)),
        kind(
            "another host in the target",
            at("http://evil.example/oauth/token"),
            Ours(401),
        ),
        kind(
            "another scheme in the target",
            at("gopher://evil.example/oauth/token"),
            Ours(401),
        ),
        kind(
            "a user in the target",
            at("http://root:toor@localhost/oauth/token"),
            Ours(400),
        ),
        kind(
            "CONNECT",
            "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
            Bare(404),
        ),
    ];
    for (name, target) in [
        ("dots", "/oauth/../oauth/token"),
        ("encoded dots", "/%2e%2e/oauth/token"),
        ("two slashes", "//oauth/token"),
        ("a slash at the end", "/oauth/token/"),
        ("capitals", "/OAUTH/TOKEN"),
        ("a semicolon", "/oauth/token;jsessionid=1"),
        ("a backslash", "/oauth\\token"),
        ("an encoded slash", "/oauth%2ftoken"),
        ("a broken percent sequence", "/oauth/token%zz"),
        ("an encoded NUL", "/oauth/token%00"),
        ("an encoded line break", "/oauth/token%0d%0aX:%20y"),
        ("a fragment", "/#/oauth/token"),
    ] {
        kinds.push(kind(format!("a target with {name}"), at(target), Bare(404)));
    }
    kinds
}

fn lengths() -> Vec<Kind> {
    let with = |lengths: &str, body: &str| {
        format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}{lengths}\r\n{body}"
        )
    };
    let mut kinds = vec![
        kind(
            "two different Content-Lengths",
            with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
            Bare(400),
        ),
        kind(
            "two equal Content-Lengths",
            with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
            Ours(401),
        ),
        kind(
            "no length at all",
            with("", "{\"grant_type\":\"password\"}"),
            Ours(400),
        ),
        kind(
            "a length beyond the body",
            with("Content-Length: 100\r\n", "{}"),
            Ours(400),
        ),
        kind(
            "a length short of the body",
            with("Content-Length: 5\r\n", "{\"grant_type\":\"password\"}"),
            Ours(400),
        ),
        kind(
            "a request hidden behind the body",
            with(
                "Content-Length: 2\r\n",
                "{}GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ),
            Ours(401),
        ),
        kind(
            "a length of 1 GB and no body",
            with("Content-Length: 1073741824\r\n", ""),
            Ours(413),
        ),
        kind(
            "a body of 64 KB and one byte",
            post("/oauth/token", JSON, vec![b' '; (64 << 10) + 1]),
            Ours(413),
        ),
        kind(
            "a body of 8 MB",
            post("/oauth/token", JSON, vec![b' '; 8 << 20]),
            Ours(413),
        ),
        kind(
            "an expectation and no body",
            with("Content-Length: 10\r\nExpect: 100-continue\r\n", ""),
            Ours(400),
        ),
        kind(
            "an expectation nobody knows",
            with("Content-Length: 2\r\nExpect: 200-ok\r\n", "{}"),
            Ours(401),
        ),
    ];
    for value in [
        "-1",
        "+2",
        "0x2",
        "1e1",
        "2, 2",
        "2 2",
        "2;",
        "99999999999999999999",
        "18446744073709551616",
        "two",
        "",
    ] {
        let bytes = with(&format!("Content-Length: {value}\r\n"), "{}");
        kinds.push(kind(format!("a length of `{value}`"), bytes, Bare(400)));
    }
    kinds
}

fn transfer_encodings() -> Vec<Kind> {
    let with = |headers: &str, body: &str| {
        format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}{headers}\r\n{body}"
        )
    };
    let hidden = "0\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut kinds = vec![
        kind(
            "Content-Length before chunked",
            with(
                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                hidden,
            ),
            Ours(400),
        ),
        kind(
            "chunked before Content-Length",
            with(
                "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n",
                hidden,
            ),
            Ours(400),
        ),
        kind(
            "a space before the colon",
            with("Transfer-Encoding : chunked\r\n", hidden),
            Bare(400),
        ),
        kind(
            "chunked in HTTP/1.0",
            with("Transfer-Encoding: chunked\r\n", hidden).replacen("HTTP/1.1", "HTTP/1.0", 1),
            Bare(400),
        ),
    ];
    for value in [
        "xchunked",
        "chunked, identity",
        "identity",
        "gzip",
        "chunked, chunked, gzip",
        "\u{b}chunked",
        "chunk\ted",
    ] {
        let bytes = with(&format!("Transfer-Encoding: {value}\r\n"), hidden);
        kinds.push(kind(
            format!("Transfer-Encoding {value:?}"),
            bytes,
            Bare(400),
        ));
    }
    for (name, value) in [
        ("chunked twice", "chunked\r\nTransfer-Encoding: chunked"),
        ("gzip then chunked", "gzip, chunked"),
    ] {
        let bytes = with(&format!("Transfer-Encoding: {value}\r\n"), hidden);
        kinds.push(kind(name, bytes, Ours(400)));
    }
    kinds
}

fn chunks() -> Vec<Kind> {
    let with = |body: &str| {
        format!(
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{body}"
        )
    };
    let many = |line: &str, count: usize| line.repeat(count);
    vec![
        kind(
            "a chunk of negative size",
            with("-2\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk size in no number",
            with("zz\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "an empty chunk size",
            with("\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk size with 0x",
            with("0x2\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk size beyond 64 bits",
            with("fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk size of 64 bits",
            with("ffffffffffffffff\r\n{}"),
            Ours(400),
        ),
        kind(
            "a chunk longer than it says",
            with("1\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk shorter than it says",
            with("3\r\n{}\r\n0\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a chunk ended by a line feed",
            with("2\n{}\n0\n\n"),
            Ours(400),
        ),
        kind("no last chunk", with("2\r\n{}\r\n"), Ours(400)),
        kind(
            "1 MB of chunk extension",
            with(&format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(1 << 20))),
            Ours(400),
        ),
        kind(
            "10,000 chunk extensions",
            with(&many("1;a=b\r\n \r\n", 10_000)),
            Ours(400),
        ),
        kind(
            "1 MB of one-byte chunks",
            with(&many("1\r\n \r\n", 175_000)),
            Ours(413),
        ),
        kind(
            "a chunk of 1 MB",
            with(&format!("100000\r\n{}\r\n0\r\n\r\n", " ".repeat(1 << 20))),
            Ours(413),
        ),
        kind(
            "1,000 trailers",
            with(&format!(
                "2\r\n{{}}\r\n0\r\n{}\r\n",
                many("X-Trailer: y\r\n", 1_000)
            )),
            Ours(400),
        ),
        kind(
            "1 MB of trailer",
            with(&format!(
                "2\r\n{{}}\r\n0\r\nX: {}\r\n\r\n",
                "a".repeat(1 << 20)
            )),
            Ours(400),
        ),
        kind(
            "a trailer without a colon",
            with("2\r\n{}\r\n0\r\nnonsense\r\n\r\n"),
            Ours(400),
        ),
        kind(
            "a trailer that would authenticate",
            with("2\r\n{}\r\n0\r\nAuthorization: Basic YTpi\r\n\r\n"),
            Ours(401),
        ),
    ]
}

fn other_protocols() -> Vec<Kind> {
    let asking = |headers: &str| post("/oauth/token", &format!("{JSON}{headers}"), "{}");
    vec![
        kind(
            "half a preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM",
            Closed,
        ),
        kind(
            "an SSLv2 hello",
            [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10].to_vec(),
            Bare(400),
        ),
        kind(
            "a TLS hello on the plain port",
            [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0].to_vec(),
            Bare(400),
        ),
        kind("an SSH greeting", "SSH-2.0-OpenSSH_9.6\r\n", Bare(400)),
        kind(
            "SMTP",
            "EHLO evil.example\r\nMAIL FROM:<a@b>\r\n",
            Bare(400),
        ),
        kind(
            "the PROXY protocol",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /livez HTTP/1.1\r\n\r\n",
            Bare(400),
        ),
        kind(
            "an upgrade to WebSocket",
            asking("Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n"),
            Ours(401),
        ),
        kind(
            "an upgrade to h2c",
            asking("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
            Ours(401),
        ),
    ]
}

/// Messages of HTTP/2, answered in frames: only that the connection ends is asked of them.
fn http2() -> Vec<Kind> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let after = |frames: &[u8]| [PREFACE, frames].concat();
    let settings = |frames: &[u8]| after(&[&SETTINGS, frames].concat());
    let open = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82];
    vec![
        kind("HTTP/2: a preface and silence", after(&[]), Frames),
        kind(
            "HTTP/2: garbage after the preface",
            after(&[0xff; 4_096]),
            Frames,
        ),
        kind(
            "HTTP/2: 50,000 SETTINGS",
            after(&SETTINGS.repeat(50_000)),
            Frames,
        ),
        kind(
            "HTTP/2: 50,000 PINGs",
            settings(&[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(50_000)),
            Frames,
        ),
        kind(
            "HTTP/2: 50,000 CONTINUATIONs",
            settings(
                &[
                    open.to_vec(),
                    [0, 0, 1, 9, 0, 0, 0, 0, 1, 0x84].repeat(50_000),
                ]
                .concat(),
            ),
            Frames,
        ),
        kind("HTTP/2: HEADERS that never end", settings(&open), Frames),
        kind(
            "HTTP/2: a frame of 16 MB",
            settings(&[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
            Frames,
        ),
        kind(
            "HTTP/2: a stream of its own number zero",
            settings(&[0, 0, 1, 1, 4, 0, 0, 0, 0, 0x82]),
            Frames,
        ),
        kind(
            "HTTP/2: a broken header block",
            settings(&[0, 0, 4, 1, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
            Frames,
        ),
    ]
}
