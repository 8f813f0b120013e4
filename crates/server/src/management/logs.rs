//! Log events: `/api/v2/logs`, `/api/v2/logs/{id}`, `/api/v2/users/{id}/logs`.
//!
//! Lists are searched by equality of type, user, client or address for now; other searches are refused.

use std::net::IpAddr;

use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use model::{ClientId, EventType, LogEvent, LogId, UserId, wire_time};
use serde_json::{Map, Value, json};
use storage::{EventFilter, EventQuery, EventRange, Page};

use super::authorization::ManagementCall;
use super::paging::{Paging, number};
use super::projection::Projection;
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer};
use crate::event_log::{address_text, bounded};

/// `GET /logs`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(&["read:logs", "read:logs_users"])?;
    let Some(filter) = filter(&query)? else {
        return Ok(Paging::read(&query)?.answer("logs", Vec::new(), 0));
    };
    if query.get("from").or(query.get("take")).is_some() {
        return from_checkpoint(&call, &query, filter).await;
    }
    by_page(&call, &query, filter).await
}

/// `GET /users/{id}/logs`.
pub(super) async fn list_of_user(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:logs", "read:logs_users"])?;
    by_page(
        &call,
        &query,
        EventFilter {
            user_id: Some(UserId::new(id)),
            ..EventFilter::default()
        },
    )
    .await
}

/// `GET /logs/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:logs", "read:logs_users"])?;
    let found = call.store.find_event(&LogId::new(id)).await?;
    let event = found.ok_or(Problem::NotFound {
        code: None,
        message: "The log event does not exist.",
    })?;
    let shown = Projection::read(&query).of(wire(&event));
    Ok(answer(StatusCode::OK, &shown))
}

/// The oldest first, as a bare list; the last one's id is the next checkpoint.
async fn from_checkpoint(
    call: &ManagementCall,
    query: &Query,
    filter: EventFilter,
) -> Result<Response, Problem> {
    let take = number(query, "take", 50, 1, 100)?;
    let from = query.get("from").filter(|from| !from.is_empty());
    let range = EventRange::Checkpoint {
        from: from.map(LogId::new),
        take,
        now: call.now,
    };
    let listed = call
        .store
        .list_events(&EventQuery { range, filter })
        .await?;
    let projection = Projection::read(query);
    let shown = listed.items.iter().map(|event| projection.of(wire(event)));
    let mut response = answer(StatusCode::OK, &Value::Array(shown.collect()));
    if let Some(last) = listed.items.last() {
        let (issuer, from) = (call.tenant().issuer(), &last.log_id);
        let link = format!("<{issuer}api/v2/logs?from={from}&take={take}>; rel=\"next\"");
        let link =
            HeaderValue::from_str(&link).map_err(|error| Problem::Internal(error.to_string()))?;
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

async fn by_page(
    call: &ManagementCall,
    query: &Query,
    filter: EventFilter,
) -> Result<Response, Problem> {
    let paging = Paging::read(query)?;
    let page: Page = paging.page();
    let range = match query.get("sort") {
        Some("date:1") => EventRange::OldestFirst(page),
        None | Some("date:-1" | "") => EventRange::NewestFirst(page),
        Some(_) => {
            return Err(Problem::InvalidQuery(
                "Query validation error: 'sort' is date:1 or date:-1.".to_owned(),
            ));
        }
    };
    let listed = call
        .store
        .list_events(&EventQuery { range, filter })
        .await?;
    Ok(paging.answer(
        "logs",
        listed.items.iter().map(wire).collect(),
        listed.total,
    ))
}

/// The equalities of `q` or `search`; none if nothing can match.
fn filter(query: &Query) -> Result<Option<EventFilter>, Problem> {
    let unsupported = |part: &str| {
        Problem::InvalidQuery(format!(
            "Query validation error: 'q' understands type:, user_id:, client_id: and ip: joined by AND for now, not {}.",
            bounded(part)
        ))
    };
    let mut filter = EventFilter::default();
    let text = query.get("q").or(query.get("search")).unwrap_or_default();
    for part in text
        .split(" AND ")
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (name, value) = part.split_once(':').ok_or_else(|| unsupported(part))?;
        let value = value.trim().trim_matches('"');
        if value.is_empty() || value.contains(['*', '"', ' ', '(', '[']) {
            return Err(unsupported(part));
        }
        match name.trim() {
            "type" => match EventType::from_code(value) {
                Some(known) => filter.event_type = Some(known),
                None => return Ok(None),
            },
            "user_id" => filter.user_id = Some(UserId::new(value)),
            "client_id" => filter.client_id = Some(ClientId::new(value)),
            "ip" => {
                let parsed = value.parse::<IpAddr>();
                filter.ip = Some(parsed.map_or_else(|_| value.to_owned(), address_text));
            }
            _ => return Err(unsupported(part)),
        }
    }
    Ok(Some(filter))
}

/// The wire's form; members that are not known are absent.
pub(crate) fn wire(event: &LogEvent) -> Value {
    let mut shown = Map::from_iter([
        ("_id".to_owned(), json!(event.log_id)),
        ("log_id".to_owned(), json!(event.log_id)),
        ("date".to_owned(), json!(wire_time(event.date))),
        ("type".to_owned(), json!(event.event_type.code())),
        ("description".to_owned(), json!(event.description)),
        ("hostname".to_owned(), json!(event.hostname)),
        ("isMobile".to_owned(), json!(false)),
    ]);
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    };
    put("client_id", event.client_id.as_ref().map(ClientId::as_str));
    put("client_name", event.client_name.as_deref());
    put("connection", event.connection.as_deref());
    put(
        "connection_id",
        event.connection_id.as_ref().map(|id| id.as_str()),
    );
    put("ip", event.ip.as_deref());
    put("client_ip", event.client_ip.as_deref());
    put("user_id", event.user_id.as_ref().map(UserId::as_str));
    put("user_name", event.user_name.as_deref());
    put("user_agent", event.user_agent.as_deref());
    put("audience", event.audience.as_deref());
    put("scope", event.scope.as_deref());
    if !event.details.is_empty() {
        shown.insert("details".to_owned(), Value::Object(event.details.clone()));
    }
    shown.extend(event.rest.clone());
    Value::Object(shown)
}

#[cfg(test)]
mod fuzzed;
