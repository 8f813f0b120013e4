//! Every path this server answers, and the bounds that hold for all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use http::StatusCode;
use model::TicketKind;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::hosted::{email_verification, reset_password};
use crate::{dbconnections, health, hosted, management, oauth, outbox};

/// Larger bodies are refused before more of them is read.
pub const MAX_BODY: usize = 64 * 1024;

/// A request that takes longer is answered 503; what it has charged is settled all the same.
const PATIENCE: Duration = Duration::from_secs(25);

/// The whole server as a service of `App`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(
            "/oauth/token",
            post(oauth::token::exchange).fallback(oauth::token::method_not_allowed),
        )
        .route(
            "/.well-known/openid-configuration",
            get(oauth::discovery::configuration),
        )
        .route("/.well-known/jwks.json", get(oauth::jwks::key_set))
        .route(
            "/userinfo",
            get(oauth::userinfo::show).post(oauth::userinfo::show),
        )
        .route("/dbconnections/signup", post(dbconnections::sign_up))
        .route(
            "/dbconnections/change_password",
            post(dbconnections::change_password),
        )
        .route(
            TicketKind::PasswordReset.path(),
            get(reset_password::show).post(reset_password::change),
        )
        .route(
            TicketKind::EmailVerification.path(),
            get(email_verification::show).post(email_verification::verify),
        )
        .route(
            "/u/brute-force-protection-unblock",
            get(hosted::unblock::show).post(hosted::unblock::lift),
        )
        .route("/lo/unblock", get(hosted::unblock::show))
        .nest("/api/v2", management::routes())
        .merge(outbox::routes(&app))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(
            Arc::clone(&app),
            crate::body_deadline::limit,
        ))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(from_fn(crate::trace::trace))
        .with_state(app)
}
