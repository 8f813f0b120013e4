//! People and their accounts: signing up, new passwords, verified addresses.

mod indistinguishable;
mod password_rules;
mod reset;
mod sign_up;
mod tickets;
mod verification;

use http::{Method, Request};
use serde_json::{Value, json};
use testkit::{Answer, Backend, PASSWORD, World};

/// A new person's address.
pub(crate) const EVE: &str = "eve@example.com";
pub(crate) const ANA: &str = "ana@example.com";
/// From where people come.
pub(crate) const HOME: &str = "192.0.2.7";
pub(crate) const NEW_PASSWORD: &str = "Another-Horse-8-Battery";

/// Posts JSON from an address, with headers.
pub(crate) async fn post(
    world: &World,
    from: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", world.domain())
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_string().into()).expect("a request");
    world.send(from, request).await
}

/// What a person who signs up sends.
pub(crate) fn new_person(backend: &Backend<'_>, email: &str) -> Value {
    json!({
        "client_id": backend.client_id,
        "connection": "Users",
        "email": email,
        "password": PASSWORD,
    })
}

pub(crate) async fn sign_up(backend: &Backend<'_>, email: &str) -> Answer {
    let body = new_person(backend, email);
    post(backend.world, HOME, "/dbconnections/signup", &[], &body).await
}

pub(crate) async fn ask_for_reset(backend: &Backend<'_>, from: &str, email: &str) -> Answer {
    let body = json!({"client_id": backend.client_id, "connection": "Users", "email": email});
    post(
        backend.world,
        from,
        "/dbconnections/change_password",
        &[],
        &body,
    )
    .await
}

/// Changes the directory's options.
pub(crate) async fn options(backend: &Backend<'_>, options: Value) {
    let admin = backend.world.admin().await;
    let path = format!("connections/{}", backend.connection_id);
    admin
        .patch(&path, json!({"options": options}))
        .await
        .expect(200);
}
