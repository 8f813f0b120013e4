//! The members that recorded answers always have (the lists "real always" of our wire notes), by each way to get them.

use serde_json::{Value, json};
use testkit::{AUDIENCE, World, on_both_engines};

fn has(what: &str, answer: &Value, members: &[&str]) {
    for member in members {
        assert!(
            answer.get(member).is_some_and(|value| !value.is_null()),
            "{what} has no {member}: {answer}"
        );
    }
}

const CLIENT: &[&str] = &[
    "tenant",
    "global",
    "is_token_endpoint_ip_header_trusted",
    "name",
    "cross_origin_authentication",
    "cross_origin_auth",
    "is_first_party",
    "oidc_conformant",
    "refresh_token",
    "sso_disabled",
    "signing_keys",
    "client_id",
    "callback_url_template",
    "client_secret",
    "jwt_configuration",
    "grant_types",
    "custom_login_page_on",
];
const API: &[&str] = &[
    "id",
    "identifier",
    "allow_offline_access",
    "signing_alg",
    "token_lifetime",
    "token_lifetime_for_web",
    "skip_consent_for_verifiable_first_party_clients",
];
const GRANT: &[&str] = &["id", "client_id", "audience", "scope", "subject_type"];
const USER: &[&str] = &[
    "user_id",
    "created_at",
    "updated_at",
    "email",
    "email_verified",
    "identities",
    "name",
    "nickname",
    "picture",
];
const CONNECTION: &[&str] = &[
    "id",
    "name",
    "strategy",
    "is_domain_connection",
    "options",
    "realms",
    "enabled_clients",
];

