//! Bodies that the Management API gets.

use serde_json::json;

use super::super::wire::Expected::Ours;
use super::super::wire::{Kind, SECRET, kind, request};

const JSON: &str = "Content-Type: application/json\r\n";

/// Bodies with a right token.
pub(in crate::hostile) fn bodies(token: &str) -> Vec<Kind> {
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
