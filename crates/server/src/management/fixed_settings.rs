//! Settings of what is not built: they can be read, and written as they are, so that an export can be imported again.
//!
//! Any other value is refused by name. Nothing is stored, and no event is written, as nothing changes. A valid token is
//! enough: these are the same for every tenant.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::authorization::ManagementCall;
use super::body::Body;
use crate::answer::management::{Problem, answer};
use crate::app::App;
use crate::event_log::bounded;

/// A route for each of them.
pub(super) fn routes() -> Router<Arc<App>> {
    ALL.iter().fold(Router::new(), |routes, (path, settings)| {
        let write = move |_: ManagementCall, body: Body| async move { keep(&settings(), body) };
        routes.route(
            path,
            get(move |_: ManagementCall| async move { answer(StatusCode::OK, &settings()) })
                .patch(write)
                .put(write),
        )
    })
}

/// The document as it always is.
type Settings = fn() -> Value;

const ALL: &[(&str, Settings)] = &[
    // No second factor is ever asked for.
    ("/guardian/policies", || json!([])),
    ("/prompts", || {
        json!({
            "universal_login_experience": "new",
            "identifier_first": false,
            "webauthn_platform_first_factor": false,
        })
    }),
    ("/risk-assessments/settings", || json!({ "enabled": false })),
    (
        "/risk-assessments/settings/new-device",
        || json!({ "remember_for": 0 }),
    ),
    (
        "/supplemental-signals",
        || json!({ "akamai_enabled": false }),
    ),
];

/// Accepts what changes nothing.
fn keep(settings: &Value, body: Body) -> Result<Response, Problem> {
    match body {
        Body::Json(sent) if sent == *settings => {}
        Body::Json(Value::Object(sent)) if settings.is_object() => {
            refuse_changes("", settings, &sent)?;
        }
        _ => {
            return Err(Problem::InvalidBody(format!(
                "Payload validation error: 'Value is not supported' (this server does not enforce it; send {settings})."
            )));
        }
    }
    Ok(answer(StatusCode::OK, settings))
}

/// What is not enforced can only be set to what it is.
pub(super) fn refuse_changes(
    path: &str,
    settings: &Value,
    sent: &Map<String, Value>,
) -> Result<(), Problem> {
    for (name, value) in sent {
        let place = format!("{path}{name}");
        match (settings.get(name), value) {
            (Some(present @ Value::Object(_)), Value::Object(inner)) => {
                refuse_changes(&format!("{place}."), present, inner)?;
            }
            (Some(present), value) if present == value => {}
            (None, Value::Null) => {}
            _ => {
                return Err(Problem::InvalidBody(format!(
                    "Payload validation error: 'Value is not supported' on property {} (this server does not enforce it; leave it as it is).",
                    bounded(&place)
                )));
            }
        }
    }
    Ok(())
}
