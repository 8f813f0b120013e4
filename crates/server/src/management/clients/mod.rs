//! Applications: `/api/v2/clients`.
//!
//! A secret is shown to tokens that may read client keys, and once to whoever made or rotated it.

mod document;
mod fields;
mod header_trust;
mod secret;

use axum::response::Response;
use http::StatusCode;
use model::{ClientId, ClientRecord, HeaderTrust};
use serde_json::{Map, Value, json};
use storage::{Page, Work};

use self::document::{merge, read, to_map, with_defaults};
use self::fields::FIELDS;
use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::paging::Paging;
use super::projection::Projection;
use super::schema::require;
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_client"),
    message: "The client does not exist",
};

const READERS: &[&str] = &[
    "read:clients",
    "read:client_keys",
    "read:client_credentials",
    "read:client_summary",
];

/// What `read:client_summary` alone shows.
const SUMMARY: &[&str] = &["client_id", "app_type", "name", "description"];

/// `GET /clients`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(READERS)?;
    let paging = Paging::read(&query)?;
    if query.is_true("is_global") {
        let global = paging.cut(vec![all_applications(&call)], |_| "");
        return Ok(paging.answer("clients", global, 1));
    }
    let all = call.store.list_clients(Page::ALL).await?.items;
    let wanted = |record: &ClientRecord| {
        let fits_type = query.get("app_type").is_none_or(|wanted| {
            let own = serde_json::to_value(record.client.app_type).unwrap_or_default();
            wanted.split(',').any(|one| own == one)
        });
        let party = query
            .get("is_first_party")
            .is_none_or(|wanted| wanted == record.client.is_first_party.to_string());
        fits_type && party
    };
    let fitting: Vec<ClientRecord> = all.into_iter().filter(wanted).collect();
    let total = fitting.len() as u64;
    let shown = paging
        .cut(fitting, |record| record.client.client_id.as_str())
        .iter()
        .map(|record| shown(&call, record))
        .collect::<Result<_, _>>()?;
    Ok(paging.answer("clients", shown, total))
}

/// `GET /clients/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(READERS)?;
    let record = find(&call, id).await?;
    let shown = Projection::read(&query).of(shown(&call, &record)?);
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /clients`.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:clients"])?;
    let sent = body.judged(FIELDS)?;
    require(&sent, &["name"])?;
    let id = ClientId::new(keys::client_id(&*call.app.entropy));
    let secret = match sent.get("client_secret").and_then(Value::as_str) {
        Some(secret) => secret::strong(secret)?.to_owned(),
        None => keys::client_secret(&*call.app.entropy),
    };
    let unsealed = ClientRecord {
        client: read(with_defaults(&id, &sent))?,
        secret_digest: [0; 32],
        secret_sealed: Vec::new(),
        header_trust: HeaderTrust::default(),
        created_at: call.now,
        updated_at: call.now,
        version: 1,
    };
    let record = secret::seal(&call, unsealed, &secret);

    let made = Value::Object(whole(&call, &record)?);
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create a client", &sent, 201, &made);
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_client(&record).await
    })
    .await?;
    change::added(added, "The client already exists.")?;
    let mut shown = with_keys(&call, made, &secret);
    shown["encrypted"] = Value::Bool(true);
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `PATCH /clients/{id}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&[
        "update:clients",
        "update:client_keys",
        "update:client_credentials",
    ])?;
    let sent = body.judged(FIELDS)?;
    secret::require_scopes(&call, &sent)?;
    let before = find(&call, id).await?;
    let mut document = to_map(&before.client)?;
    merge(&mut document, &sent);
    let mut record = ClientRecord {
        client: read(document)?,
        updated_at: call.now,
        ..before
    };
    if let Some(secret) = sent.get("client_secret").and_then(Value::as_str) {
        record = secret::seal(&call, record, secret::strong(secret)?);
    }

    save(&call, "Update a client", &Value::Object(sent), &record).await?;
    Ok(answer(StatusCode::OK, &shown(&call, &record)?))
}

