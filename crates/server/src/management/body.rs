//! Request bodies: one JSON object (or an array where a handler wants one), or a form of plain values; at most 64 KiB.
//!
//! A form's texts become what the resource's table says: `true`, `false` and whole numbers; repeated names a list.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::schema::{Field, Kind, judge};
use crate::answer::management::Problem;

/// The body as sent.
pub(super) enum Body {
    Json(Value),
    Form(Vec<(String, String)>),
}

impl Body {
    /// The members of an object, judged by a table.
    pub(super) fn judged(self, fields: &[Field]) -> Result<Map<String, Value>, Problem> {
        let members = self.members(fields)?;
        judge(fields, &members)?;
        Ok(members)
    }

    /// The members of an object whose handler judges it without a table.
    pub(super) fn unjudged(self) -> Result<Map<String, Value>, Problem> {
        self.members(&[])
    }

    fn members(self, fields: &[Field]) -> Result<Map<String, Value>, Problem> {
        match self {
            Self::Json(Value::Object(members)) => Ok(members),
            Self::Json(_) => Err(Problem::InvalidBody(
                "Payload validation error: 'Expected type object' (send one JSON object)."
                    .to_owned(),
            )),
            Self::Form(pairs) => Ok(members_of(fields, pairs)),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
                    _ => Problem::InvalidBody(
                        "The request body could not be read. Send it again.".to_owned(),
                    ),
                })?;
        let body = if is_form {
            Self::Form(form_urlencoded::parse(&bytes).into_owned().collect())
        } else if bytes.is_empty() {
            Self::Json(Value::Object(Map::new()))
        } else {
            let value = serde_json::from_slice(&bytes).map_err(|error| {
                Problem::InvalidBody(format!("Invalid request payload JSON format: {error}"))
            })?;
            Self::Json(value)
        };
        if body.holds_nul() {
            return Err(Problem::InvalidBody(
                "Payload validation error: 'String holds a NUL character' (send text without it)."
                    .to_owned(),
            ));
        }
        Ok(body)
    }
}

impl Body {
    /// PostgreSQL's text holds no NUL; what one engine cannot keep is refused on both.
    fn holds_nul(&self) -> bool {
        match self {
            Self::Json(value) => holds_nul(value),
            Self::Form(pairs) => pairs
                .iter()
                .any(|(name, value)| name.contains('\0') || value.contains('\0')),
        }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn members_of(fields: &[Field], pairs: Vec<(String, String)>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, text) in pairs {
        let kind = fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.kind);
        match kind {
            Some(Kind::Texts(_) | Kind::ListOf(_)) => {
                if let Value::Array(items) = members.entry(name).or_insert(Value::Array(Vec::new()))
                {
                    items.push(Value::from(text));
                }
            }
            _ => {
                members.insert(name, plain(kind, text));
            }
        }
    }
    members
}

/// One form value as the table wants it; what does not fit stays text, and is refused as such.
fn plain(kind: Option<&Kind>, text: String) -> Value {
    match (kind, text.as_str()) {
        (Some(Kind::Bool | Kind::NullableBool | Kind::Inert(_)), "true") => Value::Bool(true),
        (Some(Kind::Bool | Kind::NullableBool | Kind::Inert(_)), "false") => Value::Bool(false),
        (Some(Kind::Integer(..)), digits) => digits
            .parse::<i64>()
            .map_or_else(|_| Value::from(text.clone()), Value::from),
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod fuzzed;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::field;
    use super::*;

    const TABLE: &[Field] = &[
        field("name", Kind::Text(10)),
        field("on", Kind::Bool),
        field("count", Kind::Integer(1, 9)),
        field("list", Kind::Texts(9)),
    ];

    fn judged(form: &str) -> Option<Value> {
        let pairs = form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect();
        Body::Form(pairs).judged(TABLE).ok().map(Value::Object)
    }

    #[test]
    fn a_form_becomes_what_the_table_says() {
        assert_eq!(
            judged("name=true&on=true&count=3&list=a&list=b"),
            Some(json!({"name": "true", "on": true, "count": 3, "list": ["a", "b"]}))
        );
        for refused in ["on=yes", "count=x", "count=10", "other=1"] {
            assert_eq!(judged(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_nul_is_found_anywhere() {
        for body in [
            json!({"a": "x\0"}),
            json!({"a\0": 1}),
            json!([{"a": ["\0"]}]),
        ] {
            assert!(Body::Json(body.clone()).holds_nul(), "{body}");
        }
        assert!(!Body::Json(json!({"a": ["x", 1, null, true]})).holds_nul());
    }
}
