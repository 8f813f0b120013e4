//! Input that no form would send: answers are 4xx with the standard body, and nothing changes.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn a_nul_character_is_the_callers_mistake_on_both_engines(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        for (path, body) in [
            ("clients", json!({"name": "a\u{0}b"})),
            ("connections", json!({"name": "plain", "strategy": "auth0", "display_name": "a\u{0}b"})),
            ("resource-servers", json!({"identifier": "urn:\u{0}"})),
            ("users", json!({"connection": "Users", "email": "a\u{0}@example.com", "password": "Correct-Horse-7"})),
            ("users", json!({"connection": "Users\u{0}", "email": "a@example.com", "password": "Correct-Horse-7"})),
            ("users", json!({"connection": "Users", "email": "a@example.com", "password": "Correct-Horse-7", "app_metadata": {"a\u{0}": 1}})),
        ] {
            let refused = admin.post(path, body.clone()).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_body", "{path} {body}");
        }
        for path in ["clients/a%00b", "users/auth0%7C%00", "logs/%00", "resource-servers/%00"] {
            assert_eq!(admin.get(path).await.expect(400).text_of("errorCode"), "invalid_uri", "{path}");
        }
        for path in ["users-by-email?email=%00", "users?q=email:%00", "logs?q=user_id:%00", "user-blocks?identifier=%00", "connections?name=%00", "logs?from=%00"] {
            assert_eq!(admin.get(path).await.expect(400).text_of("errorCode"), "invalid_query_string", "{path}");
        }
    }

    async fn a_path_that_is_not_text_has_the_standard_body(world: World) {
        let admin = world.admin().await;
        for path in ["clients/%FF", "users/%FF", "connections/%FF", "anomaly/blocks/ips/%FF", "attack-protection/%FF"] {
            let refused = admin.get(path).await.expect(400).json();
            assert_eq!((refused["statusCode"].as_u64(), refused["errorCode"].as_str()), (Some(400), Some("invalid_uri")), "{path}");
        }
    }

    async fn bodies_that_are_not_one_object_are_refused(world: World) {
        let admin = world.admin().await;
        for body in [json!([]), json!("text"), json!(7), json!(null), json!(true)] {
            assert_eq!(admin.post("clients", body.clone()).await.expect(400).text_of("errorCode"), "invalid_body", "{body}");
        }
        let too_long = json!({"name": "x".repeat(70_000)});
        admin.post("clients", too_long).await.expect(413);
    }

    async fn users_keep_identifiers_that_can_be_typed(world: World) {
        let backend = world.backend(true).await;
        let path = format!("users/{}", backend.add_user("ana@example.com").await.replace('|', "%7C"));
        let admin = world.admin().await;
        for body in [
            json!({"email": "not an address"}),
            json!({"email": ""}),
            json!({"email": null}),
            json!({"username": ""}),
            json!({"username": "ben@example.com"}),
            json!({"username": "a b"}),
            json!({"password": "", "connection": "Users"}),
            json!({"password": "Another-Horse-8"}),
        ] {
            admin.patch(&path, body.clone()).await.expect(400);
        }
        for body in [
            json!({"email": "", "username": "ben"}),
            json!({"email": "ben@example.com", "username": ""}),
            json!({"username": "ben@example.com"}),
        ] {
            let mut whole = json!({"connection": "Users", "password": "Correct-Horse-7"});
            whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            admin.post("users", whole).await.expect(400);
        }
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
    }
}
