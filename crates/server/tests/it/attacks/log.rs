//! The log: nothing secret in it, no field without a bound, no token that is not in it.

use serde_json::{Value, json};
use testkit::{Attacker, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

/// What terminals, browsers, templates, spreadsheets, log readers and databases obey.
const HOSTILE: [&str; 14] = [
    "a\r\nforged: line",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
    "\u{7f}\u{8}\u{8}\u{8}gone",
    "evil\u{202e}moc.elpmaxe\u{202c}\u{2066}x\u{2069}",
    "zero\u{200b}\u{200d}\u{2060}\u{feff}width\u{ad}",
    "line\u{2028}and\u{2029}paragraph",
    "tag\u{e0001}\u{e0041}\u{fff9}",
    "\"},{\"type\":\"s\",\"x\":\"",
    "' OR 1=1; DROP TABLE events; --",
    "{{ tenant }}{% for x in y %}${jndi:ldap://x}#{7*7}",
    "<script>alert(1)</script><img src=x onerror=y>",
    "=cmd|' /C calc'!A0",
    "%_*?[a-z]\\",
    "Ünïcödé\u{301}\u{345}名前",
];

/// Whether nothing in an event is unseen.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().all(model::is_visible),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => members
            .iter()
            .all(|(name, value)| name.chars().all(model::is_visible) && is_plain(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The longest text anywhere in an event.
fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(longest).max().unwrap_or(0),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len().max(longest(value)))
            .max()
            .unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

on_both_engines! {
    async fn a_password_typed_as_username_is_not_logged(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        Attacker::at(&backend, HOME).guesses("My-Secret-Passw0rd", 12).await;
        backend.login_wrong("hunter2", HOME).await.expect(403);
        let event = admin.events("fu").await.remove(0);
        assert!(event["user_name"].as_str().unwrap().starts_with("unknown:"));
        let all = admin.get("logs?per_page=100").await.expect(200);
        for secret in ["my-secret", "passw0rd", "hunter2"] {
            assert!(!all.text.to_lowercase().contains(secret), "{secret}");
        }
        let kept = admin.get("user-blocks?identifier=My-Secret-Passw0rd").await.expect(200);
        assert_eq!(kept.json()["blocked_for"].as_array().unwrap().len(), 1);
        assert!(!kept.text.contains("Secret"), "{}", kept.text);
    }

    async fn a_long_user_agent_is_bounded_in_the_log(world: World) {
        let backend = world.backend(true).await;
        let long = "x".repeat(20_000);
        backend.login("eve@example.com", "wrong").header("user-agent", &long).send().await.expect(403);
        let event = world.admin().await.events("fu").await.remove(0);
        assert!(event["user_agent"].as_str().unwrap().len() <= 1_024);
    }

    async fn no_event_grows_with_what_is_sent(world: World) {
        use base64::Engine as _;
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let long = "x".repeat(50_000);
        let members: serde_json::Map<String, Value> = (0..100).map(|n| (format!("{n}{}", "n".repeat(600)), json!(long))).collect();
        let sdk = base64::engine::general_purpose::STANDARD.encode(json!({"name": long, "env": members}).to_string());
        let scope = (0..190).map(|number| format!("{}{number}", "s".repeat(17))).collect::<Vec<_>>().join(" ");
        let call = |name: &str, password: &str| {
            let call = backend.login(name, password).end_user(HOME).with("scope", scope.clone());
            call.header("user-agent", &long).header("auth0-client", &sdk).header("referer", &long).header("origin", &long)
        };
        let name = format!("{}@example.com", "n".repeat(240));
        call(ANA, PASSWORD).send().await.expect(200);
        call(ANA, "wrong").send().await.expect(403);
        call(&name, &"p".repeat(1_024)).send().await.expect(403);
        call(ANA, PASSWORD).with("audience", "a".repeat(600)).send().await.expect(403);
        call(ANA, PASSWORD).with("client_id", "c".repeat(256)).send().await.expect(401);
        let realm = "http://auth0.com/oauth/grant-type/password-realm";
        call(ANA, PASSWORD).with("grant_type", realm).with("realm", "r".repeat(128)).send().await.expect(403);
        call(ANA, PASSWORD).with("audience", Value::Null).end_user(&long).send().await.expect(200);

        let events = world.admin().await.get("logs?per_page=100").await.expect(200).json();
        let events = events.as_array().unwrap();
        for code in ["sepft", "fp", "fu", "fepft"] {
            assert!(events.iter().any(|event| event["type"] == code), "{code}");
        }
        for event in events {
            assert!(longest(event) <= 1_024, "{event}");
            assert!(event.to_string().len() <= 16 * 1_024, "{event}");
        }
    }

    async fn repeated_scopes_keep_no_login_out_of_the_log(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let mut logged = 0;
        for count in [1, 2, 199, 200, 201, 500, 5_000] {
            let call = backend.login(ANA, PASSWORD).end_user(HOME).with("scope", "openid ".repeat(count));
            let answer = call.send_form().await;
            logged += usize::from(count <= 200);
            assert_eq!(answer.status, if count <= 200 { 200 } else { 400 }, "{count} times");
            assert_eq!(admin.events("sepft").await.len(), logged, "{count} times");
        }
    }

    async fn hostile_text_arrives_in_the_log_plain_and_bounded_and_is_found_there(world: World) {
        use base64::Engine as _;
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let mut typed = Vec::new();
        for (number, text) in HOSTILE.iter().map(|text| (*text).to_owned()).chain([
            "x".repeat(20_000),
            "\u{1f389}".repeat(3_000),
            "\u{202e}".repeat(600),
        ]).enumerate() {
            // Fields of the wire have bounds of their own; beyond them nothing is logged.
            let short: String = text.chars().take(120).collect();
            let name = format!("{short}{number}@example.com");
            let sdk = json!({"name": text, "version": [text], "env": {text.clone(): text}, "more": text});
            let sdk = base64::engine::general_purpose::STANDARD.encode(sdk.to_string());
            for body in [
                json!({"username": name}),
                json!({"scope": format!("openid {short}")}),
                json!({"audience": short}),
                json!({"client_id": short}),
                json!({"realm": short, "grant_type": "http://auth0.com/oauth/grant-type/password-realm"}),
            ] {
                let mut call = backend.login(ANA, "wrong").end_user(&format!("192.0.2.{}", number + 1)).header("auth0-client", &sdk);
                if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                    call = call.header("user-agent", &text);
                }
                for (parameter, value) in body.as_object().unwrap() {
                    call = call.with(parameter, value.clone());
                }
                assert!((400..500).contains(&call.send().await.status), "{body}");
            }
            for body in [
                json!({"connection": "Users", "email": format!("user{number}@example.com"), "password": PASSWORD, "verify_email": false, "name": short, "user_metadata": {short.clone(): [text]}}),
                json!({"connection": "Users", "email": name, "password": PASSWORD, "verify_email": false}),
            ] {
                assert!(admin.post("users", body).await.status < 500);
            }
            assert!(admin.post("clients", json!({"name": short, "client_metadata": {"a": short}})).await.status < 500);
            assert!(admin.patch("tenants/settings", json!({"friendly_name": short})).await.status < 500);
            let asked: String = form_urlencoded::byte_serialize(short.as_bytes()).collect();
            assert!(admin.delete(&format!("user-blocks?identifier={asked}")).await.status < 500);
            assert!(admin.get(&format!("logs?q=user_name:{asked}")).await.status < 500);
            let sign_up = json!({"client_id": backend.client_id, "connection": "Users", "email": name, "password": PASSWORD, "name": short});
            let request = http::Request::post("/dbconnections/signup").header("host", world.domain())
                .header("content-type", "application/json").body(sign_up.to_string().into()).unwrap();
            assert!(world.send("198.51.100.77", request).await.status < 500);
            typed.push(name);
            world.clock.advance(std::time::Duration::from_secs(600));
        }
        let raw = http::HeaderValue::from_bytes(b"agent\xff\xfe\xc0\xaf").unwrap();
        let mut request = http::Request::post("/oauth/token").header("host", world.domain()).header("user-agent", raw)
            .header("content-type", "application/json").body("{}".into()).unwrap();
        request.headers_mut().insert("auth0-client", http::HeaderValue::from_bytes(b"\xff").unwrap());
        assert!((400..500).contains(&world.send(HOME, request).await.status));

        // What the store holds, and each way out of it.
        let all = model::EventFilter::Every;
        let range = storage::EventRange::NewestFirst(storage::Page::numbered(0, 1_000));
        let query = storage::EventQuery { range, filter: all };
        let stored = world.app.tenant(&world.tenant.id).list_events(&query).await.unwrap().items;
        assert!(stored.len() > 50 && stored.len() < 1_000, "{}", stored.len());
        let mut shown = Vec::new();
        for page in 0..10 {
            let listed = admin.get(&format!("logs?per_page=100&page={page}")).await.expect(200);
            assert!(listed.text.chars().all(model::is_visible), "JSON in one line");
            shown.extend(listed.json().as_array().unwrap().clone());
        }
        assert_eq!(shown.len(), stored.len());
        for event in &shown {
            assert!(is_plain(event), "{event}");
            assert!(longest(event) <= 1_024 && event.to_string().len() <= 24 * 1_024, "{event}");
        }
        for event in shown.iter().step_by(7) {
            let id = event["log_id"].as_str().unwrap();
            assert_eq!(&admin.get(&format!("logs/{id}")).await.expect(200).json(), event);
        }
        for name in typed {
            let named: String = name.replace('\\', "\\\\").replace('"', "\\\"");
            let asked: String = form_urlencoded::byte_serialize(format!("type:fu AND user_name:\"{named}\"").as_bytes()).collect();
            let found = admin.get(&format!("logs?q={asked}&per_page=100")).await.expect(200).json();
            let logged = model::Identifier::of(&name).looks_like_email();
            assert!(!logged || !found.as_array().unwrap().is_empty(), "{name:?}");
        }
    }
}
