//! The reason for the header: one backend's users do not block each other.

use serde_json::json;
use testkit::{Attacker, Backend, World, on_both_engines};

/// 30 users mistype four times each from homes of their own; answers how many of their right logins were refused.
async fn a_bad_morning(backend: &Backend<'_>) -> usize {
    let mut refused = 0;
    for number in 0..30 {
        let user = format!("user{number}@example.com");
        let home = format!("192.0.2.{}", number + 1);
        for _ in 0..4 {
            backend.login_wrong(&user, &home).await;
        }
        refused += usize::from(backend.login_right(&user, &home).await.status != 200);
    }
    refused
}

on_both_engines! {
    async fn with_the_switch_nobody_is_refused_but_the_attacker(world: World) {
        let backend = world.backend(false).await;
        for number in 0..30 {
            backend.add_user(&format!("user{number}@example.com")).await;
        }

        let refused = a_bad_morning(&backend).await;
        assert!(refused > 0, "without the switch the backend's address carries everybody's mistakes");
        let admin = world.admin().await;
        let warnings = admin.events("w").await;
        let told = |word: &str| warnings.iter().filter(|event| event["description"].as_str().unwrap().contains(word)).count();
        assert_eq!((told("sends auth0-forwarded-for, but it is ignored"), told("users failed to log in")), (1, 1), "an administrator is told why");
        assert_eq!(told("Trust Token Endpoint IP Header"), 2);
        assert_eq!(admin.events("fp").await[0]["details"]["portcullis"]["source"], "ignored: untrusted client");

        admin.delete(&format!("anomaly/blocks/ips/{}", backend.address)).await.expect(204);
        let path = format!("clients/{}", backend.client_id);
        admin.patch(&path, json!({"is_token_endpoint_ip_header_trusted": true})).await.expect(200);
        let attacker = Attacker::at(&backend, "198.51.100.66");
        let guesses = attacker.guesses("user0@example.com", 15).await;
        assert_eq!(a_bad_morning(&backend).await, 0);
        assert_eq!(guesses.iter().filter(|answer| answer.status == 429).count(), 5, "only the attacker is refused");
    }
}
