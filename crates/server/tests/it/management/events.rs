//! Every change leaves one event: who, what was asked, what came of it, without secrets.

use std::time::Duration;

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn an_event_names_what_was_made(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        world.clock.advance(Duration::from_secs(1));
        let client = admin.post("clients", json!({"name": "Noted"})).await.expect(201).json();
        let event = admin.events("sapi").await.remove(0);
        let (request, response) = (&event["details"]["request"], &event["details"]["response"]);
        assert_eq!((&request["method"], &request["path"], &request["body"]["name"]), (&json!("post"), &json!("/api/v2/clients"), &json!("Noted")));
        assert_eq!((&response["statusCode"], &response["body"]["client_id"]), (&json!(201), &client["client_id"]));
        assert!(response["body"].get("client_secret").is_none());
        assert!(!event.to_string().contains(client["client_secret"].as_str().unwrap()));
        assert!(request["auth"]["user"]["user_id"].as_str().unwrap().ends_with("@clients"));

        let body = json!({"connection": "Users", "email": "ana@example.com", "password": "Correct-Horse-7"});
        world.clock.advance(Duration::from_secs(1));
        let user = admin.post("users", body).await.expect(201).json();
        let event = admin.events("sapi").await.remove(0);
        assert_eq!(event["details"]["response"]["body"]["user_id"], user["user_id"]);
        assert_eq!(event["details"]["request"]["body"]["password"], "*****");
        assert!(!event.to_string().contains("Correct-Horse-7"));
    }

    async fn unblocking_says_whom_and_what(world: World) {
        let admin = world.admin().await;
        admin.delete("user-blocks?identifier=ana%40example.com").await.expect(204);
        let event = admin.events("sapi").await.remove(0);
        assert_eq!(event["details"]["request"]["query"]["identifier"], "ana@example.com");
        world.clock.advance(Duration::from_secs(1));
        admin.delete("anomaly/blocks/ips/192.0.2.1").await.expect(204);
        let event = admin.events("sapi").await.remove(0);
        assert_eq!(event["details"]["request"]["path"], "/api/v2/anomaly/blocks/ips/192.0.2.1");
    }

    async fn what_changed_nothing_leaves_none(world: World) {
        let admin = world.admin().await;
        let before = admin.events("sapi").await.len();
        admin.post("clients", json!({"name": "<"})).await.expect(400);
        admin.delete("clients/nobody").await.expect(204);
        admin.delete("users/auth0%7Cnobody").await.expect(204);
        admin.get("clients").await.expect(200);
        assert_eq!(admin.events("sapi").await.len(), before);
    }

    async fn an_event_stays_small(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        let metadata: serde_json::Map<_, _> = (0..600).map(|number| (format!("key-{number}"), json!("x".repeat(60)))).collect();
        let body = json!({"connection": "Users", "email": "ana@example.com", "password": "Correct-Horse-7", "user_metadata": metadata});
        world.clock.advance(Duration::from_secs(1));
        admin.post("users", body).await.expect(201);
        let event = admin.events("sapi").await.remove(0).to_string();
        assert!(event.len() < 24_000, "{}", event.len());
    }
}
