//! Request bodies: one JSON object (or an array where a handler wants one), at most 64 KiB.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::answer::management::Problem;

/// The body as sent.
pub(super) struct Body(pub(super) Value);

impl Body {
    /// The members of an object.
    pub(super) fn object(self) -> Result<Map<String, Value>, Problem> {
        match self.0 {
            Value::Object(members) => Ok(members),
            _ => Err(Problem::InvalidBody(
                "Payload validation error: 'Expected type object' (send one JSON object)."
                    .to_owned(),
            )),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::TooLarge)?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(Map::new())));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::InvalidBody(format!("Invalid request payload JSON format: {error}"))
        })
    }
}
