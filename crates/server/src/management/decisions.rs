//! Why somebody is or was refused: `/api/v2/portcullis/decisions`, `/decisions/{id}`, `/decisions/now`.
//!
//! The first two show the records in the log (`protection::decision`); an id is that of the log event. The third asks the
//! guard as an attempt would, and counts nothing. All ask for `read:logs`: they tell identifiers and addresses.

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use model::{ClientId, Identifier, LogEvent, LogId, UserId, wire_time};
use serde_json::{Map, Value, json};
use storage::DecisionFilter;

use super::authorization::ManagementCall;
use super::paging::Paging;
use super::projection::Projection;
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer};
use crate::directory::{ConnectionFacts, ConnectionName};
use crate::event_log::{address_text, bounded, unknown_name};
use crate::protection::decision::{REASONS, Whom, lifts};
use crate::protection::present::{Present, present};

const SCOPES: &[&str] = &["read:logs"];

/// `GET /portcullis/decisions`: the newest first.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    let paging = Paging::read_pages(&query)?;
    let Some(filter) = filter(&call, &query).await? else {
        return Ok(paging.answer("decisions", Vec::new(), 0));
    };
    let listed = call.store.list_decisions(&filter, paging.page()).await?;
    let shown = listed.items.iter().map(shown).collect();
    Ok(paging.answer("decisions", shown, listed.total))
}

/// `GET /portcullis/decisions/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    let found = call.store.find_event(&LogId::new(id)).await?;
    let event = found.filter(|event| event.decision().is_some());
    let event = event.ok_or(Problem::NotFound {
        code: None,
        message: "No log event with this id has a decision. Ids are those of log events.",
    })?;
    let shown = Projection::read(&query).of(shown(&event));
    Ok(answer(StatusCode::OK, &shown))
}

/// `GET /portcullis/decisions/now`.
pub(super) async fn now(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    let typed = required(&query, "identifier", "ana@example.com")?;
    let address = address(&query, "ip")?.ok_or_else(|| missing("ip", "198.51.100.7"))?;
    let connection = connection(&call, &query).await?;
    let directory = &call.app.directory;
    let client = match query.get("client_id").filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => {
            let (tenant, id) = (&call.tenant().id, ClientId::new(id));
            let found = directory.client(&call.store, tenant, &id).await?;
            Some(found.ok_or(Problem::NotFound {
                code: Some("inexistent_client"),
                message: "The application of client_id does not exist.",
            })?)
        }
    };
    let asked = Present {
        typed: bounded(typed),
        identifier: Identifier::of(typed),
        connection,
        address,
        client,
        caller: self::address(&query, "client_ip")?,
    };
    Ok(answer(StatusCode::OK, &present(&call.cx, asked).await?))
}

/// A record with what its event says beside it, and what can be done.
fn shown(event: &LogEvent) -> Value {
    let decision = event.details.get("portcullis");
    let decision = decision.and_then(|ours| ours.get("decision"));
    let mut shown = Map::from_iter([
        ("id".to_owned(), json!(event.log_id)),
        ("date".to_owned(), json!(wire_time(event.date))),
        ("type".to_owned(), json!(event.event_type.code())),
        ("description".to_owned(), json!(event.description)),
    ]);
    for (name, value) in [
        ("identifier", event.user_name.as_deref()),
        ("ip", event.ip.as_deref()),
        ("connection", event.connection.as_deref()),
        ("client_id", event.client_id.as_ref().map(ClientId::as_str)),
        ("client_name", event.client_name.as_deref()),
    ] {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(Value::Object(members)) = decision {
        shown.extend(members.clone());
    }
    let whom = Whom {
        identifier: event.user_name.as_deref(),
        user: event.user_id.as_ref().map(UserId::as_str),
        address: event.ip.as_deref(),
    };
    let reason = event.decision().unwrap_or_default();
    shown.insert("lift".to_owned(), json!(lifts(reason, &whom)));
    Value::Object(shown)
}

/// What the query asks for; none if nothing can match.
async fn filter(call: &ManagementCall, query: &Query) -> Result<Option<DecisionFilter>, Problem> {
    let given = |name: &'static str| query.get(name).filter(|text| !text.is_empty());
    let mut filter = DecisionFilter::default();
    if let Some(typed) = given("identifier") {
        filter.names = names(call, typed);
    }
    if let Some(id) = given("user_id") {
        let Some(user) = call.store.find_user(&UserId::new(id)).await? else {
            return Ok(None);
        };
        let known = user.identifiers.iter();
        let theirs = known.map(|identifier| identifier.as_str().to_owned());
        filter.names = match filter.names.as_slice() {
            [] => theirs.collect(),
            asked => theirs.filter(|name| asked.contains(name)).collect(),
        };
        if filter.names.is_empty() {
            return Ok(None);
        }
    }
    if let Some(reason) = given("reason") {
        if !REASONS.contains(&reason) {
            return Err(Problem::InvalidQuery(format!(
                "Query validation error: 'reason' is one of {}.",
                REASONS.join(", ")
            )));
        }
        filter.reason = Some(reason.to_owned());
    }
    filter.ip = address(query, "ip")?.map(address_text);
    filter.from = time(query, "from")?.map(LogId::first_of);
    filter.before = time(query, "to")?.map(LogId::first_of);
    Ok(Some(filter))
}

/// How an identifier may stand in a record: normalised, or as the tag of one that nobody has and that is no address.
fn names(call: &ManagementCall, typed: &str) -> Vec<String> {
    let identifier = Identifier::of(typed);
    let tag = unknown_name(&call.app, call.tenant().id.as_str(), &identifier);
    vec![identifier.as_str().to_owned(), tag]
}

async fn connection(call: &ManagementCall, query: &Query) -> Result<Arc<ConnectionFacts>, Problem> {
    let default = call.tenant().settings.default_directory.as_deref();
    let name = query.get("connection").filter(|name| !name.is_empty());
    let name = name
        .or(default)
        .ok_or_else(|| missing("connection", "Username-Password-Authentication"))?;
    let named = ConnectionName::Name(name.to_owned());
    let directory = &call.app.directory;
    let found = directory.connection(&call.app, &call.store, &call.tenant().id, named);
    found.await?.ok_or(Problem::NotFound {
        code: Some("inexistent_connection"),
        message: "The connection does not exist.",
    })
}

fn required<'q>(
    query: &'q Query,
    name: &'static str,
    example: &'static str,
) -> Result<&'q str, Problem> {
    let given = query.get(name).filter(|text| !text.trim().is_empty());
    given.ok_or_else(|| missing(name, example))
}

fn missing(name: &'static str, example: &'static str) -> Problem {
    Problem::InvalidQuery(format!(
        "Query validation error: 'Missing required property: {name}' (such as {name}={example})."
    ))
}

fn address(query: &Query, name: &'static str) -> Result<Option<IpAddr>, Problem> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let parsed = text.parse::<IpAddr>().map(|address| address.to_canonical());
    parsed.map(Some).map_err(|_| {
        Problem::InvalidQuery(format!(
            "Query validation error: '{name}' must be one IPv4 or IPv6 address."
        ))
    })
}

fn time(query: &Query, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Problem::InvalidQuery(format!(
            "Query validation error: '{name}' must be a time such as 2026-01-31T12:00:00Z."
        ))
    })
}
