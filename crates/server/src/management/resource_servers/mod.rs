//! APIs: `/api/v2/resource-servers`. An id in the path may be the API's identifier.
//!
//! The secret of an HS256 API is shown to whoever may read the API: it verifies tokens with it. Permissions come from
//! roles, which are not built: where an API enforces its policies, users get none of its scopes.

mod fields;
mod signing_secret;

use axum::response::Response;
use http::StatusCode;
use model::{ResourceServer, ResourceServerId};
use serde_json::{Map, Value, json};
use storage::{Page, ResourceServerRecord, Work};

use self::fields::{FIELDS, read};
use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::Paging;
use super::projection::Projection;
use super::schema::{refuse_fixed, require};
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_resource_server"),
    message: "The resource server does not exist",
};

/// All that can be changed of the Management API itself (auth0-wire-facts §8.3).
const LIFETIMES: [&str; 2] = ["token_lifetime", "token_lifetime_for_web"];

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
        (
            paging.cut(all, |record| record.resource_server.id.as_str()),
            total,
        )
    };
    let shown = items
        .iter()
        .map(|record| shown(&call, record))
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
    let shown = Projection::read(&query).of(shown(&call, &record)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /resource-servers`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:resource_servers"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["identifier"])?;
    let mut document = defaults(keys::hex24(&*call.app.entropy));
    document.extend(sent.clone());
    document.remove("signing_secret");
    let server = read(document)?;
    let secret = fields::secret(&sent, server.signing_alg)?;
    let record = ResourceServerRecord {
        signing_secret_sealed: signing_secret::sealed(&call, &server, secret, None),
        resource_server: server,
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };

    let made = shown(&call, &record)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create a resource server", &sent, 201, &made);
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_resource_server(&record).await
    })
    .await?;
    change::added(
        added,
        "A resource server with the same identifier already exists.",
    )?;
    Ok(answer(StatusCode::CREATED, &made))
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
    let is_lifetime = |name: &String| LIFETIMES.contains(&name.as_str());
    if before.resource_server.is_system && !sent.keys().all(is_lifetime) {
        return Err(Problem::NotSupported(
            "System resource servers cannot be changed, but for token_lifetime and token_lifetime_for_web.".to_owned(),
        ));
    }
    let mut document = to_map(&before.resource_server)?;
    document.extend(sent.clone());
    document.remove("signing_secret");
    let server = read(document)?;
    let secret = fields::secret(&sent, server.signing_alg)?;
    let kept = before.signing_secret_sealed;
    let record = ResourceServerRecord {
        signing_secret_sealed: signing_secret::sealed(&call, &server, secret, kept),
        resource_server: server,
        updated_at: call.now,
        ..before
    };

    let after = shown(&call, &record)?;
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Update a resource server", &sent, 200, &after);
    let written = commit(&call, event, async move |work: &mut Work| {
        work.set_resource_server(&record).await
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &after))
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

fn defaults(id: String) -> Map<String, Value> {
    Map::from_iter([
        ("id".to_owned(), Value::from(id)),
        ("is_system".to_owned(), json!(false)),
        ("allow_offline_access".to_owned(), json!(false)),
        (
            "skip_consent_for_verifiable_first_party_clients".to_owned(),
            json!(false),
        ),
        ("token_lifetime".to_owned(), json!(86_400)),
        ("token_lifetime_for_web".to_owned(), json!(7_200)),
        ("signing_alg".to_owned(), json!("RS256")),
    ])
}

/// The document with the secret of an HS256 API.
fn shown(call: &ManagementCall, record: &ResourceServerRecord) -> Result<Value, Problem> {
    let mut members = to_map(&record.resource_server)?;
    if let Some(secret) = signing_secret::open(call, record)? {
        members.insert("signing_secret".to_owned(), Value::from(secret));
    }
    Ok(Value::Object(members))
}

fn to_map(server: &ResourceServer) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(server) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Internal("an API is not an object".to_owned())),
    }
}
