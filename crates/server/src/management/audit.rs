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
    "httpAuthorization",
    "httpCustomHeaders",
    "password_hash",
    "custom_password_hash",
];

/// A body in an event is cut to this many bytes of JSON.
const MAX_SHOWN: usize = 8 * 1024;

/// The event of a change that was made; `response` is null where the answer has no body.
pub(super) fn changed(
    call: &ManagementCall,
    description: &str,
    request: &Value,
    status: u16,
    response: &Value,
) -> LogEvent {
    let mut event = draft(&call.cx, EventType::ManagementWrite);
    event.description = description.to_owned();
    event.client_id = call.caller.client_id.clone();
    let mut asked = json!({
        "method": call.method,
        "path": bounded(&call.path),
        "body": shown(request),
        "auth": { "credentials": { "scopes": call.caller.scopes().to_string() }, "user": { "user_id": call.caller.subject } },
    });
    let query = call.query.for_event();
    if !query.is_empty() {
        asked["query"] = Value::Object(query);
    }
    let mut answered = json!({ "statusCode": status });
    if !response.is_null() {
        answered["body"] = shown(response);
    }
    event.details = Map::from_iter([
        ("request".to_owned(), asked),
        ("response".to_owned(), answered),
    ]);
    event
}

/// A body without its secrets, and without the members that would make the event large.
fn shown(value: &Value) -> Value {
    const LEFT_OUT: &str = "(left out)";
    let mut room = MAX_SHOWN;
    let mut fits = |value: &Value| match room.checked_sub(value.to_string().len()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    match censored(value) {
        Value::Object(mut members) => {
            for member in members.values_mut() {
                if !fits(member) {
                    *member = Value::from(LEFT_OUT);
                }
            }
            Value::Object(members)
        }
        other if fits(&other) => other,
        _ => Value::from(LEFT_OUT),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_at_any_depth() {
        let body =
            json!({"name": "x", "inner": [{"client_secret": "s3"}], "password": {"hash": "s3"}});
        let shown = shown(&body);
        assert_eq!(
            shown,
            json!({"name": "x", "inner": [{"client_secret": "*****"}], "password": "*****"})
        );
    }

    #[test]
    fn large_members_are_left_out_and_small_ones_stay() {
        let large: Vec<String> = vec!["x".repeat(500); 90];
        let body = json!({"large": large, "small": 1});
        assert_eq!(shown(&body), json!({"large": "(left out)", "small": 1}));
        assert_eq!(shown(&json!(large)), json!("(left out)"));
    }
}
