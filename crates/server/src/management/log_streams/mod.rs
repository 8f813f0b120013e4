//! Log streams: `/api/v2/log-streams`.
//!
//! Wire: `management-api` A.5; POST answers 200, lists are bare. The one type that is built is `http`; any other is refused
//! by name, and so is masking of personal data. The receiver's authorization and custom headers are kept sealed and given
//! back. They stay with the receiver they were given for: another origin asks for them again, else whoever may change a
//! stream but not read it could have them sent to a server of his own.

mod fields;
pub(super) mod state;

use axum::response::Response;
use http::StatusCode;
use model::{LogId, LogStreamId, LogStreamSettings, LogStreamStatus};
use serde_json::{Map, Value, json};
use storage::{LogMark, LogStreamDelivery, LogStreamRecord, Work};

use self::fields::{Sent, read};
use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::schema::{refuse_fixed, require};
use super::uri::Id;
use crate::answer::management::{Problem, answer, empty};
use crate::log_streams::{Secrets, opened, sealed};

/// Streams of one tenant; each is looked at every second.
const MOST: usize = 10;

const MISSING: Problem = Problem::NotFound {
    code: None,
    message: "The log stream does not exist.",
};

/// `GET /log-streams`.
pub(super) async fn list(call: ManagementCall) -> Result<Response, Problem> {
    call.require(&["read:log_streams"])?;
    let records = call.store.list_log_streams().await?;
    let shown: Result<Vec<Value>, Problem> = records
        .iter()
        .map(|record| Ok(shown(record, &secrets_of(&call, record)?)))
        .collect();
    Ok(answer(StatusCode::OK, &Value::Array(shown?)))
}

/// `GET /log-streams/{id}`.
pub(super) async fn show(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["read:log_streams"])?;
    let record = found(&call, id).await?;
    let secrets = secrets_of(&call, &record)?;
    Ok(answer(StatusCode::OK, &shown(&record, &secrets)))
}

/// `POST /log-streams`: 200, as on the wire.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:log_streams"])?;
    let sent = read(body)?;
    require(&sent.members, &["type", "sink"])?;
    refuse_status(&sent)?;
    let start = sent.start_from()?.unwrap_or(call.now);
    let (settings, secrets) = sent.onto(&call.app.settings.outgoing, None)?;
    if call.store.list_log_streams().await?.len() >= MOST {
        return Err(Problem::Conflict(
            "You have reached the maximum number of log streams for your account. Delete one first.",
        ));
    }
    // What is gone by now is not missed.
    let dropped = call.store.find_log_mark(LogMark::Dropped).await?;
    let position = LogId::first_of(start).max(dropped.unwrap_or_else(|| LogId::first_of(start)));
    let id = LogStreamId::new(keys::numbered_id("lst_", 16, &*call.app.entropy));
    let record = record(&call, id, LogStreamStatus::Active, settings, &secrets);
    let record = LogStreamRecord {
        delivery: LogStreamDelivery::from(position, call.now),
        ..record
    };

    let made = shown(&record, &secrets);
    let sent = Value::Object(sent.members);
    let event = audit::changed(&call, "Create a log stream", &sent, 200, &made);
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_log_stream(&record).await
    })
    .await?;
    change::added(
        added,
        "A log stream with this id exists already. Try again.",
    )?;
    Ok(answer(StatusCode::OK, &made))
}

/// `PATCH /log-streams/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:log_streams"])?;
    let sent = read(body)?;
    refuse_fixed(&sent.members, &["type", "startFrom"])?;
    let before = found(&call, id).await?;
    let secrets = secrets_of(&call, &before)?;
    let was = before.stream.status;
    let status = sent.status(was)?;
    let outgoing = &call.app.settings.outgoing;
    let (settings, secrets) = sent.onto(outgoing, Some((&before.stream.settings, &secrets)))?;
    let is_new = was != LogStreamStatus::Active || sent.members.contains_key("sink");
    let resumed_at = (status == LogStreamStatus::Active && is_new).then_some(call.now);
    let record = LogStreamRecord {
        version: before.version,
        created_at: before.created_at,
        delivery: before.delivery,
        ..record(&call, before.stream.id, status, settings, &secrets)
    };

    let after = shown(&record, &secrets);
    let sent = Value::Object(sent.members);
    let event = audit::changed(&call, "Update a log stream", &sent, 200, &after);
    let written = commit(&call, event, async move |work: &mut Work| {
        work.set_log_stream(&record, resumed_at).await
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &after))
}

/// `DELETE /log-streams/{id}`; one that is not there is gone, too.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:log_streams"])?;
    let nothing = Value::Null;
    let event = audit::changed(&call, "Delete a log stream", &nothing, 204, &nothing);
    let id = LogStreamId::new(id);
    commit(&call, event, async move |work: &mut Work| {
        work.remove_log_stream(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn found(call: &ManagementCall, id: String) -> Result<LogStreamRecord, Problem> {
    let id = LogStreamId::new(id);
    call.store.find_log_stream(&id).await?.ok_or(MISSING)
}

fn secrets_of(call: &ManagementCall, record: &LogStreamRecord) -> Result<Secrets, Problem> {
    opened(&call.app, call.tenant().id.as_str(), record).map_err(Problem::Internal)
}

fn record(
    call: &ManagementCall,
    id: LogStreamId,
    status: LogStreamStatus,
    settings: LogStreamSettings,
    secrets: &Secrets,
) -> LogStreamRecord {
    let tenant = call.tenant().id.as_str();
    LogStreamRecord {
        secrets_sealed: sealed(&call.app, tenant, id.as_str(), secrets),
        stream: model::LogStream {
            id,
            status,
            settings,
        },
        created_at: call.now,
        version: 1,
        delivery: LogStreamDelivery::from(LogId::first_of(call.now), call.now),
    }
}

/// A new stream is active; only an existing one can be stopped.
fn refuse_status(sent: &Sent) -> Result<(), Problem> {
    if sent.members.contains_key("status") {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Additional properties not allowed: status' (a new log stream is active; make it, then PATCH its status to paused)."
                .to_owned(),
        ));
    }
    Ok(())
}

/// The wire's form.
fn shown(record: &LogStreamRecord, secrets: &Secrets) -> Value {
    let settings = &record.stream.settings;
    let mut sink = Map::from_iter([
        ("httpEndpoint".to_owned(), json!(settings.endpoint)),
        (
            "httpContentFormat".to_owned(),
            json!(settings.content_format),
        ),
        ("httpContentType".to_owned(), json!(settings.content_type)),
    ]);
    if let Some(authorization) = &secrets.authorization {
        sink.insert("httpAuthorization".to_owned(), json!(authorization));
    }
    if !secrets.headers.is_empty() {
        let headers = secrets.headers.iter();
        let headers = headers.map(|(header, value)| json!({ "header": header, "value": value }));
        sink.insert("httpCustomHeaders".to_owned(), headers.collect());
    }
    let filters = settings.filters.iter();
    let filters = filters.map(|category| json!({ "type": "category", "name": category }));
    let mut members = Map::from_iter([
        ("id".to_owned(), json!(record.stream.id)),
        ("type".to_owned(), json!(fields::HTTP)),
        ("status".to_owned(), json!(record.stream.status.as_str())),
        ("sink".to_owned(), Value::Object(sink)),
        ("filters".to_owned(), filters.collect()),
        ("isPriority".to_owned(), json!(settings.is_priority)),
    ]);
    if let Some(name) = &settings.name {
        members.insert("name".to_owned(), json!(name));
    }
    Value::Object(members)
}
