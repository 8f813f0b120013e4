//! A server-side application that asks its users for their passwords, as in the tutorial.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::{Admin, Answer, World};

/// The API the application asks for.
pub const AUDIENCE: &str = "https://api.example.com/";
/// The password of every ordinary user.
pub const PASSWORD: &str = "Correct-Horse-7-Battery";

/// The application and the address it calls from.
#[derive(Clone, Debug)]
pub struct Backend<'w> {
    pub world: &'w World,
    pub client_id: String,
    pub client_secret: String,
    pub connection_id: String,
    pub address: String,
}

impl<'w> Backend<'w> {
    /// Makes API, directory and application through the Management API; `trusted` is the header switch.
    pub(crate) async fn install(world: &'w World, trusted: bool) -> Self {
        let admin = world.admin().await;
        if admin
            .get("connections?name=Users")
            .await
            .json()
            .as_array()
            .is_none_or(Vec::is_empty)
        {
            let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
            let api = json!({"name": "Orders", "identifier": AUDIENCE, "scopes": scopes});
            admin.post("resource-servers", api).await.expect(201);
            admin
                .post("connections", json!({"name": "Users", "strategy": "auth0"}))
                .await
                .expect(201);
            admin
                .patch("tenants/settings", json!({"default_directory": "Users"}))
                .await
                .expect(200);
        }
        let client = admin
            .post(
                "clients",
                json!({
                    "name": "Shop",
                    "app_type": "regular_web",
                    "token_endpoint_auth_method": "client_secret_post",
                    "is_token_endpoint_ip_header_trusted": trusted,
                    "grant_types": ["password", "http://auth0.com/oauth/grant-type/password-realm", "client_credentials"],
                }),
            )
            .await
            .expect(201);
        let connections = admin.get("connections?name=Users").await.expect(200);
        let connection_id = connections.json()[0]["id"]
            .as_str()
            .expect("the directory")
            .to_owned();
        let backend = Self {
            world,
            client_id: client.text_of("client_id"),
            client_secret: client.text_of("client_secret"),
            connection_id,
            address: "203.0.113.10".to_owned(),
        };
        backend.enable(&admin).await;
        backend
    }

    /// Allows this application to use the directory.
    async fn enable(&self, admin: &Admin<'_>) {
        let path = format!("connections/{}/clients", self.connection_id);
        admin
            .patch(
                &path,
                json!([{"client_id": self.client_id, "status": true}]),
            )
            .await
            .expect(204);
    }

    /// Adds a user with the ordinary password, without a mail; answers the user id.
    pub async fn add_user(&self, email: &str) -> String {
        let admin = self.world.admin().await;
        let body = json!({"connection": "Users", "email": email, "password": PASSWORD, "verify_email": false});
        admin
            .post("users", body)
            .await
            .expect(201)
            .text_of("user_id")
    }

    /// A login that can be varied before it is sent.
    pub fn login(&self, username: &str, password: &str) -> Login<'w> {
        Login {
            world: self.world,
            from: self.address.clone(),
            headers: Vec::new(),
            body: json!({
                "grant_type": "password",
                "username": username,
                "password": password,
                "audience": AUDIENCE,
                "scope": "read:orders",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            }),
        }
    }

    /// The right password, from an end user's address.
    pub async fn login_right(&self, username: &str, end_user: &str) -> Answer {
        self.login(username, PASSWORD)
            .end_user(end_user)
            .send()
            .await
    }

    /// A wrong password, from an end user's address.
    pub async fn login_wrong(&self, username: &str, end_user: &str) -> Answer {
        self.login(username, "wrong")
            .end_user(end_user)
            .send()
            .await
    }
}

/// One call of the documented kind, before it is sent.
#[derive(Clone, Debug)]
pub struct Login<'w> {
    world: &'w World,
    from: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Login<'_> {
    /// Names the end user's address in `auth0-forwarded-for`.
    #[must_use]
    pub fn end_user(self, address: &str) -> Self {
        self.header("auth0-forwarded-for", address)
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Calls from another address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        address.clone_into(&mut self.from);
        self
    }

    /// Sets a parameter; null removes it.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let members = self.body.as_object_mut().expect("the body is an object");
        if value.is_null() {
            members.remove(parameter);
        } else {
            members.insert(parameter.to_owned(), value);
        }
        self
    }

    /// Sends it as JSON.
    pub async fn send(self) -> Answer {
        let text = self.body.to_string();
        self.send_as("application/json", text).await
    }

    /// Sends it as a form.
    pub async fn send_form(self) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.body.as_object().expect("the body is an object") {
            form.append_pair(name, value.as_str().unwrap_or_default());
        }
        let text = form.finish();
        self.send_as("application/x-www-form-urlencoded;charset=UTF-8", text)
            .await
    }

    /// Sends a body of the caller's own making.
    pub async fn send_as(self, content_type: &str, text: String) -> Answer {
        let mut request = Request::builder()
            .method("POST")
            .uri("/oauth/token")
            .header("host", self.world.domain());
        request = request.header("content-type", content_type);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.world
            .send(
                &self.from,
                request.body(Body::from(text)).expect("a request"),
            )
            .await
    }
}
