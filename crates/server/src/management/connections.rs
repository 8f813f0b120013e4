//! Directories: `/api/v2/connections`, of the database strategy alone.
//!
//! Options that are sent replace the old ones whole, as documented; what is left out then has its default, and the default
//! is protected.

use axum::response::Response;
use http::StatusCode;
use model::{ClientId, Connection, ConnectionId, DATABASE_STRATEGY, LogEvent, wire_time};
use protocol::UsernameRule;
use serde_json::{Map, Value, json};
use storage::{ConnectionFilter, ConnectionRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::Paging;
use super::projection::Projection;
use super::schema::{Field, Kind, field, judge, refuse_fixed, require};
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_connection"),
    message: "The connection does not exist",
};

const OPTIONS: &[Field] = &[
    field("brute_force_protection", Kind::Bool),
    field("requires_username", Kind::Bool),
    field(
        "passwordPolicy",
        Kind::NullableOneOf(&["none", "low", "fair", "good", "excellent"]),
    ),
    field(
        "password_complexity_options",
        Kind::Object(&[field("min_length", Kind::Integer(1, 128))]),
    ),
    field("strategy_version", Kind::Integer(2, 2)),
    field("disable_signup", Kind::Bool),
    field("disable_self_service_change_password", Kind::Bool),
    field(
        "mfa",
        Kind::Object(&[
            field("active", Kind::Bool),
            field("return_enroll_settings", Kind::Bool),
        ]),
    ),
    field(
        "authentication_methods",
        Kind::Object(&[
            field(
                "password",
                Kind::Object(&[
                    field("enabled", Kind::OnlyTrue),
                    field("api_behavior", Kind::OneOf(&["required"])),
                ]),
            ),
            field(
                "passkey",
                Kind::Object(&[field("enabled", Kind::Inert(&[]))]),
            ),
        ]),
    ),
    field("passkey_options", Kind::AnyObject),
    field(
        "validation",
        Kind::Object(&[field(
            "username",
            Kind::Object(&[
                field("min", Kind::Integer(1, 128)),
                field("max", Kind::Integer(1, 128)),
            ]),
        )]),
    ),
    field("import_mode", Kind::Inert(&[])),
    field("enabledDatabaseCustomization", Kind::Inert(&[])),
    field("customScripts", Kind::Inert(&[])),
    field("configuration", Kind::Inert(&[])),
    field(
        "password_history",
        Kind::Object(&[
            field("enable", Kind::Bool),
            field("size", Kind::Integer(1, 24)),
        ]),
    ),
    field(
        "password_no_personal_info",
        Kind::Object(&[field("enable", Kind::Bool)]),
    ),
    field(
        "password_dictionary",
        Kind::Object(&[
            field("enable", Kind::Bool),
            field("dictionary", Kind::Texts(200)),
        ]),
    ),
    field("attributes", Kind::Inert(&[])),
    field("upstream_params", Kind::AnyObject),
    field("non_persistent_attrs", Kind::Texts(100)),
];

const FIELDS: &[Field] = &[
    field("name", Kind::Text(128)),
    field("strategy", Kind::OneOf(&[DATABASE_STRATEGY])),
    field("display_name", Kind::Text(128)),
    field("options", Kind::Object(OPTIONS)),
    field("enabled_clients", Kind::Texts(10_000)),
    field("is_domain_connection", Kind::Inert(&[])),
    field("realms", Kind::Texts(10)),
    field("metadata", Kind::AnyObject),
    field("authentication", Kind::AnyObject),
    field("connected_accounts", Kind::AnyObject),
    field("show_as_button", Kind::Bool),
];

const ENABLED: &[Field] = &[
    field("client_id", Kind::Text(64)),
    field("status", Kind::Bool),
];

/// `GET /connections`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:connections"])?;
    let paging = Paging::read(&query)?;
    // There is one strategy: a list of others finds nothing, a list with it among them finds all.
    let mut strategies = query.all("strategy").peekable();
    let first = strategies.peek().map(|strategy| (*strategy).to_owned());
    let strategy = strategies
        .find(|strategy| *strategy == DATABASE_STRATEGY)
        .map(str::to_owned)
        .or(first);
    let filter = ConnectionFilter {
        strategy,
        name: query.get("name").map(str::to_owned),
    };
    let listed = call.store.list_connections(paging.page(), &filter).await?;
    let shown = listed
        .items
        .iter()
        .map(|record| wire(&record.connection))
        .collect::<Result<_, _>>()?;
    Ok(paging.answer("connections", shown, listed.total))
}

