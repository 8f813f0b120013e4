//! Log events: `/api/v2/logs`, `/api/v2/logs/{id}`, `/api/v2/users/{id}/logs`.
//!
//! A list is searched by `q` (`protocol::log_search`) and has pages up to the 1,000th event that fits; a checkpoint
//! (`from`, `take`) walks over all events and looks at no other parameter but `fields`, as documented (§6.4).
//! Which events are found is `storage`'s; it never answers a part of them for the whole.

use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use model::{ClientId, EventField, EventFilter, LogEvent, LogId, UserId, wire_time};
use protocol::log_search;
use serde_json::{Map, Value, json};
use storage::{EVENTS_LOOKED_AT, EventQuery, EventRange, Page, Searched};

use super::authorization::ManagementCall;
use super::paging::{Paging, number};
use super::projection::Projection;
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer};

const SCOPES: &[&str] = &["read:logs", "read:logs_users"];

/// Pages and totals end here, as documented.
const MOST_FOUND: u32 = 1_000;

/// `GET /logs`.
pub(super) async fn list(call: ManagementCall, query: Query) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    if query.get("from").or(query.get("take")).is_some() {
        return from_checkpoint(&call, &query).await;
    }
    let text = query.get("q").or(query.get("search")).unwrap_or_default();
    let filter =
        log_search(text).map_err(|fault| invalid(&format!("'q' is not understood: {fault}.")))?;
    by_page(&call, &query, filter).await
}

/// `GET /users/{id}/logs`.
pub(super) async fn list_of_user(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    let id = EventField::UserId.spelled(&id);
    by_page(&call, &query, EventFilter::Is(EventField::UserId, id)).await
}

/// `GET /logs/{id}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(SCOPES)?;
    let found = call.store.find_event(&LogId::new(id)).await?;
    let event = found.ok_or(Problem::NotFound {
        code: None,
        message: "The log event does not exist.",
    })?;
    let shown = Projection::read(&query).of(wire(&event));
    Ok(answer(StatusCode::OK, &shown))
}

/// The oldest first, as a bare list; the last one's id is the next checkpoint.
async fn from_checkpoint(call: &ManagementCall, query: &Query) -> Result<Response, Problem> {
    let take = number(query, "take", 50, 1, 100)?;
    let from = query.get("from").filter(|from| !from.is_empty());
    let range = EventRange::Checkpoint {
        from: from.map(LogId::new),
        take,
        now: call.now,
    };
    let filter = EventFilter::Every;
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
    let paging = Paging::read_pages(query)?;
    let page = paging.page();
    let is_beyond = match page {
        Page::Numbered { page, per_page } => {
            page.saturating_add(1).saturating_mul(per_page) > MOST_FOUND
        }
        Page::After { .. } => false,
    };
    // A page past the end is empty; one past the bound is told only where there is something to be told.
    let page = if is_beyond {
        Page::numbered(MOST_FOUND, 1)
    } else {
        page
    };
    let range = match query.get("sort") {
        Some("date:1") => EventRange::OldestFirst(page),
        None | Some("date:-1" | "") => EventRange::NewestFirst(page),
        Some(_) => return Err(invalid("'sort' is date:1 or date:-1.")),
    };
    let counted = if query.is_true("include_totals") {
        MOST_FOUND
    } else {
        0
    };
    let searched = call
        .store
        .search_events(&EventQuery { range, filter }, counted)
        .await?;
    match searched {
        Searched::Found(listed) if is_beyond && !listed.items.is_empty() => Err(invalid(&format!(
            "pages end with the {MOST_FOUND}th event. Narrow the search, such as by q=date:[2026-01-01 TO 2026-01-02}}, or \
             walk over all events with 'from' and 'take'."
        ))),
        Searched::Found(listed) => {
            let shown = listed.items.iter().map(wire).collect();
            Ok(paging.answer("logs", shown, listed.total))
        }
        Searched::GaveUp(at) => Err(invalid(&format!(
            "the search was given up after {EVENTS_LOOKED_AT} events, at one of {}, because too few of them fit. Name a \
             user_id, user_name, ip, client_id or type with its whole value, ask for a shorter time, such as by \
             date:[2026-01-01 TO 2026-01-02}}, or leave out 'include_totals'.",
            wire_time(at)
        ))),
    }
}

fn invalid(what: &str) -> Problem {
    Problem::InvalidQuery(format!("Query validation error: {what}"))
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
