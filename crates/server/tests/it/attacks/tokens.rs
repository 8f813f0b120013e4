//! Tokens for somebody who should have none.

use axum::body::Body;
use http::Request;
use protocol::GrantType;
use serde_json::{Value, json};
use testkit::{Answer, Login, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

/// Calls for a token about a user, for each grant; a new grant does not compile until it has its line.
fn calls_for<'w>(grant: GrantType, call: &Login<'w>) -> Vec<Login<'w>> {
    let call = call.clone().with("grant_type", grant.as_str());
    let each_token = |call: Login<'w>| {
        vec![
            call.clone(),
            call.clone().with("scope", "openid read:orders"),
            call.with("scope", Value::Null)
                .with("audience", Value::Null),
        ]
    };
    match grant {
        GrantType::Password => each_token(call),
        GrantType::PasswordRealm => each_token(call.with("realm", "Users")),
        // An application's own token is about no user.
        GrantType::ClientCredentials => Vec::new(),
    }
}

async fn userinfo(world: &World, token: &str) -> Answer {
    let request = Request::get("/userinfo").header("host", "login.example.com");
    let request = request.header("authorization", format!("Bearer {token}"));
    world.send(HOME, request.body(Body::empty()).unwrap()).await
}

on_both_engines! {
    async fn a_disabled_account_gets_no_token_by_any_grant(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let right = backend.login(ANA, PASSWORD).end_user(HOME);
        let calls: Vec<Login<'_>> = GrantType::ALL.into_iter().flat_map(|grant| calls_for(grant, &right)).collect();
        let mut earlier = Vec::new();
        for call in calls.clone() {
            earlier.push(call.send().await.expect(200).text_of("access_token"));
        }
        let admin = world.admin().await;
        let path = format!("users/{}", user_id.replace('|', "%7C"));
        admin.patch(&path, json!({"blocked": true})).await.expect(200);

        for call in calls.clone() {
            let refused = call.send().await.expect(403);
            assert_eq!(refused.error(), "unauthorized");
            assert!(!refused.text.contains("_token\""), "{}", refused.text);
        }
        for token in &earlier {
            let answer = userinfo(&world, token).await;
            assert_eq!(answer.status, 401, "{}", answer.text);
        }
        assert_eq!(admin.events("f").await.len(), calls.len(), "each is in the log");
        admin.patch(&path, json!({"blocked": false})).await.expect(200);
        for call in calls {
            call.send().await.expect(200);
        }
    }

    async fn an_endless_scope_is_refused_before_any_work(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let before = (world.hashes(), world.app.store.statement_trace());
        for scope in ["a ".repeat(201), "openid ".repeat(500), "x".repeat(4_097), "a ".repeat(30_000)] {
            let call = backend.login(ANA, PASSWORD).end_user(HOME).with("scope", scope.clone());
            for answer in [call.clone().send().await, call.send_form().await] {
                assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{} bytes", scope.len());
            }
        }
        assert_eq!(world.hashes(), before.0);
        let statements = world.app.store.statement_trace().since(&before.1);
        let statements: Vec<&str> = statements.iter().map(|(text, _)| text).filter(|text| !text.contains("tenant_hosts")).collect();
        assert_eq!(statements, Vec::<&str>::new());
    }
}
