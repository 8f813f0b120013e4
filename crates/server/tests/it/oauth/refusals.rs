//! Each row of wire facts §2 that concerns these grants, through the real router.

use serde_json::{Value, json};
use testkit::{Login, World, on_both_engines};

/// What is changed in the documented call, and what must come back.
type Row = (
    &'static str,
    fn(Login<'_>) -> Login<'_>,
    u16,
    &'static str,
    &'static str,
);

const ROWS: &[Row] = &[
    (
        "wrong password",
        |call| call.with("password", "wrong"),
        403,
        "invalid_grant",
        "Wrong email or password.",
    ),
    (
        "unknown user",
        |call| call.with("username", "nobody@example.com"),
        403,
        "invalid_grant",
        "Wrong email or password.",
    ),
    (
        "wrong secret",
        |call| call.with("client_secret", "wrong"),
        401,
        "access_denied",
        "Unauthorized",
    ),
    (
        "no secret",
        |call| call.with("client_secret", Value::Null),
        401,
        "access_denied",
        "Unauthorized",
    ),
    (
        "unknown client",
        |call| call.with("client_id", "nobody"),
        401,
        "access_denied",
        "Unauthorized",
    ),
    (
        "no client",
        |call| call.with("client_id", Value::Null),
        401,
        "invalid_client",
        "Missing client_id",
    ),
    (
        "no grant",
        |call| call.with("grant_type", Value::Null),
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    ),
    (
        "unknown grant",
        |call| call.with("grant_type", "magic"),
        501,
        "unsupported_grant_type",
        "Unsupported grant type: magic",
    ),
    (
        "no username",
        |call| call.with("username", Value::Null),
        400,
        "invalid_request",
        "Missing required parameter: username",
    ),
    (
        "no password",
        |call| call.with("password", Value::Null),
        400,
        "invalid_request",
        "Missing required parameter: password",
    ),
    (
        "unknown audience",
        |call| call.with("audience", "urn:x"),
        403,
        "access_denied",
        "Service not enabled within domain: urn:x",
    ),
    (
        "realm missing",
        |call| {
            call.with(
                "grant_type",
                "http://auth0.com/oauth/grant-type/password-realm",
            )
        },
        400,
        "invalid_request",
        "Missing required parameter: realm",
    ),
    (
        "scope of a wrong type",
        |call| call.with("scope", 7),
        400,
        "invalid_request",
        "Invalid parameter: scope must be a string",
    ),
];

on_both_engines! {
    async fn each_documented_refusal_has_its_status_code_and_text(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        for (name, change, status, error, description) in ROWS {
            let call = change(backend.login("ana@example.com", testkit::PASSWORD).end_user("192.0.2.1"));
            let answer = call.send().await;
            let told = (answer.status, answer.error(), answer.description());
            assert_eq!(told, (*status, (*error).to_owned(), (*description).to_owned()), "{name}");
            assert_eq!(answer.headers["cache-control"], "no-store", "{name}");
        }
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
    }

    async fn grants_and_directories_must_be_given(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("clients/{}", backend.client_id);
        admin.patch(&path, json!({"grant_types": ["client_credentials"]})).await.expect(200);
        let refused = backend.login("ana@example.com", "x").send().await.expect(403);
        assert_eq!(refused.error(), "unauthorized_client");
        assert_eq!(refused.description(), "Grant type 'password' not allowed for the client.");

        admin.patch(&path, json!({"grant_types": ["password"]})).await.expect(200);
        let clients = format!("connections/{}/clients", backend.connection_id);
        admin.patch(&clients, json!([{"client_id": backend.client_id, "status": false}])).await.expect(204);
        let refused = backend.login("ana@example.com", "x").send().await.expect(403);
        assert_eq!(refused.error(), "unauthorized_client");

        admin.patch("tenants/settings", json!({"default_directory": ""})).await.expect(200);
        let refused = backend.login("ana@example.com", "x").send().await.expect(500);
        assert_eq!(refused.error(), "server_error");
        assert_eq!(refused.description(), "Authorization server not configured with default connection.");
    }

    async fn malformed_calls_are_refused_and_count_against_nobody(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let call = || backend.login("ana@example.com", "x").end_user("192.0.2.1");
        for (content_type, body) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("application/json", r#"{"grant_type":"password","grant_type":"password"}"#),
            ("application/x-www-form-urlencoded", "grant_type=password&grant_type=password"),
            ("text/plain", "grant_type=password"),
            ("application/json", "\u{0}"),
        ] {
            let answer = call().send_as(content_type, body.to_owned()).await.expect(400);
            assert_eq!(answer.error(), "invalid_request", "{body}");
        }
        let both = call().header("authorization", "Basic YTpi").send().await.expect(400);
        assert_eq!(both.error(), "invalid_request");
        let long = call().with("password", "x".repeat(2_000)).send().await.expect(400);
        assert_eq!(long.error(), "invalid_request");

        assert_eq!(world.hashes().verified(), 0);
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        assert!(world.admin().await.events("fp").await.is_empty());
    }

    async fn only_post_is_answered(world: World) {
        let request = http::Request::get("/oauth/token").header("host", "login.example.com");
        let answer = world.send("192.0.2.1", request.body(axum::body::Body::empty()).unwrap()).await.expect(405);
        assert_eq!(answer.error(), "method_not_allowed");
    }
}
