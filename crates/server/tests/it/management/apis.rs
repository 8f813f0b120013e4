//! APIs and the grants of applications for them.

use serde_json::json;
use testkit::{AUDIENCE, World, on_both_engines};

on_both_engines! {
    async fn an_api_has_the_recorded_defaults(world: World) {
        let admin = world.admin().await;
        let made = admin.post("resource-servers", json!({"identifier": "urn:orders"})).await.expect(201).json();
        for (member, value) in [
            ("is_system", json!(false)),
            ("allow_offline_access", json!(false)),
            ("skip_consent_for_verifiable_first_party_clients", json!(false)),
            ("token_lifetime", json!(86_400)),
            ("token_lifetime_for_web", json!(7_200)),
            ("signing_alg", json!("RS256")),
            ("subject_type_authorization", json!({"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}})),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        assert_eq!(made["id"].as_str().unwrap().len(), 24);
        admin.post("resource-servers", json!({"identifier": "urn:orders"})).await.expect(409);
        admin.post("resource-servers", json!({"name": "Nameless"})).await.expect(400);
        admin.patch("resource-servers/urn%3Aorders", json!({"identifier": "urn:other"})).await.expect(400);
        let changed = admin.patch("resource-servers/urn%3Aorders", json!({"token_lifetime": 600})).await.expect(200).json();
        assert_eq!((changed["token_lifetime"].as_u64(), changed["id"].clone()), (Some(600), made["id"].clone()));
    }

    async fn several_apis_are_asked_for_at_once(world: World) {
        let admin = world.admin().await;
        for name in ["urn:a", "urn:b", "urn:c"] {
            admin.post("resource-servers", json!({"identifier": name})).await.expect(201);
        }
        let listed = admin.get("resource-servers?identifiers=urn%3Aa&identifiers=urn%3Ac&include_totals=true").await.expect(200).json();
        let mut found: Vec<&str> = listed["resource_servers"].as_array().unwrap().iter().filter_map(|api| api["identifier"].as_str()).collect();
        found.sort_unstable();
        assert_eq!((found, listed["total"].as_u64()), (vec!["urn:a", "urn:c"], Some(2)));
    }

    async fn a_grant_is_made_narrowed_and_taken_back(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let body = json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": ["read:orders", "write:orders"]});
        let made = admin.post("client-grants", body.clone()).await.expect(201).json();
        assert!(made["id"].as_str().unwrap().strip_prefix("cgr_").is_some_and(|rest| rest.len() == 16));
        assert_eq!(made["subject_type"], "client");
        admin.post("client-grants", body).await.expect(409);

        let machine = || backend.login("", "").with("grant_type", "client_credentials").with("scope", serde_json::Value::Null).send();
        assert_eq!(machine().await.expect(200).text_of("scope"), "read:orders write:orders");
        let path = format!("client-grants/{}", made["id"].as_str().unwrap());
        admin.patch(&path, json!({"audience": "urn:other"})).await.expect(400);
        admin.patch(&path, json!({"scope": ["read:orders"]})).await.expect(200);
        assert_eq!(machine().await.expect(200).text_of("scope"), "read:orders");
        for (query, count) in [(format!("client_id={}", backend.client_id), 1), ("client_id=nobody".to_owned(), 0), ("audience=urn%3Anone".to_owned(), 0), ("subject_type=user".to_owned(), 0)] {
            let listed = admin.get(&format!("client-grants?{query}")).await.expect(200).json();
            assert_eq!(listed.as_array().unwrap().len(), count, "{query}");
        }
        admin.delete(&path).await.expect(204);
        admin.delete(&path).await.expect(204);
        let gone = admin.get(&path).await.expect(404).json();
        assert_eq!((gone["errorCode"].as_str(), gone["message"].as_str()), (Some("inexistent_client_grant"), Some("The grant does not exist.")));
        machine().await.expect(403);
    }

    async fn a_grant_needs_both_its_ends(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        for (body, code) in [
            (json!({"client_id": "nobody", "audience": AUDIENCE}), "inexistent_client"),
            (json!({"client_id": backend.client_id, "audience": "urn:none"}), "inexistent_resource_server"),
        ] {
            assert_eq!(admin.post("client-grants", body).await.expect(404).text_of("errorCode"), code);
        }
        admin.post("client-grants", json!({"audience": AUDIENCE})).await.expect(400);
        admin.post("client-grants", json!({"client_id": backend.client_id, "audience": AUDIENCE, "subject_type": "nobody"})).await.expect(400);
    }
}
