//! The event of a change (`sapi`): who did what, and what came of it, without secrets.

use model::{EventType, LogEvent};
use serde_json::{Map, Value, json};

use super::authorization::ManagementCall;
use crate::event_log::{bounded, draft};

/// Members that never reach a log.
const SECRETS: &[&str] = &[
    "password",
    "client_secret",
    "signing_secret",
    "smtp_pass",
    "password_hash",
    "custom_password_hash",
];

/// The event of a change that was made.
pub(super) fn changed(
    call: &ManagementCall,
    description: &str,
    request: &Value,
    status: u16,
) -> LogEvent {
    let mut event = draft(&call.cx, EventType::ManagementWrite);
    event.description = description.to_owned();
    event.client_id = call.caller.client_id.clone();
    event.details = Map::from_iter([
        (
            "request".to_owned(),
            json!({
                "method": call.method,
                "path": bounded(&call.path),
                "body": censored(request),
                "auth": { "credentials": { "scopes": call.caller.scopes().to_string() }, "user": { "user_id": call.caller.subject } },
            }),
        ),
        ("response".to_owned(), json!({ "statusCode": status })),
    ]);
    event
}

fn censored(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let shown = if SECRETS.contains(&name.as_str()) {
                        Value::from("*****")
                    } else {
                        censored(value)
                    };
                    (bounded(name), shown)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().take(100).map(censored).collect()),
        Value::String(text) => Value::String(bounded(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
