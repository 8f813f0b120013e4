//! Exactly our issuer, audience, algorithm and key, and the scopes an endpoint asks for.

use serde_json::json;
use testkit::{AUDIENCE, World, on_both_engines};

on_both_engines! {
    async fn only_our_own_tokens_for_this_api_are_taken(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let admin = world.admin().await;
        let for_users = backend.login_right("ana@example.com", "192.0.2.1").await.expect(200).text_of("access_token");
        // Another first character: it still reads as a signature.
        let (signed, signature) = admin.token().rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let changed = format!("{signed}.{other}{}", &signature[1..]);
        let none = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6InJlYWQ6dXNlcnMifQ.";
        for token in ["", "garbage", none, &changed, &for_users] {
            let refused = admin.with_token(token).get("clients").await.expect(401).json();
            assert_eq!((refused["statusCode"].as_u64(), refused["error"].as_str()), (Some(401), Some("Unauthorized")), "{token}");
        }
        admin.get("clients").await.expect(200);
    }

    async fn a_token_ends_when_it_says(world: World) {
        let admin = world.admin().await;
        world.clock.advance(std::time::Duration::from_secs(86_401));
        let refused = admin.get("clients").await.expect(401);
        assert_eq!(refused.text_of("message"), "Expired token received for JSON Web Token validation");
    }

    async fn each_endpoint_asks_for_its_scope(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let audience = "https://login.example.com/api/v2/";
        let grant = json!({"client_id": backend.client_id, "audience": audience, "scope": ["read:logs"]});
        admin.post("client-grants", grant).await.expect(201);
        let token = backend
            .login("", "")
            .with("grant_type", "client_credentials")
            .with("audience", audience)
            .with("scope", serde_json::Value::Null)
            .send()
            .await
            .expect(200)
            .text_of("access_token");
        let reader = admin.with_token(token);
        reader.get("logs").await.expect(200);
        for path in [
            "clients", "client-grants", "resource-servers", "connections", "users", "users-by-email?email=x@example.com",
            "user-blocks?identifier=x", "anomaly/blocks/ips/192.0.2.1", "attack-protection/brute-force-protection",
            "portcullis/attack-protection", "tenants/settings",
        ] {
            let refused = reader.get(path).await.expect(403).json();
            assert_eq!(refused["errorCode"], "insufficient_scope", "{path}");
            assert!(refused["message"].as_str().unwrap().starts_with("Insufficient scope, expected any of: "), "{path}");
        }
        for path in ["clients", "client-grants", "resource-servers", "connections", "users"] {
            assert_eq!(reader.post(path, json!({})).await.expect(403).json()["errorCode"], "insufficient_scope", "{path}");
        }
    }

    async fn what_is_not_built_answers_404(world: World) {
        let admin = world.admin().await;
        for path in ["roles", "hooks", "organizations", "nothing"] {
            let missing = admin.get(path).await.expect(404).json();
            assert_eq!((missing["statusCode"].as_u64(), missing["error"].as_str()), (Some(404), Some("Not Found")), "{path}");
        }
        assert_ne!(AUDIENCE, "https://login.example.com/api/v2/");
    }
}
