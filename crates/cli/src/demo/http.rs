//! Calls of the demo's own server, through TLS and its CA.

use std::path::Path;

use reqwest::{Certificate, Client, Method};
use serde_json::Value;

use crate::Failure;

/// A client of one server.
pub(super) struct Http {
    client: Client,
    base: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Http {
    /// Trusts exactly the CA in this file.
    pub(super) fn new(domain: &str, ca: &Path) -> Result<Self, Failure> {
        let authority = Certificate::from_pem(&std::fs::read(ca)?)?;
        let client = Client::builder().tls_certs_only([authority]).build()?;
        Ok(Self {
            client,
            base: format!("https://{domain}"),
        })
    }

    /// Sends JSON; `token` is for the Management API, `end_user` for the header of the story.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        end_user: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(address) = end_user {
            request = request.header("auth0-forwarded-for", address);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }
}
