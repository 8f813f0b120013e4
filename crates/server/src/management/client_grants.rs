//! Client grants: `/api/v2/client-grants`, for applications themselves and for their users.

use axum::response::Response;
use http::StatusCode;
use model::{ClientGrant, ClientGrantId, ClientId, SubjectType};
use serde_json::{Map, Value};
use storage::{GrantFilter, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::Paging;
use super::schema::{Field, Kind, field, refuse_fixed, require};
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_client_grant"),
    message: "The grant does not exist.",
};

const FIELDS: &[Field] = &[
    field("client_id", Kind::Text(64)),
    field("audience", Kind::Text(600)),
    field("scope", Kind::Texts(1_000)),
    field("subject_type", Kind::OneOf(&["client", "user"])),
    field("organization_usage", Kind::Inert(&["deny"])),
    field("allow_any_organization", Kind::Inert(&[])),
    field("authorization_details_types", Kind::Inert(&[])),
    field("allow_all_scopes", Kind::NullableBool),
];

/// `GET /client-grants`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:client_grants"])?;
    let paging = Paging::read(&query)?;
    let filter = GrantFilter {
        client_id: query.get("client_id").map(ClientId::new),
        audience: query.get("audience").map(str::to_owned),
        subject_type: query.get("subject_type").map(subject_type).transpose()?,
    };
    let listed = call
        .store
        .list_client_grants(paging.page(), &filter)
        .await?;
    let shown = listed.items.iter().map(wire).collect::<Result<_, _>>()?;
    Ok(paging.answer("client_grants", shown, listed.total))
}

/// `GET /client-grants/{id}`.
pub(super) async fn show(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["read:client_grants"])?;
    let grant = call
        .store
        .find_client_grant(&ClientGrantId::new(id))
        .await?
        .ok_or(MISSING)?;
    Ok(answer(StatusCode::OK, &wire(&grant)?))
}

/// `POST /client-grants`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:client_grants"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["client_id", "audience"])?;
    let text = |name: &str| {
        sent.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (client_id, audience) = (ClientId::new(text("client_id")), text("audience"));
    if call.store.find_client(&client_id).await?.is_none() {
        return Err(Problem::NotFound {
            code: Some("inexistent_client"),
            message: "The client does not exist",
        });
    }
    if call
        .store
        .find_resource_server_by_identifier(&audience)
        .await?
        .is_none()
    {
        return Err(Problem::NotFound {
            code: Some("inexistent_resource_server"),
            message: "The resource server does not exist",
        });
    }
    let grant = ClientGrant {
        id: ClientGrantId::new(keys::prefixed_id("cgr_", 16, &*call.app.entropy)),
        client_id,
        audience,
        scope: scopes(&sent),
        allow_all_scopes: is_true(&sent, "allow_all_scopes"),
        subject_type: match sent.get("subject_type").and_then(Value::as_str) {
            Some(word) => subject_type(word)?,
            None => SubjectType::default(),
        },
        rest: Map::new(),
    };

    let shown = wire(&grant)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create client grant", &sent, 201, &shown);
    let row = grant;
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_client_grant(&row).await
    })
    .await?;
    change::added(
        added,
        "A resource server with the same identifier and client already has a grant.",
    )?;
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `PATCH /client-grants/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:client_grants"])?;
    let sent = body.judged(FIELDS)?;
    refuse_fixed(&sent, &["client_id", "audience", "subject_type"])?;
    let mut grant = call
        .store
        .find_client_grant(&ClientGrantId::new(id))
        .await?
        .ok_or(MISSING)?;
    if sent.contains_key("scope") {
        grant.scope = scopes(&sent);
    }
    if sent.contains_key("allow_all_scopes") {
        grant.allow_all_scopes = is_true(&sent, "allow_all_scopes");
    }

    let shown = wire(&grant)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Update client grant", &sent, 200, &shown);
    let row = grant;
    let found = commit(&call, event, async move |work: &mut Work| {
        work.set_client_grant(&row).await
    })
    .await?;
    if found {
        Ok(answer(StatusCode::OK, &shown))
    } else {
        Err(MISSING)
    }
}

/// `DELETE /client-grants/{id}`.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:client_grants"])?;
    let id = ClientGrantId::new(id);
    let event = audit::changed(
        &call,
        "Delete client grant",
        &Value::Null,
        204,
        &Value::Null,
    );
    commit(&call, event, async move |work: &mut Work| {
        work.remove_client_grant(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn subject_type(word: &str) -> Result<SubjectType, Problem> {
    match word {
        "client" => Ok(SubjectType::Client),
        "user" => Ok(SubjectType::User),
        _ => Err(Problem::InvalidQuery(
            "Query validation error: 'subject_type' is client or user.".to_owned(),
        )),
    }
}

fn is_true(sent: &Map<String, Value>, name: &str) -> bool {
    sent.get(name) == Some(&Value::Bool(true))
}

fn scopes(sent: &Map<String, Value>) -> Vec<String> {
    let listed = sent
        .get("scope")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    listed
        .filter_map(|scope| scope.as_str().map(str::to_owned))
        .collect()
}

fn wire(grant: &ClientGrant) -> Result<Value, Problem> {
    serde_json::to_value(grant).map_err(|error| Problem::Internal(error.to_string()))
}
