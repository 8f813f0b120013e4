//! What an API's settings make of its tokens: algorithm, dialect, lifetime, and who may have one.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use serde_json::{Value, json};
use testkit::{AUDIENCE, Admin, Answer, Backend, World, on_both_engines};

const ANA: &str = "ana@example.com";

fn part(token: &str, position: usize) -> Value {
    let part = token
        .split('.')
        .nth(position)
        .expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn verifies(token: &str, secret: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("a JWT has three parts");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(
        &key,
        signed.as_bytes(),
        &URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
    .is_ok()
}

async fn userinfo(world: &World, token: &str) -> u16 {
    let request = Request::get("/userinfo").header("host", world.domain());
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).unwrap();
    world.send("192.0.2.1", request).await.status
}

async fn api(admin: &Admin<'_>) -> String {
    let api = admin
        .get("resource-servers/https%3A%2F%2Fapi.example.com%2F")
        .await
        .expect(200);
    format!("resource-servers/{}", api.text_of("id"))
}

/// A token for the application itself.
async fn own(backend: &Backend<'_>) -> Answer {
    let asked = backend
        .login("", "")
        .with("grant_type", "client_credentials");
    asked.with("scope", Value::Null).send().await
}

async fn grant(admin: &Admin<'_>, backend: &Backend<'_>, more: Value) -> String {
    let mut body =
        json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": ["read:orders"]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    admin
        .post("client-grants", body)
        .await
        .expect(201)
        .text_of("id")
}

on_both_engines! {
    async fn an_hs256_api_shares_its_secret_with_the_server(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = api(&admin).await;
        let changed = admin.patch(&path, json!({"signing_alg": "HS256"})).await.expect(200);
        let secret = changed.text_of("signing_secret");
        assert!(secret.len() >= 32);
        assert_eq!(admin.get(&path).await.expect(200).text_of("signing_secret"), secret);
        assert!(!admin.events("sapi").await.iter().any(|event| event.to_string().contains(&secret)));

        let answer = backend.login(ANA, testkit::PASSWORD).with("scope", "openid read:orders").send().await.expect(200);
        let token = answer.text_of("access_token");
        assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "JWT"}));
        assert!(verifies(&token, &secret));
        assert_eq!(part(&token, 1)["aud"], AUDIENCE, "such a token is not good for /userinfo, so its audience stays a text");

        let chosen = "sixteen-bytes-of-a-secret";
        admin.patch(&path, json!({"signing_secret": "short"})).await.expect(400);
        admin.patch(&path, json!({"signing_secret": chosen})).await.expect(200);
        let token = backend.login_right(ANA, "192.0.2.1").await.expect(200).text_of("access_token");
        assert!(verifies(&token, chosen) && !verifies(&token, &secret));

        let back = admin.patch(&path, json!({"signing_alg": "RS256"})).await.expect(200).json();
        assert!(back.get("signing_secret").is_none());
        let token = backend.login_right(ANA, "192.0.2.1").await.expect(200).text_of("access_token");
        assert_eq!(part(&token, 0)["alg"], "RS256");
        admin.patch(&path, json!({"signing_secret": chosen})).await.expect(400);
    }

    async fn an_id_token_can_be_signed_with_the_applications_secret(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let settings = json!({"jwt_configuration": {"alg": "HS256", "lifetime_in_seconds": 120}});
        admin.patch(&format!("clients/{}", backend.client_id), settings).await.expect(200);
        let answer = backend.login(ANA, testkit::PASSWORD).with("scope", "openid").send().await.expect(200);
        let token = answer.text_of("id_token");
        assert!(verifies(&token, &backend.client_secret));
        let claims = part(&token, 1);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
        assert_eq!(part(&answer.text_of("access_token"), 0)["alg"], "RS256", "the API says how access tokens are signed");
    }

    async fn dialects_and_lifetimes_are_the_apis(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = api(&admin).await;
        grant(&admin, &backend, json!({})).await;

        admin.patch(&path, json!({"token_lifetime": 600, "token_dialect": "rfc9068_profile"})).await.expect(200);
        let answer = backend.login_right(ANA, "192.0.2.1").await.expect(200);
        assert_eq!(answer.json()["expires_in"], 600);
        let token = answer.text_of("access_token");
        let claims = part(&token, 1);
        assert_eq!(part(&token, 0)["typ"], "at+jwt");
        assert_eq!(claims["client_id"], backend.client_id);
        assert!(claims["jti"].is_string() && claims.get("azp").is_none() && claims.get("gty").is_none());
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);

        let refused = admin.patch(&path, json!({"token_dialect": "access_token_authz"})).await.expect(400);
        assert!(refused.text_of("message").contains("enforce_policies"));
        admin.patch(&path, json!({"token_dialect": "access_token_authz", "enforce_policies": true})).await.expect(200);
        let token = own(&backend).await.expect(200).text_of("access_token");
        assert_eq!(part(&token, 1)["permissions"], json!(["read:orders"]));
        assert_eq!(part(&token, 1)["gty"], "client-credentials");
        let token = backend.login_right(ANA, "192.0.2.1").await.expect(200).text_of("access_token");
        assert_eq!(part(&token, 1)["permissions"], json!([]), "nobody has a role yet, so nobody has a permission");
        assert!(part(&token, 1).get("scope").is_none());
    }

    async fn each_dialect_says_its_claims_and_no_others(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = api(&admin).await;
        grant(&admin, &backend, json!({})).await;
        let (vendor, rfc) = (["azp", "gty"], ["client_id", "jti"]);
        for (dialect, typ, own_claims, says_permissions) in [
            (Value::Null, "JWT", vendor, false),
            (json!("access_token"), "JWT", vendor, false),
            (json!("access_token_authz"), "JWT", vendor, true),
            (json!("rfc9068_profile"), "at+jwt", rfc, false),
            (json!("rfc9068_profile_authz"), "at+jwt", rfc, true),
        ] {
            if !dialect.is_null() {
                admin.patch(&path, json!({"token_dialect": dialect, "enforce_policies": says_permissions})).await.expect(200);
            }
            let realm = "http://auth0.com/oauth/grant-type/password-realm";
            let login = || backend.login(ANA, testkit::PASSWORD).with("scope", "openid read:orders");
            for (gty, call) in [
                ("password", login().end_user("192.0.2.1")),
                ("password", login().with("grant_type", realm).with("realm", "Users").end_user("192.0.2.2")),
                ("client-credentials", login().with("grant_type", "client_credentials").with("scope", "read:orders")),
            ] {
                let token = call.send().await.expect(200).text_of("access_token");
                let (header, claims) = (part(&token, 0), part(&token, 1));
                assert_eq!((&header["typ"], &header["alg"]), (&json!(typ), &json!("RS256")), "{dialect} {gty}");
                let by_user = gty == "password";
                let mut expected = vec!["iss", "sub", "aud", "iat", "exp", "scope"];
                expected.extend(own_claims);
                expected.extend(says_permissions.then_some("permissions"));
                expected.sort_unstable();
                let mut said: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
                said.sort_unstable();
                assert_eq!(said, expected, "{dialect} {gty}");
                assert_eq!(claims["sub"], if by_user { user.clone() } else { format!("{}@clients", backend.client_id) });
                let audience = if by_user { json!([AUDIENCE, "https://login.example.com/userinfo"]) } else { json!(AUDIENCE) };
                assert_eq!(claims["aud"], audience, "{dialect} {gty}");
                // Nobody has a permission while there are no roles, so an API that enforces them gives its users no scope of its own.
                let scope = match (by_user, says_permissions) {
                    (true, true) => "openid",
                    (true, false) => "openid read:orders",
                    (false, _) => "read:orders",
                };
                assert_eq!(claims["scope"], scope, "{dialect} {gty}");
                if own_claims == vendor {
                    assert_eq!((&claims["gty"], &claims["azp"]), (&json!(gty), &json!(backend.client_id)));
                } else {
                    assert_eq!(claims["client_id"], backend.client_id);
                }
                if says_permissions {
                    assert_eq!(claims["permissions"], if by_user { json!([]) } else { json!(["read:orders"]) }, "{dialect} {gty}");
                }
                assert_eq!(userinfo(&world, &token).await, if by_user { 200 } else { 401 }, "{dialect} {gty}");
            }
        }
    }

    async fn tokens_live_as_long_as_their_settings_say(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = api(&admin).await;
        grant(&admin, &backend, json!({})).await;
        let client = format!("clients/{}", backend.client_id);
        let lifetime = |token: &str| {
            let claims = part(token, 1);
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
        };
        for seconds in [1, 2, 7_200, 86_400, 2_592_000] {
            // The lifetime for browsers is of flows that are not built; it changes nothing here.
            admin.patch(&path, json!({"token_lifetime": seconds, "token_lifetime_for_web": 1})).await.expect(200);
            admin.patch(&client, json!({"jwt_configuration": {"lifetime_in_seconds": seconds * 7 % 2_592_000 + 1}})).await.expect(200);
            let user = backend.login(ANA, testkit::PASSWORD).with("scope", "openid").end_user("192.0.2.1").send().await.expect(200);
            let machine = own(&backend).await.expect(200);
            for answer in [&user, &machine] {
                assert_eq!((answer.json()["expires_in"].as_i64(), lifetime(&answer.text_of("access_token"))), (Some(seconds), seconds));
            }
            assert_eq!(lifetime(&user.text_of("id_token")), seconds * 7 % 2_592_000 + 1);
            let opaque = backend.login(ANA, testkit::PASSWORD).with("audience", Value::Null).with("scope", "openid").end_user("192.0.2.2");
            assert_eq!(opaque.send().await.expect(200).json()["expires_in"], 86_400, "one that is good for /userinfo alone has no setting");
        }
        for seconds in [json!(0), json!(-1), json!(2_592_001), json!("600"), json!(1.5)] {
            admin.patch(&path, json!({"token_lifetime": seconds})).await.expect(400);
            admin.patch(&client, json!({"jwt_configuration": {"lifetime_in_seconds": seconds}})).await.expect(400);
        }
    }

    async fn a_token_for_the_management_api_lives_as_long_as_an_administrator_says(world: World) {
        let admin = world.admin().await;
        let path = "resource-servers/https%3A%2F%2Flogin.example.com%2Fapi%2Fv2%2F";
        for body in [json!({"scopes": []}), json!({"signing_alg": "HS256"}), json!({"token_lifetime": 60, "name": "Mine"})] {
            let refused = admin.patch(path, body).await.expect(400);
            assert!(refused.text_of("message").contains("token_lifetime"), "{}", refused.text);
        }
        let before = admin.get(path).await.expect(200).json();
        let after = admin.patch(path, json!({"token_lifetime": 60})).await.expect(200).json();
        let mut expected = before;
        expected["token_lifetime"] = json!(60);
        assert_eq!(after, expected);
        let short = world.admin().await;
        world.clock.advance(Duration::from_secs(59));
        short.get("clients").await.expect(200);
        world.clock.advance(Duration::from_secs(1));
        short.get("clients").await.expect(401);
        admin.get("clients").await.expect(200);
    }

    async fn an_api_says_who_may_have_its_tokens(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = api(&admin).await;
        let policy = |user: &str, client: &str| {
            json!({"subject_type_authorization": {"user": {"policy": user}, "client": {"policy": client}}})
        };
        let login = || backend.login(ANA, testkit::PASSWORD).with("scope", "read:orders write:orders");

        admin.patch(&path, policy("deny_all", "require_client_grant")).await.expect(200);
        let refused = login().send().await.expect(403);
        assert_eq!(refused.error(), "access_denied");
        assert!(refused.description().contains("deny_all"));

        admin.patch(&path, policy("require_client_grant", "require_client_grant")).await.expect(200);
        let refused = login().send().await.expect(403);
        assert!(refused.description().starts_with("Client is not authorized to access"));
        let for_users = grant(&admin, &backend, json!({"subject_type": "user"})).await;
        assert_eq!(login().send().await.expect(200).text_of("scope"), "read:orders");
        own(&backend).await.expect(403);

        let for_itself = grant(&admin, &backend, json!({"scope": []})).await;
        assert!(own(&backend).await.expect(200).json().get("scope").is_none());
        admin.patch(&format!("client-grants/{for_itself}"), json!({"allow_all_scopes": true})).await.expect(200);
        assert_eq!(own(&backend).await.expect(200).text_of("scope"), "read:orders write:orders");
        admin.patch(&path, policy("require_client_grant", "deny_all")).await.expect(200);
        assert!(own(&backend).await.expect(403).description().contains("deny_all"));

        admin.delete(&format!("client-grants/{for_users}")).await.expect(204);
        login().send().await.expect(403);
        let listed = admin.get("client-grants?subject_type=user").await.expect(200).json();
        assert_eq!(listed, json!([]));
    }

    async fn passwords_are_not_for_third_parties(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        admin.patch(&format!("clients/{}", backend.client_id), json!({"is_first_party": false})).await.expect(200);
        let refused = backend.login_right(ANA, "192.0.2.1").await.expect(403);
        assert_eq!(refused.error(), "unauthorized_client", "consent cannot be asked for on this grant");
    }
}
