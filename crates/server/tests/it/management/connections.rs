//! Directories: what a minimal one is, replacing options, enabling applications.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn a_minimal_directory_has_the_recorded_options(world: World) {
        let admin = world.admin().await;
        let made = admin.post("connections", json!({"name": "People", "strategy": "auth0"})).await.expect(201).json();
        assert!(made["id"].as_str().unwrap().strip_prefix("con_").is_some_and(|rest| rest.len() == 16));
        assert_eq!((&made["realms"], &made["enabled_clients"]), (&json!(["People"]), &json!([])));
        for (option, value) in [
            ("brute_force_protection", json!(true)),
            ("passwordPolicy", json!("good")),
            ("strategy_version", json!(2)),
            ("mfa", json!({"active": true, "return_enroll_settings": true})),
            ("authentication_methods", json!({"password": {"enabled": true, "api_behavior": "required"}, "passkey": {"enabled": false}})),
        ] {
            assert_eq!(made["options"][option], value, "{option}");
        }
        let taken = admin.post("connections", json!({"name": "People", "strategy": "auth0"})).await.expect(409);
        assert_eq!(taken.json()["error"], "Conflict");
        for name in ["-People", "Peo--ple", "Peo ple", ""] {
            admin.post("connections", json!({"name": name, "strategy": "auth0"})).await.expect(400);
        }
        admin.post("connections", json!({"name": "Social", "strategy": "google-oauth2"})).await.expect(400);
    }

    async fn sent_options_replace_the_old_ones(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("connections/{}", backend.connection_id);
        let first = json!({"options": {"password_complexity_options": {"min_length": 20}, "brute_force_protection": false}});
        admin.patch(&path, first).await.expect(200);
        let after = admin.patch(&path, json!({"options": {"passwordPolicy": "low"}})).await.expect(200).json();
        assert!(after["options"].get("password_complexity_options").is_none());
        assert_eq!(after["options"]["brute_force_protection"], true, "left out means protected");
        let renamed = admin.patch(&path, json!({"display_name": "Everybody"})).await.expect(200).json();
        assert_eq!(renamed["options"], after["options"], "options stay where none are sent");
    }

    async fn password_login_cannot_be_switched_off_unheeded(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("connections/{}", backend.connection_id);
        let off = json!({"options": {"authentication_methods": {"password": {"enabled": false}}}});
        let refused = admin.patch(&path, off).await.expect(400);
        assert!(refused.text_of("message").contains("options.authentication_methods.password.enabled"), "{}", refused.text);
    }

    async fn applications_are_enabled_and_disabled_at_once(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let admin = world.admin().await;
        let path = format!("connections/{}/clients", backend.connection_id);
        assert_eq!(admin.get(&path).await.expect(200).json(), json!({"clients": [{"client_id": backend.client_id}]}));
        admin.patch(&path, json!([{"client_id": backend.client_id, "status": false}])).await.expect(204);
        assert_eq!(admin.get(&path).await.expect(200).json(), json!({"clients": []}));
        assert_ne!(backend.login_right("ana@example.com", "192.0.2.1").await.status, 200);
        for body in [json!({}), json!([{"client_id": "x"}]), json!([{"client_id": "x", "status": "yes"}]), json!([{"client_id": "x", "status": true, "more": 1}])] {
            admin.patch(&path, body.clone()).await.expect(400);
        }
        admin.patch("connections/con_0000000000000000/clients", json!([])).await.expect(404);
    }

    async fn lists_are_filtered_by_name_and_strategy(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        admin.post("connections", json!({"name": "People", "strategy": "auth0"})).await.expect(201);
        for (query, count) in [("name=People", 1), ("strategy=auth0", 2), ("strategy=samlp", 0), ("strategy=auth0&strategy=samlp", 2), ("name=Nobody", 0)] {
            let listed = admin.get(&format!("connections?{query}")).await.expect(200).json();
            assert_eq!(listed.as_array().unwrap().len(), count, "{query}");
        }
    }
}
