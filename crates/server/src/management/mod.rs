//! The Management API v2, as far as the login story needs it.
//!
//! Every handler takes a [`ManagementCall`](authorization::ManagementCall), so that none can be written without a token,
//! and names the scopes it asks for (none where there is nothing to see or to change: `not_built`,
//! `fixed_settings`). Bodies are judged by the tables in `schema`; each change is one commit with its event.

mod attack_protection;
mod audit;
mod authorization;
mod body;
mod change;
mod client_grants;
mod clients;
mod connections;
mod decisions;
mod email_provider;
mod email_templates;
mod fixed_settings;
mod jobs;
mod log_settings;
mod log_streams;
pub(crate) mod logs;
mod not_built;
mod paging;
mod projection;
mod resource_servers;
mod schema;
mod statistics;
mod tenant_row;
mod tenant_settings;
mod tickets;
mod unblocking;
mod uri;
pub(crate) mod users;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::answer::management::Problem;
use crate::app::App;

/// Everything below `/api/v2`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/clients", get(clients::list).post(clients::create))
        .route(
            "/clients/{id}",
            get(clients::show)
                .patch(clients::change)
                .delete(clients::remove),
        )
        .route("/clients/{id}/rotate-secret", post(clients::rotate_secret))
        .route(
            "/client-grants",
            get(client_grants::list).post(client_grants::create),
        )
        .route(
            "/client-grants/{id}",
            get(client_grants::show)
                .patch(client_grants::change)
                .delete(client_grants::remove),
        )
        .route(
            "/resource-servers",
            get(resource_servers::list).post(resource_servers::create),
        )
        .route(
            "/resource-servers/{id}",
            get(resource_servers::show)
                .patch(resource_servers::change)
                .delete(resource_servers::remove),
        )
        .route(
            "/connections",
            get(connections::list).post(connections::create),
        )
        .route(
            "/connections/{id}",
            get(connections::show)
                .patch(connections::change)
                .delete(connections::remove),
        )
        .route(
            "/connections/{id}/clients",
            get(connections::list_clients).patch(connections::enable_clients),
        )
        .route("/users", get(users::list).post(users::create))
        .route(
            "/users/{id}",
            get(users::show).patch(users::change).delete(users::remove),
        )
        .route("/tickets/{kind}", post(tickets::create))
        .route("/jobs/verification-email", post(jobs::send_verification))
        .route("/jobs/{id}", get(jobs::show))
        .route("/users/{id}/logs", get(logs::list_of_user))
        .route("/users-by-email", get(users::list_by_email))
        .route(
            "/user-blocks",
            get(unblocking::list_by_identifier).delete(unblocking::lift_by_identifier),
        )
        .route(
            "/user-blocks/{id}",
            get(unblocking::list_of_user).delete(unblocking::lift_of_user),
        )
        .route(
            "/anomaly/blocks/ips/{ip}",
            get(unblocking::show_source).delete(unblocking::lift_source),
        )
        .route(
            "/attack-protection/{shield}",
            get(attack_protection::show).patch(attack_protection::change),
        )
        .route(
            "/portcullis/attack-protection",
            get(attack_protection::own::show).patch(attack_protection::own::change),
        )
        .route(
            "/portcullis/logs",
            get(log_settings::show).patch(log_settings::change),
        )
        .route("/portcullis/decisions", get(decisions::list))
        .route("/portcullis/decisions/now", get(decisions::now))
        .route("/portcullis/decisions/{id}", get(decisions::show))
        .route(
            "/portcullis/clients/{id}",
            get(clients::show_own).patch(clients::change_own),
        )
        .route(
            "/tenants/settings",
            get(tenant_settings::show).patch(tenant_settings::change),
        )
        .route(
            "/emails/provider",
            get(email_provider::show)
                .post(email_provider::create)
                .patch(email_provider::change)
                .delete(email_provider::remove),
        )
        .route("/email-templates", post(email_templates::create))
        .route(
            "/email-templates/{id}",
            get(email_templates::show)
                .put(email_templates::replace)
                .patch(email_templates::change),
        )
        .route(
            "/log-streams",
            get(log_streams::list).post(log_streams::create),
        )
        .route(
            "/log-streams/{id}",
            get(log_streams::show)
                .patch(log_streams::change)
                .delete(log_streams::remove),
        )
        .route("/portcullis/log-streams", get(log_streams::state::list))
        .route(
            "/portcullis/log-streams/{id}",
            get(log_streams::state::show),
        )
        .route("/logs", get(logs::list))
        .route("/logs/{id}", get(logs::show))
        .route("/stats/daily", get(statistics::daily))
        .route("/stats/active-users", get(statistics::active_users))
        .merge(fixed_settings::routes())
        .merge(not_built::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
}

/// What is not built answers like what does not exist: clients go on, and nothing retries.
async fn nothing_here() -> Problem {
    Problem::NotFound {
        code: None,
        message: "Not Found",
    }
}