on_both_engines! {
    async fn applications_say_what_recorded_ones_do(world: World) {
        let admin = world.admin().await;
        let made = admin.post("clients", json!({"name": "Plain"})).await.expect(201).json();
        let path = format!("clients/{}", made["client_id"].as_str().unwrap());
        let shown = admin.get(&path).await.expect(200).json();
        let listed = admin.get("clients?per_page=100").await.expect(200).json();
        let listed = listed.as_array().unwrap().iter().find(|client| client["client_id"] == made["client_id"]).unwrap().clone();
        let changed = admin.patch(&path, json!({"name": "Plain"})).await.expect(200).json();
        let rotated = admin.post(&format!("{path}/rotate-secret"), json!({})).await.expect(200).json();
        for (what, answer) in [("POST", &made), ("GET", &shown), ("list", &listed), ("PATCH", &changed), ("rotate", &rotated)] {
            has(what, answer, CLIENT);
            assert_eq!(answer.get("encrypted").is_some(), what == "POST", "only on creation");
            assert_eq!(answer["callback_url_template"], false, "{what}");
            // What was never set is absent, not null.
            assert!(answer.as_object().unwrap().values().all(|value| !value.is_null()), "{what}: {answer}");
            for absent in ["description", "callbacks", "app_type", "token_endpoint_auth_method", "client_metadata"] {
                assert!(answer.get(absent).is_none(), "{what} has {absent}");
            }
        }
        assert_eq!(made["jwt_configuration"], json!({"secret_encoded": false, "lifetime_in_seconds": 36_000}));
        assert_eq!(made["refresh_token"], json!({
            "rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0, "token_lifetime": 2_592_000,
            "idle_token_lifetime": 1_296_000, "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true,
        }));
        for (member, value) in [("is_first_party", true), ("oidc_conformant", false), ("sso_disabled", false), ("custom_login_page_on", true), ("global", false)] {
            assert_eq!(made[member], value, "{member}");
        }
        let kept = json!({"name": "Echo", "callbacks": [], "client_metadata": {"a": "b"}, "app_type": "spa", "token_endpoint_auth_method": "none"});
        let echoed = admin.post("clients", kept.clone()).await.expect(201).json();
        for (member, value) in kept.as_object().unwrap() {
            assert_eq!(&echoed[member], value, "what was sent is kept, empty lists too");
        }
        assert_eq!(echoed["grant_types"], json!(["authorization_code", "implicit", "refresh_token"]));
    }

    async fn the_certificate_of_an_application_is_the_published_one(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let shown = admin.get(&format!("clients/{}", backend.client_id)).await.expect(200).json();
        let request = http::Request::get("/.well-known/jwks.json").header("host", world.domain());
        let published = world.send("192.0.2.1", request.body(axum::body::Body::empty()).unwrap()).await.json();
        let text = published["keys"][0]["x5c"][0].as_str().unwrap();
        let pem = shown["signing_keys"][0]["cert"].as_str().unwrap();
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!((lines[0], lines[lines.len() - 1]), ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"));
        assert_eq!(lines[1..lines.len() - 1].concat(), text);
        assert!(lines.iter().all(|line| line.len() <= 64));
        assert_eq!(shown["signing_keys"][0]["subject"], "/CN=login.example.com");
    }

    async fn apis_and_grants_say_what_recorded_ones_do(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let made = admin.post("resource-servers", json!({"identifier": "urn:plain"})).await.expect(201).json();
        let changed = admin.patch("resource-servers/urn%3Aplain", json!({"name": "Plain"})).await.expect(200).json();
        let shown = admin.get("resource-servers/urn%3Aplain").await.expect(200).json();
        for (what, answer) in [("POST", &made), ("PATCH", &changed), ("GET", &shown)] {
            has(what, answer, API);
            assert_eq!(answer["subject_type_authorization"], json!({"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}}));
        }
        for api in admin.get("resource-servers").await.expect(200).json().as_array().unwrap() {
            has("listed API", api, API);
        }
        let system = admin.get("resource-servers/https%3A%2F%2Flogin.example.com%2Fapi%2Fv2%2F").await.expect(200).json();
        assert!(system["scopes"].as_array().unwrap().len() > 20 && system["is_system"] == true);

        let sent = json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": []});
        let made = admin.post("client-grants", sent).await.expect(201).json();
        let path = format!("client-grants/{}", made["id"].as_str().unwrap());
        let changed = admin.patch(&path, json!({"scope": ["read:orders"]})).await.expect(200).json();
        let shown = admin.get(&path).await.expect(200).json();
        let listed = admin.get(&format!("client-grants?client_id={}", backend.client_id)).await.expect(200).json()[0].clone();
        for (what, answer) in [("POST", &made), ("PATCH", &changed), ("GET", &shown), ("list", &listed)] {
            has(what, answer, GRANT);
        }
    }

    async fn users_and_directories_say_what_recorded_ones_do(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let body = json!({"connection": "Users", "email": "ana@example.com", "password": testkit::PASSWORD});
        let made = admin.post("users", body).await.expect(201).json();
        let path = format!("users/{}", made["user_id"].as_str().unwrap().replace('|', "%7C"));
        let shown = admin.get(&path).await.expect(200).json();
        let changed = admin.patch(&path, json!({"nickname": "ana"})).await.expect(200).json();
        let listed = admin.get("users").await.expect(200).json()[0].clone();
        let found = admin.get("users-by-email?email=ana%40example.com").await.expect(200).json()[0].clone();
        for (what, answer) in [("POST", &made), ("GET", &shown), ("PATCH", &changed), ("list", &listed), ("by email", &found)] {
            has(what, answer, USER);
            has(what, &answer["identities"][0], &["connection", "user_id", "provider"]);
            assert_eq!(answer["identities"][0]["isSocial"], false, "{what}");
            for absent in ["username", "given_name", "family_name", "user_metadata", "app_metadata", "blocked", "last_password_reset", "last_ip", "last_login", "logins_count"] {
                assert!(answer.get(absent).is_none(), "{what} has {absent}");
            }
        }
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        has("after a login", &admin.get(&path).await.expect(200).json(), &["last_ip", "last_login", "logins_count"]);
        admin.patch(&path, json!({"password": "Another-Horse-8", "connection": "Users"})).await.expect(200);
        has("after a new password", &admin.get(&path).await.expect(200).json(), &["last_password_reset"]);

        let made = admin.post("connections", json!({"name": "Plain", "strategy": "auth0"})).await.expect(201).json();
        let path = format!("connections/{}", made["id"].as_str().unwrap());
        let changed = admin.patch(&path, json!({"display_name": "Plain"})).await.expect(200).json();
        let shown = admin.get(&path).await.expect(200).json();
        for (what, answer) in [("POST", &made), ("PATCH", &changed), ("GET", &shown)] {
            has(what, answer, CONNECTION);
        }
    }

    async fn settings_say_what_recorded_ones_do(world: World) {
        let admin = world.admin().await;
        for (path, members) in [
            ("attack-protection/brute-force-protection", &["enabled", "shields", "mode", "allowlist", "max_attempts"][..]),
            ("attack-protection/suspicious-ip-throttling", &["enabled", "shields", "allowlist", "stage"]),
            ("attack-protection/breached-password-detection", &["enabled", "shields", "admin_notification_frequency", "method", "stage"]),
            ("attack-protection/bot-detection", &["bot_detection_level", "challenge_password_policy", "challenge_passwordless_policy", "challenge_password_reset_policy", "allowlist", "monitoring_mode_enabled"]),
            ("tenants/settings", &["flags", "enabled_locales", "sandbox_version", "sandbox_versions_available"]),
        ] {
            has(path, &admin.get(path).await.expect(200).json(), members);
        }
        let stages = admin.get("attack-protection/suspicious-ip-throttling").await.expect(200).json();
        has("stage", &stages["stage"], &["pre-login", "pre-user-registration", "pre-custom-token-exchange"]);
        let flags = admin.get("tenants/settings").await.expect(200).json();
        has("flags", &flags["flags"], &["allow_changing_enable_sso", "disable_impersonation", "enable_sso", "universal_login", "revoke_refresh_token_grant", "disable_clickjack_protection_headers"]);
        // Both are changed by a merge at the top, and answer with the whole.
        let shield = admin.patch("attack-protection/brute-force-protection", json!({"max_attempts": 3})).await.expect(200).json();
        has("after a change", &shield, &["enabled", "shields", "mode", "allowlist", "max_attempts"]);
    }
}
