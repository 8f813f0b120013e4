//! The administrator: the Management API with a real token.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::{Answer, World};

/// Address administrators call from.
const OFFICE: &str = "198.51.100.250";

/// A caller of the Management API.
#[derive(Clone, Debug)]
pub struct Admin<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Admin<'w> {
    pub(crate) async fn sign_in(world: &'w World, client_id: &str, client_secret: &str) -> Self {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "audience": world.tenant.management_audience(),
        });
        let answer = world
            .send(
                OFFICE,
                json_request(world, Method::POST, "/oauth/token", None, &body),
            )
            .await
            .expect(200);
        Self {
            world,
            token: answer.text_of("access_token"),
        }
    }

    /// The same person with another token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            world: self.world,
            token: token.into(),
        }
    }

    /// The same token at another tenant's host.
    pub fn at<'o>(&self, other: &'o World) -> Admin<'o> {
        Admin {
            world: other,
            token: self.token.clone(),
        }
    }

    /// The token in use.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// `GET /api/v2/PATH`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST /api/v2/PATH`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `PATCH /api/v2/PATH`.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `PUT /api/v2/PATH`.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// `DELETE /api/v2/PATH`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// The log events of a type, newest first.
    pub async fn events(&self, event_type: &str) -> Vec<Value> {
        let answer = self
            .get(&format!("logs?per_page=100&q=type%3A{event_type}"))
            .await
            .expect(200);
        answer.json().as_array().expect("logs are a list").clone()
    }

    /// Any call below `/api/v2`.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let uri = format!("/api/v2/{path}");
        let request = match body {
            Some(body) => json_request(self.world, method, &uri, Some(&self.token), &body),
            None => {
                let request = Request::builder()
                    .method(method)
                    .uri(&uri)
                    .header("host", self.world.domain());
                let request = request.header("authorization", format!("Bearer {}", self.token));
                request.body(Body::empty()).expect("a request")
            }
        };
        self.world.send(OFFICE, request).await
    }
}

pub(crate) fn json_request(
    world: &World,
    method: Method,
    uri: &str,
    token: Option<&str>,
    body: &Value,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", world.domain());
    request = request.header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request
        .body(Body::from(body.to_string()))
        .expect("a request")
}
