//! How a log stream is getting on: `GET /api/v2/portcullis/log-streams` and `…/{id}`; ours.
//!
//! It stands beside the wire's object and not in it: the deploy CLI sends back all that it exported.

use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use model::wire_time;
use serde_json::{Value, json};
use storage::LogStreamRecord;

use super::super::authorization::ManagementCall;
use super::super::uri::Id;
use super::found;
use crate::answer::management::{Problem, answer};
use crate::log_streams::seconds_since;

/// The lag in events is counted up to here.
const MOST_COUNTED: u32 = 10_000;

/// `GET /portcullis/log-streams`.
pub(in super::super) async fn list(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["read:log_streams"])?;
    let mut shown = Vec::new();
    for record in call.store.list_log_streams().await? {
        shown.push(state(&call, &record).await?);
    }
    Ok(answer(StatusCode::OK, &Value::Array(shown)))
}

/// `GET /portcullis/log-streams/{id}`.
pub(in super::super) async fn show(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["read:log_streams"])?;
    let record = found(&call, id).await?;
    Ok(answer(StatusCode::OK, &state(&call, &record).await?))
}

async fn state(call: &ManagementCall, record: &LogStreamRecord) -> Result<Value, Problem> {
    let delivery = &record.delivery;
    let lag = call
        .store
        .find_log_stream_lag(&delivery.position, MOST_COUNTED)
        .await?;
    let time = |at: Option<Timestamp>| at.map(wire_time);
    let error = delivery
        .last_error
        .as_ref()
        .map(|message| json!({ "message": message, "at": time(delivery.last_error_at) }));
    Ok(json!({
        "id": record.stream.id,
        "status": record.stream.status.as_str(),
        "position": delivery.position,
        "delivered": delivery.delivered,
        "lag": {
            "events": lag.events,
            "seconds": lag.next.map_or(0, |next| seconds_since(&next, call.now)),
        },
        "failures": delivery.failures,
        "failing_since": time(delivery.failing_since),
        "next_try_at": (delivery.failures > 0).then(|| wire_time(delivery.next_try_at)),
        "last_success_at": time(delivery.last_success_at),
        "last_error": error,
    }))
}
