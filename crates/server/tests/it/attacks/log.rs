//! Learning who exists, or what they typed, from what the server keeps or says.

use testkit::{World, on_both_engines};

on_both_engines! {
    async fn a_password_typed_as_username_is_not_logged(world: World) {
        let backend = world.backend(true).await;
        backend.login_wrong("My-Secret-Passw0rd", "192.0.2.1").await.expect(403);
        let event = world.admin().await.events("fu").await.remove(0);
        assert!(event["user_name"].as_str().unwrap().starts_with("unknown:"));
        assert!(!event.to_string().contains("My-Secret"));
    }

    async fn a_long_user_agent_is_bounded_in_the_log(world: World) {
        let backend = world.backend(true).await;
        let long = "x".repeat(20_000);
        backend.login("eve@example.com", "wrong").header("user-agent", &long).send().await.expect(403);
        let event = world.admin().await.events("fu").await.remove(0);
        assert!(event["user_agent"].as_str().unwrap().len() <= 1_024);
    }
}
