//! Kinds of things that this server does not have, where clients take 404 for a failure: their lists are empty.
//!
//! What reads a whole tenant (the deploy CLI, Terraform) stops at such a 404, and takes an empty list for what it is.
//! Nothing can be made: every other method and path stays 404. A valid token is enough, as there is nothing to see.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::authorization::ManagementCall;
use super::paging::{Paging, number};
use super::uri::Query;
use crate::answer::management::{Problem, answer};
use crate::app::App;

/// How the wire writes a list of nothing.
#[derive(Clone, Copy)]
enum Nothing {
    /// `[]`.
    Bare,
    /// `{}`: no text, no partial of a page.
    NoMembers,
    /// `{"<items>": []}`.
    Named(&'static str),
    /// By the query: bare, with totals, or by checkpoint.
    Paged(&'static str),
    /// `{"total", "page", "per_page", "actions": []}`.
    Actions,
}

const LISTS: &[(&str, Nothing)] = &[
    ("/actions/actions", Nothing::Actions),
    ("/actions/triggers", Nothing::Named("triggers")),
    ("/branding/phone/providers", Nothing::Named("providers")),
    ("/branding/phone/templates", Nothing::Named("templates")),
    ("/custom-domains", Nothing::Paged("custom_domains")),
    ("/event-streams", Nothing::Named("eventStreams")),
    ("/flows", Nothing::Paged("flows")),
    ("/flows/vault/connections", Nothing::Paged("connections")),
    ("/forms", Nothing::Paged("forms")),
    (
        "/prompts/{prompt}/custom-text/{language}",
        Nothing::NoMembers,
    ),
    ("/prompts/{prompt}/partials", Nothing::NoMembers),
    ("/prompts/rendering", Nothing::Paged("configs")),
    ("/rules", Nothing::Paged("rules")),
    ("/rules-configs", Nothing::Bare),
    (
        "/self-service-profiles",
        Nothing::Paged("self_service_profiles"),
    ),
    (
        "/token-exchange-profiles",
        Nothing::Named("token_exchange_profiles"),
    ),
];

/// A route for each of them.
pub(super) fn routes() -> Router<Arc<App>> {
    LISTS.iter().fold(Router::new(), |routes, (path, nothing)| {
        routes.route(
            path,
            get(move |_: ManagementCall, query: Query| async move { list(*nothing, &query) }),
        )
    })
}

fn list(nothing: Nothing, query: &Query) -> Result<Response, Problem> {
    let body = match nothing {
        Nothing::Paged(items) => return Ok(Paging::read(query)?.answer(items, Vec::new(), 0)),
        Nothing::Bare => json!([]),
        Nothing::NoMembers => json!({}),
        Nothing::Named(items) => Value::Object(Map::from_iter([(items.to_owned(), json!([]))])),
        Nothing::Actions => {
            let page = number(query, "page", 0, 0, 1_000_000)?;
            let per_page = number(query, "per_page", 50, 0, 100)?;
            json!({ "total": 0, "page": page, "per_page": per_page, "actions": [] })
        }
    };
    Ok(answer(StatusCode::OK, &body))
}
