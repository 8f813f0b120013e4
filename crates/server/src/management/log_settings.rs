//! Our own setting of the log: `/api/v2/portcullis/logs`, how long events are kept.
//!
//! The sweep acts on it within a minute (`log_retention`); what it drops comes back from a backup or an export only.

use axum::response::Response;
use http::StatusCode;
use model::LogSettings;
use serde_json::{Value, json};

use super::authorization::ManagementCall;
use super::body::Body;
use super::schema::{Field, Kind, field};
use super::tenant_row::{change_tenant, present};
use crate::answer::management::{Problem, answer};

const FIELDS: &[Field] = &[field(
    "retention_days",
    Kind::Integer(
        *LogSettings::RETENTION_DAYS.start() as i64,
        *LogSettings::RETENTION_DAYS.end() as i64,
    ),
)];

/// `GET /portcullis/logs`.
pub(super) async fn show(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["read:tenant_settings"])?;
    Ok(answer(StatusCode::OK, &wire(&present(&call).await?.logs)))
}

/// `PATCH /portcullis/logs`: answers the whole object.
pub(super) async fn change(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["update:tenant_settings"])?;
    let sent = body.judged(FIELDS)?;
    let days = sent.get("retention_days").and_then(Value::as_u64);
    let days = days.and_then(|days| u32::try_from(days).ok());

    let what = "Update log settings";
    let shown = change_tenant(&call, what, &Value::Object(sent), |tenant| {
        if let Some(days) = days {
            tenant.logs.retention_days = days;
        }
        Ok(wire(&tenant.logs))
    })
    .await?;
    Ok(answer(StatusCode::OK, &shown))
}

fn wire(settings: &LogSettings) -> Value {
    json!({ "retention_days": settings.retention_days })
}
