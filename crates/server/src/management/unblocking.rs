//! Who is blocked, and lifting it: `/api/v2/user-blocks`, `/api/v2/anomaly/blocks/ips`.

use std::net::IpAddr;

use axum::response::Response;
use http::StatusCode;
use model::{Identifier, LogEvent, UserId, UserRecord};
use serde_json::{Value, json};

use super::audit;
use super::authorization::ManagementCall;
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer, empty};
use crate::protection::blocks::{self, BlockedEntry};

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_user"),
    message: "The user does not exist.",
};

/// `GET /user-blocks?identifier=`.
pub(super) async fn list_by_identifier(
    call: ManagementCall,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let identifier = identifier(&query)?;
    let entries = blocks::list_for_identifier(&call.cx, &identifier).await?;
    listed(&call, &query, entries).await
}

/// `DELETE /user-blocks?identifier=`.
pub(super) async fn lift_by_identifier(
    call: ManagementCall,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["update:users"])?;
    let identifier = identifier(&query)?;
    let event = event(&call, "Unblock a user by identifier");
    blocks::lift_identifier(&call.cx, &identifier, call.as_lifter(), event).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `GET /user-blocks/{id}`.
pub(super) async fn list_of_user(
    call: ManagementCall,
    Id(id): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:users"])?;
    let user = user(&call, id).await?;
    let entries = blocks::list_for_user(&call.cx, &user).await?;
    listed(&call, &query, entries).await
}

/// `DELETE /user-blocks/{id}`.
pub(super) async fn lift_of_user(call: ManagementCall, Id(id): Id) -> Result<Response, Problem> {
    call.require(&["update:users"])?;
    let user = user(&call, id).await?;
    let event = event(&call, "Unblock a user");
    blocks::lift_user(&call.cx, &user, call.as_lifter(), event).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `GET /anomaly/blocks/ips/{ip}`: 200 without a body if it is blocked.
pub(super) async fn show_source(call: ManagementCall, Id(ip): Id) -> Result<Response, Problem> {
    call.require(&["read:anomaly_blocks"])?;
    let address = address(&ip)?;
    if blocks::source_is_blocked(&call.cx, address).await? {
        Ok(empty(StatusCode::OK))
    } else {
        Err(Problem::NotFound {
            code: None,
            message: "Not Found",
        })
    }
}

/// `DELETE /anomaly/blocks/ips/{ip}`.
pub(super) async fn lift_source(call: ManagementCall, Id(ip): Id) -> Result<Response, Problem> {
    call.require(&["delete:anomaly_blocks"])?;
    let address = address(&ip)?;
    let event = event(&call, "Remove the blocked IP address");
    blocks::lift_source(&call.cx, address, call.as_lifter(), event).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn user(call: &ManagementCall, id: String) -> Result<UserRecord, Problem> {
    call.store.find_user(&UserId::new(id)).await?.ok_or(MISSING)
}

fn identifier(query: &Query) -> Result<Identifier, Problem> {
    let text = query
        .get("identifier")
        .filter(|text| !text.trim().is_empty());
    let missing = || {
        Problem::InvalidQuery(
            "Query validation error: 'Missing required property: identifier'.".to_owned(),
        )
    };
    text.map(Identifier::of).ok_or_else(missing)
}

fn address(text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| {
        Problem::InvalidUri("Path validation error: 'Object didn't pass validation for format ip' on property id (one IPv4 or IPv6 address).".to_owned())
    })
}

/// `blocked_for`; `consider_brute_force_enablement` leaves out connections whose own switch is off.
async fn listed(
    call: &ManagementCall,
    query: &Query,
    mut entries: Vec<BlockedEntry>,
) -> Result<Response, Problem> {
    if query.is_true("consider_brute_force_enablement") {
        let connections = call.store.list_database_connections().await?;
        entries.retain(|entry| {
            connections.iter().any(|record| {
                record.connection.name == entry.connection
                    && record.connection.options.brute_force_protection
            })
        });
    }
    let shown: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let mut shown = json!({ "identifier": entry.identifier });
            if let Some(ip) = &entry.ip {
                shown["ip"] = json!(ip);
            }
            shown["connection"] = json!(entry.connection);
            shown
        })
        .collect();
    Ok(answer(StatusCode::OK, &json!({ "blocked_for": shown })))
}

fn event(call: &ManagementCall, what: &str) -> LogEvent {
    audit::changed(call, what, &Value::Null, 204, &Value::Null)
}
