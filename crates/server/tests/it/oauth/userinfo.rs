//! `/userinfo`: what a user's own access token tells, and which tokens it takes.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use testkit::{Answer, World, on_both_engines};

const ANA: &str = "ana@example.com";

async fn ask(world: &World, authorization: &str) -> Answer {
    let request = Request::get("/userinfo")
        .header("host", "login.example.com")
        .header("authorization", authorization);
    world
        .send("192.0.2.1", request.body(Body::empty()).unwrap())
        .await
}

async fn bear(world: &World, token: &str) -> Answer {
    ask(world, &format!("Bearer {token}")).await
}

async fn post(world: &World, content_type: &str, body: String, token: Option<&str>) -> Answer {
    let mut request = Request::post("/userinfo")
        .header("host", "login.example.com")
        .header("content-type", content_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world
        .send("192.0.2.1", request.body(Body::from(body)).unwrap())
        .await
}

on_both_engines! {
    async fn a_token_tells_what_its_scope_allows(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let opaque = backend.login(ANA, testkit::PASSWORD).with("audience", Value::Null).with("scope", "openid profile email");
        let for_api = backend.login(ANA, testkit::PASSWORD).with("scope", "openid email read:orders");
        let opaque = opaque.send().await.expect(200).text_of("access_token");
        let for_api = for_api.send().await.expect(200).text_of("access_token");

        let told = bear(&world, &opaque).await.expect(200);
        assert_eq!(told.headers["cache-control"], "no-store");
        let told = told.json();
        assert_eq!((&told["sub"], &told["email"], &told["email_verified"]), (&json!(user_id), &json!(ANA), &json!(false)));
        assert_eq!((&told["nickname"], &told["name"]), (&json!("ana"), &json!(ANA)));
        assert!(told["updated_at"].as_str().unwrap().ends_with('Z'));

        let told = bear(&world, &for_api).await.expect(200).json();
        let mut members: Vec<&String> = told.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["email", "email_verified", "sub"]);

        let form = "application/x-www-form-urlencoded";
        let posted = post(&world, form, format!("access_token={opaque}"), None).await.expect(200);
        assert_eq!(posted.text_of("sub"), user_id);
        post(&world, form, String::new(), Some(&opaque)).await.expect(200);
        let twice = post(&world, form, format!("access_token={opaque}"), Some(&opaque)).await.expect(400);
        assert_eq!(twice.error(), "invalid_request");
    }

    async fn no_other_token_is_taken(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let login = || backend.login(ANA, testkit::PASSWORD);
        let tokens = login().with("scope", "openid").with("audience", Value::Null).send().await.expect(200);
        let without_openid = login().with("scope", "email").with("audience", Value::Null).send().await.expect(200);
        let for_api_alone = login().send().await.expect(200);

        let missing = ask(&world, "Basic YTpi").await.expect(401);
        assert_eq!((missing.text.as_str(), missing.headers["www-authenticate"].to_str().unwrap()), ("Unauthorized", "Bearer"));
        for token in [
            tokens.text_of("id_token"),
            for_api_alone.text_of("access_token"),
            world.admin().await.token().to_owned(),
            "never-issued-opaque-token-0123456789".to_owned(),
            "a.b.c".to_owned(),
            "x".repeat(20_000),
        ] {
            let refused = bear(&world, &token).await.expect(401);
            assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer error=\"invalid_token\""), "{token}");
            assert_eq!(refused.text, "Unauthorized");
        }
        let narrow = bear(&world, &without_openid.text_of("access_token")).await.expect(403);
        assert_eq!(narrow.error(), "insufficient_scope");
    }

    async fn a_token_ends_with_its_time_and_with_its_user(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        let path = format!("users/{}", user.replace('|', "%7C"));
        let issue = || backend.login(ANA, testkit::PASSWORD).with("scope", "openid");
        let opaque = issue().with("audience", Value::Null).send().await.expect(200).text_of("access_token");
        let signed = issue().with("scope", "openid read:orders").send().await.expect(200).text_of("access_token");
        let admin = world.admin().await;

        admin.patch(&path, json!({"blocked": true})).await.expect(200);
        for token in [&opaque, &signed] {
            bear(&world, token).await.expect(401);
        }
        admin.patch(&path, json!({"blocked": false})).await.expect(200);
        for token in [&opaque, &signed] {
            bear(&world, token).await.expect(200);
        }

        world.clock.advance(Duration::from_secs(60));
        admin.delete(&path).await.expect(204);
        let again = json!({"connection": "Users", "email": ANA, "password": testkit::PASSWORD, "user_id": user.trim_start_matches("auth0|")});
        assert_eq!(admin.post("users", again).await.expect(201).text_of("user_id"), user);
        for token in [&opaque, &signed] {
            bear(&world, token).await.expect(401);
        }

        let fresh = issue().with("audience", Value::Null).send().await.expect(200).text_of("access_token");
        world.clock.advance(Duration::from_secs(86_399));
        bear(&world, &fresh).await.expect(200);
        world.clock.advance(Duration::from_secs(1));
        bear(&world, &fresh).await.expect(401);

        let digest = keys::SecretDigest::of(&fresh).to_bytes();
        let rows = world.app.store.tenant(&world.tenant.id);
        let before = world.app.clock.now() - jiff::SignedDuration::from_secs(5);
        assert!(rows.find_access_token(&digest, before).await.unwrap().is_some());
        server::sweep::sweep(&world.app).await;
        assert_eq!(rows.find_access_token(&digest, before).await.unwrap(), None);
    }
}
