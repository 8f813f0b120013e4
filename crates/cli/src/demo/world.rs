//! What the story needs: an API, a directory, a server-side application with the trusted header on, users.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::Http;
use crate::Failure;
use crate::admin::ManagementClient;

pub(super) const AUDIENCE: &str = "https://orders.example.com/";
pub(super) const ANA: &str = "ana@example.com";
pub(super) const PASSWORD: &str = "Correct-Horse-7-Battery";

/// The application and a token to look around with.
pub(super) struct World {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) token: String,
}

/// Makes everything through the Management API.
pub(super) async fn build(http: &Http, keys: &ManagementClient) -> Result<World, Failure> {
    let credentials = json!({
        "grant_type": "client_credentials",
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
        "audience": keys.audience,
    });
    let token = text(
        &call(http, None, Method::POST, "/oauth/token", &credentials).await?,
        "access_token",
    )?;
    let as_admin = Some(token.as_str());

    let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
    let api = json!({"name": "Orders", "identifier": AUDIENCE, "scopes": scopes});
    call(
        http,
        as_admin,
        Method::POST,
        "/api/v2/resource-servers",
        &api,
    )
    .await?;
    let application = json!({
        "name": "Shop backend",
        "app_type": "regular_web",
        "token_endpoint_auth_method": "client_secret_post",
        "is_token_endpoint_ip_header_trusted": true,
        "grant_types": ["password", "http://auth0.com/oauth/grant-type/password-realm"],
    });
    let application = call(
        http,
        as_admin,
        Method::POST,
        "/api/v2/clients",
        &application,
    )
    .await?;
    let client_id = text(&application, "client_id")?;
    let directory = json!({
        "name": "Username-Password-Authentication",
        "strategy": "auth0",
        "enabled_clients": [client_id],
    });
    call(
        http,
        as_admin,
        Method::POST,
        "/api/v2/connections",
        &directory,
    )
    .await?;
    let settings = json!({"default_directory": "Username-Password-Authentication"});
    call(
        http,
        as_admin,
        Method::PATCH,
        "/api/v2/tenants/settings",
        &settings,
    )
    .await?;
    for email in [ANA, "ben@example.com"] {
        // Without a mail of its own: the story's only one is about the block.
        let user = json!({
            "connection": "Username-Password-Authentication",
            "email": email,
            "password": PASSWORD,
            "verify_email": false,
        });
        call(http, as_admin, Method::POST, "/api/v2/users", &user).await?;
    }
    Ok(World {
        client_secret: text(&application, "client_secret")?,
        client_id,
        token,
    })
}

async fn call(
    http: &Http,
    token: Option<&str>,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let answer = http.send(method, path, token, None, Some(body)).await?;
    if answer.status >= 400 {
        return Err(Failure::new(format!(
            "{path} answered {}: {}",
            answer.status, answer.body
        )));
    }
    Ok(answer.body)
}

fn text(value: &Value, member: &str) -> Result<String, Failure> {
    let found = value.get(member).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("no `{member}` in the answer")))
}
