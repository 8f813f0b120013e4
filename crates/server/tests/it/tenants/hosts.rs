//! Which tenant a request speaks to: by exact host and port, by alias, else the default one.

use axum::body::Body;
use http::{Request, Version};
use testkit::{Answer, Engine, World, WorldSettings, on_both_engines};

async fn discovery(world: &World, host: &str) -> Answer {
    let request = Request::get("/.well-known/openid-configuration").header("host", host);
    world
        .send("192.0.2.1", request.body(Body::empty()).unwrap())
        .await
}

on_both_engines! {
    async fn each_host_leads_to_its_tenant_and_the_issuer_is_its_own(world: World) {
        let other = world.neighbour("other").await;
        for (host, issuer) in [
            ("login.example.com", "https://login.example.com/"),
            ("login.example.com:443", "https://login.example.com/"),
            ("other.example.com", "https://other.example.com/"),
            ("OTHER.example.COM", "https://other.example.com/"),
            ("alias.other.example.com", "https://other.example.com/"),
            // Another port is another host; hosts that nobody owns lead to the default tenant.
            ("other.example.com:8443", "https://login.example.com/"),
            ("sub.other.example.com", "https://login.example.com/"),
            ("127.0.0.1", "https://login.example.com/"),
            ("[::1]:8443", "https://login.example.com/"),
        ] {
            let document = discovery(&world, host).await.expect(200).json();
            assert_eq!(document["issuer"], issuer, "{host}");
            assert_eq!(document["token_endpoint"], format!("{issuer}oauth/token"), "{host}");
        }
        let request = Request::get("/.well-known/openid-configuration").header("host", "login.example.com");
        let request = request.header("x-forwarded-host", other.domain()).header("forwarded", format!("host={}", other.domain()));
        let answer = world.send("192.0.2.1", request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.json()["issuer"], "https://login.example.com/");
    }

    async fn in_http_2_the_authority_is_the_host(world: World) {
        let other = world.neighbour("other").await;
        for authority in [other.domain(), "alias.other.example.com"] {
            // RFC 9113 §8.3.1: it comes with the target; a Host header beside it decides nothing.
            for host in [None, Some("login.example.com")] {
                let request = Request::get(format!("https://{authority}/.well-known/openid-configuration"));
                let request = request.version(Version::HTTP_2);
                let request = host.into_iter().fold(request, |request, host| request.header("host", host));
                let answer = world.send("192.0.2.1", request.body(Body::empty()).unwrap()).await.expect(200);
                assert_eq!(answer.json()["issuer"], "https://other.example.com/", "{authority}, Host {host:?}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_default_tenant_a_strange_host_is_answered_clearly() {
    let settings = WorldSettings {
        takes_other_hosts: false,
        ..WorldSettings::default()
    };
    let world = World::start_with(Engine::Sqlite, settings).await;
    discovery(&world, "login.example.com").await.expect(200);
    for (method, path) in [
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/.well-known/jwks.json"),
        ("POST", "/oauth/token"),
        ("GET", "/userinfo"),
        ("POST", "/userinfo"),
        ("GET", "/api/v2/clients"),
        ("POST", "/api/v2/clients"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", "stranger.example.net");
        let answer = world
            .send("192.0.2.1", request.body(Body::empty()).unwrap())
            .await
            .expect(404);
        let member = if path.starts_with("/api/v2/") {
            "message"
        } else {
            "error_description"
        };
        assert_eq!(answer.text_of(member), "No tenant has this host.", "{path}");
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{path}: {kind}");
    }
    let alive = Request::get("/livez").header("host", "stranger.example.net");
    world
        .send("192.0.2.1", alive.body(Body::empty()).unwrap())
        .await
        .expect(200);
    let ready = Request::get("/readyz").header("host", "stranger.example.net");
    world
        .send("192.0.2.1", ready.body(Body::empty()).unwrap())
        .await
        .expect(200);
}
