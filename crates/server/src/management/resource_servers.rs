//! APIs: `/api/v2/resource-servers`. An id in the path may be the API's identifier.
//!
//! HS256 and role-based access control are not enforced yet, so both are refused.

use axum::response::Response;
use http::StatusCode;
use model::{ResourceServer, ResourceServerId};
use serde_json::{Map, Value, json};
use storage::{Page, ResourceServerRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::Paging;
use super::projection::Projection;
use super::schema::{Field, Kind, field, refuse_fixed, require};
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_resource_server"),
    message: "The resource server does not exist",
};

const FIELDS: &[Field] = &[
    field("identifier", Kind::Text(600)),
    field("name", Kind::Text(200)),
    field(
        "scopes",
        Kind::Objects(&[
            field("value", Kind::Text(280)),
            field("description", Kind::NullableText(500)),
        ]),
    ),
    field("signing_alg", Kind::OneOf(&["RS256"])),
    field("allow_offline_access", Kind::Bool),
    field(
        "skip_consent_for_verifiable_first_party_clients",
        Kind::Bool,
    ),
    field("token_lifetime", Kind::Integer(1, 2_592_000)),
    field("token_lifetime_for_web", Kind::Integer(1, 2_592_000)),
    field(
        "token_dialect",
        Kind::OneOf(&["access_token", "rfc9068_profile"]),
    ),
    field("enforce_policies", Kind::Inert(&[])),
    field("token_encryption", Kind::Inert(&[])),
    field("consent_policy", Kind::Inert(&["standard"])),
    field("authorization_details", Kind::Inert(&[])),
    field("proof_of_possession", Kind::Inert(&[])),
    field(
        "subject_type_authorization",
        Kind::Object(&[
            field(
                "user",
                Kind::Object(&[field("policy", Kind::OneOf(&["allow_all"]))]),
            ),
            field(
                "client",
                Kind::Object(&[field("policy", Kind::OneOf(&["require_client_grant"]))]),
            ),
        ]),
    ),
];

/// `GET /resource-servers`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:resource_servers"])?;
    let paging = Paging::read(&query)?;
    let wanted: Vec<&str> = query.all("identifiers").collect();
    let (items, total) = if wanted.is_empty() {
        let listed = call.store.list_resource_servers(paging.page()).await?;
        (listed.items, listed.total)
    } else {
        let mut all = call.store.list_resource_servers(Page::ALL).await?.items;
        all.retain(|record| wanted.contains(&record.resource_server.identifier.as_str()));
        let total = all.len() as u64;
        (paging.cut(all), total)
    };
    let shown = items
        .iter()
        .map(|record| wire(&record.resource_server))
        .collect::<Result<_, _>>()?;
    Ok(paging.answer("resource_servers", shown, total))
}

/// `GET /resource-servers/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:resource_servers"])?;
    let record = find(&call, &id).await?.ok_or(MISSING)?;
    let shown = Projection::read(&query).of(wire(&record.resource_server)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /resource-servers`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:resource_servers"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["identifier"])?;
    if sent.get("identifier") == Some(&json!("")) {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'String is too short' on property identifier (send 1 to 600 characters).".to_owned(),
        ));
    }
    let mut document = json!({
        "id": keys::hex24(&*call.app.entropy),
        "is_system": false,
        "allow_offline_access": false,
        "skip_consent_for_verifiable_first_party_clients": false,
        "token_lifetime": 86_400,
        "token_lifetime_for_web": 7_200,
        "signing_alg": "RS256",
        "subject_type_authorization": { "user": { "policy": "allow_all" }, "client": { "policy": "require_client_grant" } },
    });
    lay_over(&mut document, &sent);
    let record = ResourceServerRecord {
        resource_server: read(document)?,
        signing_secret_sealed: None,
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };

    let shown = wire(&record.resource_server)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create a resource server", &sent, 201, &shown);
    let row = record;
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_resource_server(&row).await
    })
    .await?;
    change::added(
        added,
        "A resource server with the same identifier already exists.",
    )?;
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `PATCH /resource-servers/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:resource_servers"])?;
    let sent = body.judged(FIELDS)?;
    refuse_fixed(&sent, &["identifier"])?;
    let before = find(&call, &id).await?.ok_or(MISSING)?;
    if before.resource_server.is_system {
        return Err(Problem::NotSupported(
            "System resource servers cannot be changed.".to_owned(),
        ));
    }
    let mut document = wire(&before.resource_server)?;
    lay_over(&mut document, &sent);
    let record = ResourceServerRecord {
        resource_server: read(document)?,
        updated_at: call.now,
        ..before
    };

    let shown = wire(&record.resource_server)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Update a resource server", &sent, 200, &shown);
    let row = record;
    let written = commit(&call, event, async move |work: &mut Work| {
        work.set_resource_server(&row).await
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &shown))
}

/// `DELETE /resource-servers/{id}`.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:resource_servers"])?;
    let Some(record) = find(&call, &id).await? else {
        return Ok(empty(StatusCode::NO_CONTENT));
    };
    if record.resource_server.is_system {
        return Err(Problem::NotSupported(
            "System resource servers cannot be deleted.".to_owned(),
        ));
    }
    let nothing = Value::Null;
    let event = audit::changed(&call, "Delete a resource server", &nothing, 204, &nothing);
    let id = record.resource_server.id;
    commit(&call, event, async move |work: &mut Work| {
        work.remove_resource_server(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn find(call: &ManagementCall, id: &str) -> Result<Option<ResourceServerRecord>, Problem> {
    match call
        .store
        .find_resource_server(&ResourceServerId::new(id))
        .await?
    {
        Some(record) => Ok(Some(record)),
        None => Ok(call.store.find_resource_server_by_identifier(id).await?),
    }
}

fn lay_over(document: &mut Value, sent: &Map<String, Value>) {
    if let Some(members) = document.as_object_mut() {
        members.extend(sent.clone());
    }
}

fn read(document: Value) -> Result<ResourceServer, Problem> {
    serde_json::from_value(document)
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))
}

fn wire(server: &ResourceServer) -> Result<Value, Problem> {
    serde_json::to_value(server).map_err(|error| Problem::Internal(error.to_string()))
}
