//! Discovery and keys, as clients look for them.

use axum::body::Body;
use http::Request;
use testkit::{Engine, World};

#[tokio::test]
async fn discovery_and_keys_fit_the_issuer() {
    let world = World::start(Engine::Sqlite).await;
    let get = |path: &str| {
        Request::get(path)
            .header("host", "login.example.com")
            .body(Body::empty())
            .unwrap()
    };

    let discovery = world
        .send("192.0.2.1", get("/.well-known/openid-configuration"))
        .await
        .expect(200)
        .json();
    assert_eq!(discovery["issuer"], "https://login.example.com/");
    assert_eq!(
        discovery["token_endpoint"],
        "https://login.example.com/oauth/token"
    );
    assert_eq!(
        discovery["jwks_uri"],
        "https://login.example.com/.well-known/jwks.json"
    );

    let keys = world
        .send("192.0.2.1", get("/.well-known/jwks.json"))
        .await
        .expect(200)
        .json();
    let key = &keys["keys"][0];
    assert_eq!(
        (
            key["kty"].as_str(),
            key["use"].as_str(),
            key["alg"].as_str()
        ),
        (Some("RSA"), Some("sig"), Some("RS256"))
    );
    for member in ["kid", "n", "e", "x5c", "x5t"] {
        assert!(!key[member].is_null(), "{member}");
    }
    assert!(key.get("d").is_none(), "the private half never leaves");
}

#[tokio::test]
async fn the_issuer_never_comes_from_a_header() {
    let world = World::start(Engine::Sqlite).await;
    let request = Request::get("/.well-known/openid-configuration")
        .header("host", "evil.example.net")
        .header("x-forwarded-host", "evil.example.net");
    let answer = world
        .send("192.0.2.1", request.body(Body::empty()).unwrap())
        .await
        .expect(200);
    assert_eq!(answer.json()["issuer"], "https://login.example.com/");
}
