//! Applications that speak for themselves.

use serde_json::json;
use testkit::{AUDIENCE, World, on_both_engines};

on_both_engines! {
    async fn a_token_needs_a_client_grant(world: World) {
        let backend = world.backend(false).await;
        let ask = || backend.login("", "").with("grant_type", "client_credentials").with("scope", serde_json::Value::Null);

        let refused = ask().send().await.expect(403);
        assert_eq!(refused.error(), "access_denied");
        assert!(refused.description().starts_with(&format!("Client is not authorized to access \"{AUDIENCE}\".")));

        let grant = json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": ["read:orders"]});
        let admin = world.admin().await;
        admin.post("client-grants", grant).await.expect(201);
        let answer = ask().send().await.expect(200);
        assert_eq!(answer.text_of("scope"), "read:orders");
        assert!(answer.json().get("id_token").is_none());
        let beyond = ask().with("scope", "write:orders").send().await.expect(403);
        assert_eq!(beyond.description(), "Client has not been granted scopes: write:orders");
        let nowhere = ask().with("audience", "https://nowhere/").send().await.expect(403);
        assert_eq!(nowhere.description(), "Service not enabled within domain: https://nowhere/");
        let successes = admin.events("seccft").await;
        let own = successes.iter().filter(|event| event["client_id"] == backend.client_id.as_str()).count();
        assert_eq!(own, 1, "the one token that was given");
        assert!(!admin.events("feccft").await.is_empty());
    }
}
