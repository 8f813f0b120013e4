//! Applications: recorded defaults, secrets, and the rules clients trip over.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn an_application_has_the_recorded_defaults(world: World) {
        let admin = world.admin().await;
        let made = admin.post("clients", json!({"name": "Plain"})).await.expect(201).json();
        for member in [
            "client_id", "client_secret", "grant_types", "is_first_party", "is_token_endpoint_ip_header_trusted",
            "jwt_configuration", "name", "oidc_conformant", "refresh_token", "sso_disabled", "tenant", "global",
            "custom_login_page_on", "cross_origin_authentication",
        ] {
            assert!(!made[member].is_null(), "{member}");
        }
        assert!(made.get("token_endpoint_auth_method").is_none(), "not filled in when left out");
        assert_eq!(made["grant_types"], json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]));
        assert_eq!(made["client_id"].as_str().unwrap().len(), 32);
        assert_eq!(made["client_secret"].as_str().unwrap().len(), 64);
    }

    async fn a_rotated_secret_ends_the_old_one_at_once(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let admin = world.admin().await;
        let path = format!("clients/{}/rotate-secret", backend.client_id);
        let fresh = admin.post(&path, json!({})).await.expect(200).text_of("client_secret");
        let old = backend.login_right("ana@example.com", "192.0.2.1").await.expect(401);
        assert_eq!(old.error(), "access_denied");
        let call = backend.login("ana@example.com", testkit::PASSWORD).with("client_secret", fresh);
        call.end_user("192.0.2.1").send().await.expect(200);
    }

    async fn bad_input_names_the_field_and_changes_nothing(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("clients/{}", backend.client_id);
        let before = admin.get(&path).await.expect(200).json();
        for (body, word) in [
            (json!({"name": "<b>"}), "name"),
            (json!({"unknown": 1}), "unknown"),
            (json!({"grant_types": ["magic"]}), "grant_types"),
            (json!({"is_token_endpoint_ip_header_trusted": "yes"}), "is_token_endpoint_ip_header_trusted"),
            (json!({"jwt_configuration": {"alg": "none"}}), "jwt_configuration.alg"),
            (json!({"require_proof_of_possession": true}), "require_proof_of_possession"),
            (json!({"client_secret": "short"}), "client_secret"),
        ] {
            let refused = admin.patch(&path, body.clone()).await.expect(400).json();
            assert_eq!(refused["errorCode"], "invalid_body", "{body}");
            assert!(refused["message"].as_str().unwrap().contains(word), "{body}: {refused}");
        }
        assert_eq!(admin.get(&path).await.expect(200).json(), before);
    }

    async fn changes_leave_an_event_without_secrets(world: World) {
        let admin = world.admin().await;
        let secret = "a-secret-of-an-administrator-of-at-least-32";
        let body = json!({"name": "Noted", "client_secret": secret});
        admin.post("clients", body).await.expect(201);
        let events = admin.events("sapi").await;
        assert_eq!(events[0]["description"], "Create a client");
        assert_eq!(events[0]["details"]["request"]["body"]["client_secret"], "*****");
        assert!(!events[0].to_string().contains(secret));
    }
}