/// `GET /connections/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:connections"])?;
    let record = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    let shown = Projection::read(&query).of(wire(&record.connection)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /connections`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:connections"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["name", "strategy"])?;
    judge_options(&sent)?;
    let name = sent.get("name").and_then(Value::as_str).unwrap_or_default();
    if !is_name(name) {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'String does not match pattern' on property name (letters, digits and single \
             hyphens between them).".to_owned(),
        ));
    }
    let mut document = json!({
        "id": keys::prefixed_id("con_", 16, &*call.app.entropy),
        "options": {
            "mfa": { "active": true, "return_enroll_settings": true },
            "passwordPolicy": "good",
            "strategy_version": 2,
            "authentication_methods": {
                "password": { "enabled": true, "api_behavior": "required" },
                "passkey": { "enabled": false },
            },
            "passkey_options": {
                "challenge_ui": "both",
                "progressive_enrollment_enabled": true,
                "local_enrollment_enabled": true,
            },
            "brute_force_protection": true,
        },
        "is_domain_connection": false,
        "realms": [name],
        "enabled_clients": [],
    });
    if let (Some(Value::Object(options)), Some(Value::Object(sent))) =
        (document.get_mut("options"), sent.get("options"))
    {
        options.extend(sent.clone());
    }
    lay_over(
        &mut document,
        sent.iter().filter(|(name, _)| *name != "options"),
    );
    let record = ConnectionRecord {
        connection: read(document)?,
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };

    let shown = wire(&record.connection)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create a connection", &sent, 201, &shown);
    let row = record;
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_connection(&row).await
    })
    .await?;
    change::added(added, "A connection with the same name already exists")?;
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `PATCH /connections/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:connections"])?;
    let sent = body.judged(FIELDS)?;
    refuse_fixed(&sent, &["name", "strategy"])?;
    judge_options(&sent)?;
    let before = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    let mut document = wire(&before.connection)?;
    lay_over(&mut document, sent.iter());
    let record = ConnectionRecord {
        connection: read(document)?,
        updated_at: call.now,
        ..before
    };

    let shown = wire(&record.connection)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Update a connection", &sent, 200, &shown);
    save(&call, event, record).await?;
    Ok(answer(StatusCode::OK, &shown))
}

/// `DELETE /connections/{id}`: 202 with the time; its users go with it.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:connections"])?;
    let id = ConnectionId::new(id);
    let shown = json!({ "deleted_at": wire_time(call.now) });
    let event = audit::changed(&call, "Delete a connection", &Value::Null, 202, &shown);
    let found = commit(&call, event, async move |work: &mut Work| {
        work.remove_connection(&id).await
    })
    .await?;
    if found {
        Ok(answer(StatusCode::ACCEPTED, &shown))
    } else {
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

/// `GET /connections/{id}/clients`.
pub(super) async fn list_clients(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["read:connections"])?;
    let record = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    let clients: Vec<Value> = record
        .connection
        .enabled_clients
        .iter()
        .map(|id| json!({ "client_id": id }))
        .collect();
    Ok(answer(StatusCode::OK, &json!({ "clients": clients })))
}

/// `PATCH /connections/{id}/clients`: a list of `{client_id, status}`.
pub(super) async fn enable_clients(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:connections"])?;
    let Body::Json(Value::Array(sent)) = body else {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Expected type array' (send a list of client_id and status)."
                .to_owned(),
        ));
    };
    let mut switches = Vec::with_capacity(sent.len());
    for entry in &sent {
        switches.push(switch(entry)?);
    }
    let mut record = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    record.updated_at = call.now;
    let enabled = &mut record.connection.enabled_clients;
    for (client, status) in switches {
        enabled.retain(|known| *known != client);
        if status {
            enabled.push(client);
        }
    }

    let what = "Update enabled clients for a connection";
    let event = audit::changed(&call, what, &Value::Array(sent), 204, &Value::Null);
    save(&call, event, record).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// One `{client_id, status}`.
fn switch(entry: &Value) -> Result<(ClientId, bool), Problem> {
    let entry = entry.as_object().cloned().unwrap_or_default();
    judge(ENABLED, &entry)?;
    require(&entry, &["client_id", "status"])?;
    let client = entry.get("client_id").and_then(Value::as_str);
    Ok((
        ClientId::new(client.unwrap_or_default()),
        entry.get("status") == Some(&Value::Bool(true)),
    ))
}

async fn save(
    call: &ManagementCall,
    event: LogEvent,
    record: ConnectionRecord,
) -> Result<(), Problem> {
    let written = commit(call, event, async move |work: &mut Work| {
        work.set_connection(&record).await
    })
    .await?;
    change::written(written, MISSING)
}

/// What spans fields, and what a table does not bound.
fn judge_options(sent: &Map<String, Value>) -> Result<(), Problem> {
    const LONGEST_WORD: usize = 50;
    let options = sent.get("options").unwrap_or(&Value::Null);
    let words = options["password_dictionary"]["dictionary"].as_array();
    let is_long = |word: &Value| {
        word.as_str()
            .is_some_and(|word| word.chars().count() > LONGEST_WORD)
    };
    if words.is_some_and(|words| words.iter().any(is_long)) {
        return Err(Problem::InvalidBody(format!(
            "Payload validation error: 'String is too long' on property options.password_dictionary.dictionary (send words of at most {LONGEST_WORD} characters)."
        )));
    }
    let username = &options["validation"]["username"];
    let (min, max) = (username["min"].as_u64(), username["max"].as_u64());
    let default = UsernameRule::default();
    if !username.is_null() && min.unwrap_or(default.min) > max.unwrap_or(default.max) {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'min is greater than max' on property options.validation.username (send a min that is not greater; max is 15 where it is left out).".to_owned(),
        ));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '-';
    name.chars().all(fits)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
        && !name.is_empty()
}

fn lay_over<'a>(document: &mut Value, sent: impl Iterator<Item = (&'a String, &'a Value)>) {
    if let Some(members) = document.as_object_mut() {
        members.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    }
}

fn read(document: Value) -> Result<Connection, Problem> {
    serde_json::from_value(document)
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))
}

fn wire(connection: &Connection) -> Result<Value, Problem> {
    serde_json::to_value(connection).map_err(|error| Problem::Internal(error.to_string()))
}
