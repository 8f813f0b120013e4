//! Pages, totals, projections, deletes that may be repeated.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn lists_have_pages_and_totals(world: World) {
        let admin = world.admin().await;
        for number in 0..5 {
            admin.post("clients", json!({"name": format!("App {number}")})).await.expect(201);
        }
        let bare = admin.get("clients?per_page=2&page=1").await.expect(200).json();
        assert_eq!(bare.as_array().unwrap().len(), 2);
        let totals = admin.get("clients?per_page=2&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((totals["start"].as_u64(), totals["limit"].as_u64(), totals["total"].as_u64()), (Some(2), Some(2), Some(6)));
        assert_eq!(admin.get("clients?page=99").await.expect(200).json(), json!([]));
        let mut seen = Vec::new();
        let mut from = String::new();
        loop {
            let page = admin.get(&format!("clients?take=2&include_totals=true{from}")).await.expect(200).json();
            assert!(page.get("total").is_none(), "take wins over totals");
            seen.extend(page["clients"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => from = format!("&from={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 6);
        let names = admin.get("clients?fields=name&include_fields=true").await.expect(200).json();
        assert_eq!(names[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["name"]);
        admin.get("clients?per_page=101").await.expect(400);
    }

    async fn deletes_may_be_repeated(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user("ana@example.com").await.replace('|', "%7C");
        let admin = world.admin().await;
        for path in [format!("users/{user}"), format!("clients/{}", backend.client_id), "resource-servers/https%3A%2F%2Fapi.example.com%2F".to_owned()] {
            admin.delete(&path).await.expect(204);
            admin.delete(&path).await.expect(204);
            admin.get(&path).await.expect(404);
        }
        let connection = format!("connections/{}", backend.connection_id);
        assert!(!admin.delete(&connection).await.expect(202).text_of("deleted_at").is_empty());
        admin.delete(&connection).await.expect(204);
    }

    async fn the_system_api_cannot_be_changed(world: World) {
        let admin = world.admin().await;
        let path = "resource-servers/https%3A%2F%2Flogin.example.com%2Fapi%2Fv2%2F";
        assert_eq!(admin.get(path).await.expect(200).json()["is_system"], true);
        admin.patch(path, json!({"name": "Mine"})).await.expect(400);
        admin.delete(path).await.expect(400);
    }

    async fn what_is_not_enforced_is_refused(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        for body in [
            json!({"identifier": "urn:x", "signing_alg": "PS256"}),
            json!({"identifier": "urn:x", "token_encryption": {"format": "compact-nested-jwe"}}),
            json!({"identifier": "urn:x", "consent_policy": "transactional-authorization-with-mfa"}),
            json!({"identifier": "urn:x", "proof_of_possession": {"mechanism": "dpop", "required": true}}),
            json!({"identifier": "urn:x", "scopes": [{"value": "two words"}]}),
            json!({"identifier": "urn:x", "signing_secret": "a-secret-without-an-algorithm"}),
        ] {
            admin.post("resource-servers", body.clone()).await.expect(400);
        }
        let flags = json!({"flags": {"enable_dynamic_client_registration": true}});
        admin.patch("tenants/settings", flags).await.expect(400);
        admin.patch("tenants/settings", json!({"default_directory": "Nowhere"})).await.expect(400);
        let connection = format!("connections/{}", backend.connection_id);
        for options in [json!({"import_mode": true}), json!({"customScripts": {"login": "function"}}), json!({"attributes": {"email": {"signup": {"status": "required"}}}})] {
            admin.patch(&connection, json!({"options": options})).await.expect(400);
        }
    }
}
