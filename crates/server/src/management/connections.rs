//! Directories: `/api/v2/connections`, of the database strategy alone.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use model::{ClientId, Connection, ConnectionId, DATABASE_STRATEGY, wire_time};
use serde_json::{Map, Value, json};
use storage::{ConnectionFilter, ConnectionRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::{Paging, Query};
use super::schema::{Field, Kind, field, judge, require};
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
                    field("enabled", Kind::Bool),
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
    field("validation", Kind::AnyObject),
    field("import_mode", Kind::Inert(&[])),
    field("enabledDatabaseCustomization", Kind::Inert(&[])),
    field("customScripts", Kind::Inert(&[])),
    field("configuration", Kind::Inert(&[])),
    field(
        "password_history",
        Kind::Object(&[
            field("enable", Kind::Inert(&[])),
            field("size", Kind::Integer(0, 24)),
        ]),
    ),
    field(
        "password_no_personal_info",
        Kind::Object(&[field("enable", Kind::Inert(&[]))]),
    ),
    field(
        "password_dictionary",
        Kind::Object(&[
            field("enable", Kind::Inert(&[])),
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

/// `GET /connections`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:connections"])?;
    let paging = Paging::read(&query)?;
    let filter = ConnectionFilter {
        strategy: query.get("strategy").cloned(),
        name: query.get("name").cloned(),
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
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:connections"])?;
    let record = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    Ok(answer(
        StatusCode::OK,
        &Paging::read(&query)?.project(wire(&record.connection)?),
    ))
}

/// `POST /connections`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:connections"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    require(&sent, &["name", "strategy"])?;
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
    lay_over(&mut document, &sent);
    let record = ConnectionRecord {
        connection: read(document)?,
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };

    let event = audit::changed(&call, "Create a connection", &Value::Object(sent), 201);
    let row = record.clone();
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_connection(&row).await
    })
    .await?;
    change::added(added, "A connection with the same name already exists")?;
    Ok(answer(StatusCode::CREATED, &wire(&record.connection)?))
}

/// `PATCH /connections/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:connections"])?;
    let sent = body.object()?;
    judge(FIELDS, &sent)?;
    if let Some(fixed) = ["name", "strategy"]
        .iter()
        .find(|name| sent.contains_key(**name))
    {
        return Err(Problem::InvalidBody(format!(
            "Payload validation error: 'Additional properties not allowed: {fixed}'."
        )));
    }
    let before = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    let mut document = wire(&before.connection)?;
    lay_over(&mut document, &sent);
    let record = ConnectionRecord {
        connection: read(document)?,
        updated_at: call.now,
        ..before
    };

    save(
        &call,
        "Update a connection",
        &Value::Object(sent),
        &record,
        200,
    )
    .await?;
    Ok(answer(StatusCode::OK, &wire(&record.connection)?))
}

/// `DELETE /connections/{id}`: 202 with the time; its users go with it.
pub(super) async fn remove(
    call: ManagementCall,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    call.require(&["delete:connections"])?;
    let id = ConnectionId::new(id);
    let event = audit::changed(&call, "Delete a connection", &Value::Null, 202);
    let found = commit(&call, event, async move |work: &mut Work| {
        work.remove_connection(&id).await
    })
    .await?;
    if found {
        Ok(answer(
            StatusCode::ACCEPTED,
            &json!({ "deleted_at": wire_time(call.now) }),
        ))
    } else {
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

/// `GET /connections/{id}/clients`.
pub(super) async fn list_clients(
    call: ManagementCall,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
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
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:connections"])?;
    let Value::Array(sent) = &body.0 else {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Expected type array' (a list of client_id and status)."
                .to_owned(),
        ));
    };
    let before = call
        .store
        .find_connection(&ConnectionId::new(id))
        .await?
        .ok_or(MISSING)?;
    let mut record = ConnectionRecord {
        updated_at: call.now,
        ..before
    };
    for entry in sent {
        let (client, status) = (
            entry.get("client_id").and_then(Value::as_str),
            entry.get("status").and_then(Value::as_bool),
        );
        let (Some(client), Some(status)) = (client, status) else {
            return Err(Problem::InvalidBody(
                "Payload validation error: 'Expected client_id and status (true or false)' in every entry.".to_owned(),
            ));
        };
        let client = ClientId::new(client);
        record
            .connection
            .enabled_clients
            .retain(|known| *known != client);
        if status {
            record.connection.enabled_clients.push(client);
        }
    }

    save(
        &call,
        "Update enabled clients for a connection",
        &body.0,
        &record,
        204,
    )
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn save(
    call: &ManagementCall,
    what: &str,
    sent: &Value,
    record: &ConnectionRecord,
    status: u16,
) -> Result<(), Problem> {
    let event = audit::changed(call, what, sent, status);
    let row = record.clone();
    let written = commit(call, event, async move |work: &mut Work| {
        work.set_connection(&row).await
    })
    .await?;
    change::written(written, MISSING)
}

fn is_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '-';
    name.chars().all(fits)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
        && !name.is_empty()
}

fn lay_over(document: &mut Value, sent: &Map<String, Value>) {
    let Some(members) = document.as_object_mut() else {
        return;
    };
    for (name, value) in sent {
        match (name.as_str(), value, members.get_mut(name)) {
            ("options", Value::Object(new), Some(Value::Object(old))) => old.extend(new.clone()),
            _ => {
                members.insert(name.clone(), value.clone());
            }
        }
    }
}

fn read(document: Value) -> Result<Connection, Problem> {
    serde_json::from_value(document)
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))
}

fn wire(connection: &Connection) -> Result<Value, Problem> {
    serde_json::to_value(connection).map_err(|error| Problem::Internal(error.to_string()))
}
