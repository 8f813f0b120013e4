//! One hostile message as bytes, what must come back, and the judge of what did.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sent where a password belongs; no answer may repeat it.
pub(super) const SECRET: &str = "hunter2-never-repeat-me";
/// Longer than every timeout of the node under test: what is still open by then stays open.
const PATIENCE: Duration = Duration::from_secs(30);

/// A named message and its expectation.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Expected,
}

/// What must come back. Nothing here is a 5xx but the wire's own 501 for a grant that is not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This status with our JSON.
    Ours(u16),
    /// This status with a plain text, as the wire has it at `/userinfo`.
    Text(u16),
    /// This status from the HTTP layer or for a path nobody has, without a body; or, where the client still sends when
    /// the connection is closed, nothing at all.
    Bare(u16),
    /// No answer: the connection is closed.
    Closed,
    /// Whatever frames of HTTP/2, then the connection is closed.
    Frames,
}

pub(super) fn kind(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expected: Expected) -> Kind {
    Kind {
        name: name.into(),
        bytes: bytes.into(),
        expected,
    }
}

/// `POST PATH` with these header lines (each ending in CRLF) and a body of honest length.
pub(super) fn post(path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    request("POST", path, headers, body)
}

/// The same with any method.
pub(super) fn request(method: &str, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The token endpoint with a form.
pub(super) fn form(body: impl AsRef<[u8]>) -> Vec<u8> {
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    post("/oauth/token", headers, body)
}

/// The token endpoint with JSON.
pub(super) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    let headers = "Content-Type: application/json\r\n";
    post("/oauth/token", headers, body)
}

/// Everything the server says to these bytes until it closes the connection; the client never does.
pub(super) async fn exchange(address: &str, bytes: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let sent = async {
        // The server may close before it has read everything.
        let _ = writing.write_all(bytes).await;
    };
    let heard = async {
        let mut heard = Vec::new();
        // A reset after the answer is an end as well.
        let _ = reading.read_to_end(&mut heard).await;
        heard
    };
    let both = async { tokio::join!(sent, heard).1 };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("the server leaves the connection open")
}

/// What is wrong with the answer to this kind; none if nothing is.
pub(super) fn judge(kind: &Kind, heard: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(heard);
    if text.contains(SECRET) {
        return Err(format!("it repeats a secret: {text}"));
    }
    if kind.expected == Expected::Frames {
        return Ok(());
    }
    let text = text.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    if text.is_empty() {
        return match kind.expected {
            Expected::Closed | Expected::Bare(_) | Expected::Frames => Ok(()),
            Expected::Ours(status) | Expected::Text(status) => {
                Err(format!("closed instead of {status}"))
            }
        };
    }
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("no whole answer: {text}"))?;
    let status: u16 = head
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| format!("no status: {head}"))?;
    let header = |name: &str| {
        let mut lines = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let wrong = |what: &str| {
        let first = head.lines().next().unwrap_or_default();
        Err(format!("{what}: {first}; {body:.200}"))
    };
    // A second answer on the connection would be longer than the first one says, so smuggled requests show here.
    match header("content-length") {
        Some(length) if length != body.len().to_string() => return wrong("another length"),
        None if !body.is_empty() => return wrong("a body without a length"),
        _ => {}
    }
    match kind.expected {
        Expected::Ours(wanted) if wanted == status => {
            let is_json =
                header("content-type").is_some_and(|it| it.starts_with("application/json"));
            let told: Value = serde_json::from_str(body).unwrap_or_default();
            let says = |member: &str| told[member].as_str().is_some_and(|text| !text.is_empty());
            if is_json && says("error") && (says("error_description") || says("message")) {
                Ok(())
            } else {
                wrong("not our JSON")
            }
        }
        Expected::Text(wanted) if wanted == status => {
            if header("content-type").is_some_and(|it| it.starts_with("text/plain")) {
                Ok(())
            } else {
                wrong("no plain text")
            }
        }
        Expected::Bare(wanted) if wanted == status => {
            if body.is_empty() && header("content-type").is_none() {
                Ok(())
            } else {
                wrong("a body")
            }
        }
        expected => wrong(&format!("not {expected:?}")),
    }
}
