//! Every way to hand a password in feeds the same counters; there is no other way in.

use axum::body::Body;
use base64::Engine as _;
use http::Request;
use protocol::GrantType;
use serde_json::{Value, json};
use testkit::{Answer, Backend, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

/// A new grant does not compile until somebody has said whether it checks a password.
fn checks_a_password(grant: GrantType) -> bool {
    match grant {
        GrantType::Password | GrantType::PasswordRealm => true,
        GrantType::ClientCredentials => false,
    }
}

/// One way to hand a password in.
#[derive(Clone, Copy, Debug)]
struct Vector {
    grant: GrantType,
    secret_in_header: bool,
    as_form: bool,
    names_realm: bool,
}

/// Every grant that checks a password, in every encoding, with either client authentication.
fn vectors() -> Vec<Vector> {
    let mut all = Vec::new();
    for grant in GrantType::ALL
        .into_iter()
        .filter(|grant| checks_a_password(*grant))
    {
        for bits in 0..8 {
            let names_realm = bits & 4 != 0;
            if grant != GrantType::PasswordRealm || names_realm {
                all.push(Vector {
                    grant,
                    secret_in_header: bits & 1 != 0,
                    as_form: bits & 2 != 0,
                    names_realm,
                });
            }
        }
    }
    all
}

impl Vector {
    async fn send(self, backend: &Backend<'_>, password: &str) -> Answer {
        let mut call = backend.login(ANA, password).end_user(HOME);
        call = call.with("grant_type", self.grant.as_str());
        if self.names_realm {
            call = call.with("realm", "Users");
        }
        if self.secret_in_header {
            let pair = format!("{}:{}", backend.client_id, backend.client_secret);
            call = call
                .with("client_id", Value::Null)
                .with("client_secret", Value::Null);
            call = call.header("authorization", &basic(&pair));
        }
        if self.as_form {
            call.send_form().await
        } else {
            call.send().await
        }
    }
}

fn basic(pair: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Basic {pair}")
}

/// What looks like a way around the token endpoint, or used to be one elsewhere.
const DOORS: [(&str, &str); 23] = [
    ("POST", "/oauth/token/"),
    ("POST", "//oauth/token"),
    ("POST", "/oauth//token"),
    ("POST", "/OAUTH/TOKEN"),
    ("POST", "/oauth/./token"),
    ("POST", "/api/v2/../../oauth/token"),
    ("POST", "/oauth/token;x=1"),
    ("POST", "/oauth/token%2f"),
    ("POST", "/oauth%2ftoken"),
    ("POST", "/oauth/ro"),
    ("POST", "/oauth/access_token"),
    ("POST", "/oauth/introspect"),
    ("POST", "/authorize"),
    ("POST", "/co/authenticate"),
    ("POST", "/usernamepassword/login"),
    ("POST", "/dbconnections/change_password"),
    ("POST", "/dbconnections/signup"),
    ("POST", "/userinfo"),
    ("GET", "/userinfo"),
    ("POST", "/api/v2/users"),
    ("GET", "/oauth/token"),
    ("PUT", "/oauth/token"),
    ("PATCH", "/oauth/token"),
];

on_both_engines! {
    async fn every_password_vector_feeds_one_counter(world: World) {
        let backends = [world.backend(true).await, world.backend(true).await];
        backends[0].add_user(ANA).await;
        let threshold = json!({"max_attempts": vectors().len()});
        world.admin().await.patch("attack-protection/brute-force-protection", threshold).await.expect(200);
        for (number, vector) in vectors().into_iter().enumerate() {
            let answer = vector.send(&backends[number % 2], "wrong").await;
            assert_eq!((answer.status, answer.error().as_str()), (403, "invalid_grant"), "{vector:?}");
        }
        let hashes = world.hashes();
        for vector in vectors() {
            for backend in &backends {
                world.app.forget_cached();
                let answer = vector.send(backend, PASSWORD).await;
                assert_eq!((answer.status, answer.error().as_str()), (429, "too_many_attempts"), "{vector:?}");
            }
        }
        assert_eq!(world.hashes(), hashes);
    }

    async fn each_password_vector_is_counted_by_itself(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for vector in vectors() {
            vector.send(&backend, PASSWORD).await.expect(200);
            for _ in 0..10 {
                vector.send(&backend, "wrong").await.expect(403);
            }
            let answer = vector.send(&backend, PASSWORD).await;
            assert_eq!(answer.status, 429, "{vector:?}");
            let admin = world.admin().await;
            admin.delete(&format!("anomaly/blocks/ips/{HOME}")).await.expect(204);
            world.clock.advance(std::time::Duration::from_secs(120));
            world.app.forget_cached();
        }
    }

    async fn no_other_door_looks_at_a_password(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let hashes = world.hashes();
        let body = json!({
            "grant_type": "password", "username": ANA, "email": ANA, "password": PASSWORD, "connection": "Users",
            "client_id": backend.client_id, "client_secret": backend.client_secret,
        });
        let as_client = basic(&format!("{}:{}", backend.client_id, backend.client_secret));
        let as_user = basic(&format!("{ANA}:{PASSWORD}"));
        for (method, path) in DOORS {
            for authorization in [None, Some(&as_client), Some(&as_user)] {
                let mut request = Request::builder().method(method).uri(path).header("host", "login.example.com");
                request = request.header("content-type", "application/json");
                if let Some(authorization) = authorization {
                    request = request.header("authorization", authorization);
                }
                let request = request.body(Body::from(body.to_string())).unwrap();
                let answer = world.send(HOME, request).await;
                // Who asks for a new password is always told the same, and his old one is not looked at.
                let asks = path == "/dbconnections/change_password" && answer.status == 200;
                assert!(asks || (400..500).contains(&answer.status), "{method} {path}: {}", answer.status);
                assert!(!answer.text.contains("_token\""), "{method} {path}: {}", answer.text);
            }
        }
        assert_eq!(world.hashes(), hashes, "nobody looked at the password");
    }
}
