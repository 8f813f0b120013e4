//! The password grant as the tutorial calls it: what comes back, and what the tokens say.

use serde_json::{Value, json};
use testkit::{Answer, World, on_both_engines};

const ANA: &str = "ana@example.com";

/// The claims of a token, unverified: verifying is the SDKs' work in `e2e`.
fn claims(answer: &Answer, member: &str) -> Value {
    use base64::Engine as _;
    let token = answer.text_of(member);
    let payload = token.split('.').nth(1).expect("a JWT has three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    serde_json::from_slice(&bytes).expect("claims are JSON")
}

on_both_engines! {
    async fn the_documented_call_gives_a_token(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;

        let sdk = "eyJuYW1lIjoic2RrIiwidmVyc2lvbiI6IjEifQ==";
        let call = backend.login(ANA, testkit::PASSWORD).end_user("192.0.2.1").header("auth0-client", sdk);
        let answer = call.send().await.expect(200);

        assert_eq!(answer.json()["token_type"], "Bearer");
        assert_eq!(answer.json()["expires_in"], 86_400);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["pragma"], "no-cache");
        assert_eq!(answer.headers["content-type"], "application/json");
        let claims = claims(&answer, "access_token");
        assert_eq!(claims["iss"], "https://login.example.com/");
        assert_eq!(claims["sub"], user_id);
        assert_eq!(claims["aud"], "https://api.example.com/");
        assert_eq!(claims["azp"], backend.client_id);
        assert_eq!(claims["scope"], "read:orders");
        assert_eq!(claims["gty"], "password");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);

        let events = world.admin().await.events("sepft").await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["ip"], "192.0.2.1");
        assert_eq!(events[0]["client_ip"], "203.0.113.10");
        assert_eq!(events[0]["user_id"], user_id);
        assert_eq!(events[0]["details"]["portcullis"]["source"], "used");
        assert_eq!(events[0]["auth0_client"], json!({"name": "sdk", "version": "1"}));
    }

    async fn forms_and_realms_work_like_json(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let realm = "http://auth0.com/oauth/grant-type/password-realm";

        backend.login(ANA, testkit::PASSWORD).send_form().await.expect(200);
        let login = backend.login(ANA, testkit::PASSWORD).with("grant_type", realm).with("realm", "Users");
        login.clone().send().await.expect(200);
        login.clone().send_form().await.expect(200);
        let unknown = login.with("realm", "Nowhere").send().await.expect(403);
        assert_eq!(unknown.description(), "Unknown realm Nowhere.");
        // auth0-python sends unset fields as null.
        let body = json!({
            "grant_type": realm, "client_id": backend.client_id, "client_secret": backend.client_secret,
            "username": ANA, "password": testkit::PASSWORD, "realm": "Users", "audience": null, "scope": null,
        });
        backend.login(ANA, "").send_as("application/json; charset=utf-8", body.to_string()).await.expect(200);
    }

    async fn scopes_follow_the_recorded_table(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let right = || backend.login(ANA, testkit::PASSWORD);

        let all = right().with("scope", Value::Null).send().await.expect(200);
        assert_eq!(all.text_of("scope"), "read:orders write:orders");
        let fewer = right().with("scope", "read:orders delete:everything").send().await.expect(200);
        assert_eq!(fewer.text_of("scope"), "read:orders");
        let neither = right().with("scope", Value::Null).with("audience", Value::Null).send().await.expect(200);
        assert_eq!(neither.text_of("scope"), "openid profile email address phone");
        assert_eq!(neither.json()["expires_in"], 86_400);
        assert!(!neither.text_of("access_token").contains('.'), "without an audience the token is opaque");
        let id_token = claims(&neither, "id_token");
        assert_eq!(id_token["aud"], backend.client_id);
        assert_eq!(id_token["email"], ANA);
        assert!(id_token.get("nonce").is_none());
        let both = right().with("scope", "openid read:orders").send().await.expect(200);
        let audiences = claims(&both, "access_token")["aud"].clone();
        assert_eq!(audiences, json!(["https://api.example.com/", "https://login.example.com/userinfo"]));
    }

    async fn the_owner_is_known_by_either_spelling(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for spelling in ["Ana@Example.com", " ana@example.com ", "ANA@EXAMPLE.COM", "ａｎａ@example.com"] {
            backend.login_right(spelling, "192.0.2.1").await.expect(200);
        }
    }

    async fn an_administratively_blocked_user_gets_no_token(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = format!("users/{}", user_id.replace('|', "%7C"));
        admin.patch(&path, json!({"blocked": true})).await.expect(200);

        let refused = backend.login_right(ANA, "192.0.2.1").await.expect(403);
        assert_eq!((refused.error().as_str(), refused.description().as_str()), ("unauthorized", "user is blocked"));
        let guessed = backend.login_wrong(ANA, "192.0.2.1").await.expect(403);
        assert_eq!(guessed.error(), "invalid_grant");
        assert_eq!(admin.events("f").await[0]["description"], "user is blocked");

        admin.patch(&path, json!({"blocked": false})).await.expect(200);
        backend.login_right(ANA, "192.0.2.1").await.expect(200);
    }

    async fn a_login_is_remembered_on_the_user(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await;
        backend.login_right(ANA, "192.0.2.77").await.expect(200);
        backend.login_right(ANA, "192.0.2.78").await.expect(200);

        let user = world.admin().await.get(&format!("users/{}", user_id.replace('|', "%7C"))).await.expect(200);
        assert_eq!(user.json()["logins_count"], 2);
        assert_eq!(user.json()["last_ip"], "192.0.2.78");
    }
}
