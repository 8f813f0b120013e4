//! What came back: status, headers, body; with what tests ask of it.

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

/// One answer of the server.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body
            .collect()
            .await
            .expect("bodies in the process arrive whole")
            .to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("answers are text"),
        }
    }

    /// The body as JSON; null where there is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A text member of the body.
    #[track_caller]
    pub fn text_of(&self, member: &str) -> String {
        let body = self.json();
        body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no text `{member}` in {self:?}"))
            .to_owned()
    }

    /// The `error` code of the token endpoint.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The `error_description` of the token endpoint.
    pub fn description(&self) -> String {
        self.json()["error_description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Fails with the whole answer unless the status is this.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            StatusCode::from_u16(self.status).ok(),
            StatusCode::from_u16(status).ok(),
            "unexpected answer: {}",
            self.text
        );
        self
    }
}
