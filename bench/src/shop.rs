//! What the load is about: a tenant furnished through its own Management API, and the calls of its application.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::Failure;
use crate::load;
use crate::node::{Argon2, Engine, Node};

pub(crate) const PASSWORD: &str = "Correct-Horse-7-Battery";
const AUDIENCE: &str = "https://api.example.com/";

/// A server with an API, a directory of users, and the application that logs them in.
pub(crate) struct Shop {
    pub(crate) node: Node,
    client_id: String,
    client_secret: String,
    /// For the Management API.
    token: String,
}

impl Shop {
    /// Opens one with users `user0@example.com` and so on.
    pub(crate) async fn open(engine: Engine, argon2: Argon2, users: u64) -> Result<Self, Failure> {
        let mut shop = Self {
            node: Node::start(engine, argon2)?,
            client_id: String::new(),
            client_secret: String::new(),
            token: String::new(),
        };
        shop.furnish(users).await?;
        Ok(shop)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.node.address
    }

    /// The documented call, for one user from one source.
    pub(crate) fn login(&self, user: u64, password: &str, source: &str) -> Request<Full<Bytes>> {
        self.login_as(&format!("user{user}@example.com"), password, source)
    }

    /// The documented call for any name.
    pub(crate) fn login_as(
        &self,
        username: &str,
        password: &str,
        source: &str,
    ) -> Request<Full<Bytes>> {
        self.login_for("read:orders", username, password, source)
    }

    /// The documented call for any name and scope; `openid` asks for an ID token as well.
    pub(crate) fn login_for(
        &self,
        scope: &str,
        username: &str,
        password: &str,
        source: &str,
    ) -> Request<Full<Bytes>> {
        let mut body = self.credentials("password");
        body["username"] = username.into();
        body["password"] = password.into();
        body["scope"] = scope.into();
        let request = Request::post("/oauth/token")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("auth0-forwarded-for", source);
        request
            .body(Full::from(body.to_string()))
            .expect("a request")
    }

    /// The application asks for a token of its own.
    pub(crate) fn client_credentials(&self) -> Request<Full<Bytes>> {
        let body = self.credentials("client_credentials");
        json_request(Method::POST, "/oauth/token", None, &body)
    }

    /// The Management API's search for a user by exact e-mail address.
    pub(crate) fn search(&self, user: u64) -> Request<Full<Bytes>> {
        let path = format!("/api/v2/users?q=email%3A%22user{user}%40example.com%22");
        get(&path, Some(&self.token))
    }

    /// The Management API's search for log events.
    pub(crate) fn search_log(&self, query: &str) -> Request<Full<Bytes>> {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        get(&format!("/api/v2/logs?q={query}"), Some(&self.token))
    }

    /// An access token with which a user's profile can be read.
    pub(crate) async fn access_token(&self) -> Result<String, Failure> {
        let mut body = self.credentials("password");
        body["username"] = "user0@example.com".into();
        body["password"] = PASSWORD.into();
        body["scope"] = "openid profile email".into();
        let answer = self.call(Method::POST, "/oauth/token", &body).await?;
        Ok(answer["access_token"].as_str().unwrap_or("").to_owned())
    }

    fn credentials(&self, grant: &str) -> Value {
        json!({
            "grant_type": grant,
            "audience": AUDIENCE,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        })
    }

    async fn furnish(&mut self, users: u64) -> Result<(), Failure> {
        let keys = &self.node.keys;
        let credentials = json!({
            "grant_type": "client_credentials",
            "client_id": keys["client_id"],
            "client_secret": keys["client_secret"],
            "audience": keys["audience"],
        });
        let token = self
            .call(Method::POST, "/oauth/token", &credentials)
            .await?;
        self.token = token["access_token"].as_str().unwrap_or("").to_owned();
        let api = json!({"identifier": AUDIENCE, "scopes": [{"value": "read:orders"}]});
        self.call(Method::POST, "/api/v2/resource-servers", &api)
            .await?;
        let client = json!({
            "name": "Shop",
            "app_type": "regular_web",
            "token_endpoint_auth_method": "client_secret_post",
            "is_token_endpoint_ip_header_trusted": true,
            "grant_types": ["password", "client_credentials"],
        });
        let client = self.call(Method::POST, "/api/v2/clients", &client).await?;
        self.client_id = client["client_id"].as_str().unwrap_or("").to_owned();
        self.client_secret = client["client_secret"].as_str().unwrap_or("").to_owned();
        let grant =
            json!({"client_id": self.client_id, "audience": AUDIENCE, "scope": ["read:orders"]});
        self.call(Method::POST, "/api/v2/client-grants", &grant)
            .await?;
        let directory =
            json!({"name": "Users", "strategy": "auth0", "enabled_clients": [self.client_id]});
        self.call(Method::POST, "/api/v2/connections", &directory)
            .await?;
        let default = json!({"default_directory": "Users"});
        self.call(Method::PATCH, "/api/v2/tenants/settings", &default)
            .await?;
        let limit = json!({"same_user": {"max_attempts": 1_000_000, "rate": 1}});
        self.call(
            Method::PATCH,
            "/api/v2/portcullis/attack-protection",
            &limit,
        )
        .await?;
        for user in 0..users {
            let email = format!("user{user}@example.com");
            let user = json!({"connection": "Users", "email": email, "password": PASSWORD});
            self.call(Method::POST, "/api/v2/users", &user).await?;
        }
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = json_request(method, path, Some(&self.token), body);
        let (status, text) = load::once(self.address(), request).await?;
        if !(200..300).contains(&status) {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&text)).into());
        }
        Ok(serde_json::from_slice(&text).unwrap_or(Value::Null))
    }
}

/// A reading call, with a bearer token where one is needed.
pub(crate) fn get(path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::get(path).header("host", "localhost");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Full::default()).expect("a request")
}

fn json_request(
    method: Method,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json");
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request
        .body(Full::from(body.to_string()))
        .expect("a request")
}