/// `POST /clients/{id}/rotate-secret`.
pub(super) async fn rotate_secret(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["update:client_keys"])?;
    let before = find(&call, id).await?;
    let secret = keys::client_secret(&*call.app.entropy);
    let unsealed = ClientRecord {
        updated_at: call.now,
        ..before
    };
    let record = secret::seal(&call, unsealed, &secret);

    save(&call, "Rotate a client secret", &Value::Null, &record).await?;
    let rotated = Value::Object(whole(&call, &record)?);
    Ok(answer(StatusCode::OK, &with_keys(&call, rotated, &secret)))
}

/// `GET /portcullis/clients/{id}`: our own settings of an application.
pub(super) async fn show_own(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["read:clients"])?;
    let record = find(&call, id).await?;
    Ok(answer(StatusCode::OK, &header_trust::shown(&record)))
}

/// `PATCH /portcullis/clients/{id}`.
pub(super) async fn change_own(
    call: ManagementCall,
    Id(id): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:clients"])?;
    let sent = body.judged(header_trust::FIELDS)?;
    let before = find(&call, id).await?;
    let record = ClientRecord {
        header_trust: header_trust::changed(&before.header_trust, &sent)?,
        updated_at: call.now,
        ..before
    };

    save(
        &call,
        "Update how far a client's header is trusted",
        &Value::Object(sent),
        &record,
    )
    .await?;
    Ok(answer(StatusCode::OK, &header_trust::shown(&record)))
}

/// `DELETE /clients/{id}`: 204 also for an application that is not there.
pub(super) async fn remove(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["delete:clients"])?;
    let id = ClientId::new(id);
    let nothing = Value::Null;
    let event = audit::changed(&call, "Delete a client", &nothing, 204, &nothing);
    commit(&call, event, async move |work: &mut Work| {
        work.remove_client(&id).await
    })
    .await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn find(call: &ManagementCall, id: String) -> Result<ClientRecord, Problem> {
    let found = call.store.find_client(&ClientId::new(id)).await?;
    found.ok_or(MISSING)
}

async fn save(
    call: &ManagementCall,
    what: &str,
    sent: &Value,
    record: &ClientRecord,
) -> Result<(), Problem> {
    let after = Value::Object(whole(call, record)?);
    let event = audit::changed(call, what, sent, 200, &after);
    let row = record.clone();
    let written = commit(call, event, async move |work: &mut Work| {
        work.set_client(&row).await
    })
    .await?;
    change::written(written, MISSING)
}

/// The stand-in for "all applications", where the wire keeps their common login page: there is none.
/// It has no id, so that nothing can be written to it; the deploy CLI's export stops without it.
fn all_applications(call: &ManagementCall) -> Value {
    json!({
        "tenant": call.tenant().name,
        "global": true,
        "name": "All Applications",
        "is_first_party": true,
        "custom_login_page_on": false,
    })
}

/// As far as this token may see it.
fn shown(call: &ManagementCall, record: &ClientRecord) -> Result<Value, Problem> {
    let mut members = whole(call, record)?;
    let reads_keys = call.holds(&["read:client_keys", "read:client_credentials"]);
    if !reads_keys && !call.holds(&["read:clients", "update:clients"]) {
        members.retain(|name, _| SUMMARY.contains(&name.as_str()));
    }
    let shown = Value::Object(members);
    if reads_keys {
        return Ok(with_keys(call, shown, &secret::open(call, record)?));
    }
    Ok(shown)
}

/// The document with what the wire says of every application, without keys.
fn whole(call: &ManagementCall, record: &ClientRecord) -> Result<Map<String, Value>, Problem> {
    let mut members = to_map(&record.client)?;
    members.insert("tenant".to_owned(), Value::from(call.tenant().name.clone()));
    members.insert("callback_url_template".to_owned(), Value::Bool(false));
    Ok(members)
}

/// With its secret, and the certificates of the tenant's keys, which sign its tokens.
fn with_keys(call: &ManagementCall, mut shown: Value, secret: &str) -> Value {
    let host = call.tenant().domain.split(':').next().unwrap_or_default();
    let certificates = call
        .keys
        .iter()
        .map(|key| json!({ "cert": key.certificate_pem(), "subject": format!("/CN={host}") }));
    if let Some(members) = shown.as_object_mut() {
        members.insert("client_secret".to_owned(), Value::from(secret));
        members.insert("signing_keys".to_owned(), certificates.collect());
    }
    shown
}
