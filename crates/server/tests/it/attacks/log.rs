//! The log: nothing secret in it, no field without a bound, no token that is not in it.

use serde_json::{Value, json};
use testkit::{Attacker, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

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
}
