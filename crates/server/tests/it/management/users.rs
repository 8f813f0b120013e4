//! Users: shape, uniqueness, passwords, metadata.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn a_user_has_the_recorded_shape(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        let body = json!({"connection": "Users", "email": "Ana@Example.com", "password": "Correct-Horse-7"});
        let made = admin.post("users", body.clone()).await.expect(201).json();
        assert_eq!((made["email"].as_str(), made["name"].as_str(), made["nickname"].as_str()), (Some("ana@example.com"), Some("ana@example.com"), Some("ana")));
        assert_eq!(made["email_verified"], false);
        assert_eq!(made["identities"][0]["connection"], "Users");
        assert!(made["user_id"].as_str().unwrap().starts_with("auth0|"));
        assert!(!made.to_string().contains("argon2"), "the hash never leaves");
        let again = admin.post("users", body).await.expect(409);
        assert_eq!(again.text_of("message"), "The user already exists.");
        assert_eq!(admin.get("users-by-email?email=ANA%40example.com").await.expect(200).json().as_array().unwrap().len(), 1);
        assert_eq!(admin.get("users?q=email%3A%22ana%40example.com%22").await.expect(200).json().as_array().unwrap().len(), 1);
    }

    async fn a_user_name_cannot_shadow_anothers_address(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        let first = json!({"connection": "Users", "email": "ana@example.com", "password": "Correct-Horse-7"});
        admin.post("users", first).await.expect(201);
        let second = json!({"connection": "Users", "username": "ANA@example.com", "email": "eve@example.com", "password": "Correct-Horse-7"});
        admin.post("users", second).await.expect(400);
    }

    async fn a_changed_password_works_and_the_old_one_does_not(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user("ana@example.com").await.replace('|', "%7C");
        let admin = world.admin().await;
        let path = format!("users/{id}");
        let weak = admin.patch(&path, json!({"password": "weak", "connection": "Users"})).await.expect(400);
        assert!(weak.text_of("message").starts_with("PasswordStrengthError"));
        admin.patch(&path, json!({"password": "Another-Horse-8", "connection": "Users"})).await.expect(200);
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(403);
        backend.login("ana@example.com", "Another-Horse-8").end_user("192.0.2.1").send().await.expect(200);
        admin.patch(&path, json!({"password": "Another-Horse-9", "email": "x@example.com", "connection": "Users"})).await.expect(400);
    }

    async fn metadata_is_merged_and_null_removes(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user("ana@example.com").await.replace('|', "%7C");
        let admin = world.admin().await;
        let path = format!("users/{id}");
        admin.patch(&path, json!({"user_metadata": {"a": 1, "b": 2}})).await.expect(200);
        let user = admin.patch(&path, json!({"user_metadata": {"b": null, "c": 3}})).await.expect(200).json();
        assert_eq!(user["user_metadata"], json!({"a": 1, "c": 3}));
    }
}
