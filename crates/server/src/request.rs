//! Who asks, from where, at what time: the facts every handler starts from.
//!
//! The tenant comes from the exact host and port of the request, an alias of it, or the default tenant.
//! The address here is the operator layer's (peer or trusted proxy); the application layer is `source_address`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use model::Tenant;
use storage::TenantStore;

use crate::app::App;
use crate::directory::TenantFacts;
use crate::event_log::sdk_of;
use crate::source_address::{ConnectionAddress, connection_address};

/// The facts of one request.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub app: Arc<App>,
    pub facts: Arc<TenantFacts>,
    pub store: TenantStore,
    /// When the request arrived.
    pub now: Timestamp,
    pub connection: ConnectionAddress,

    pub user_agent: Option<String>,
    /// What the caller's SDK says of itself.
    pub sdk: Option<serde_json::Value>,
}

impl RequestContext {
    /// The tenant that is spoken to.
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.facts.tenant
    }

    /// The caller's own address as the operator layer sees it.
    pub(crate) fn address(&self) -> IpAddr {
        self.connection.address
    }

    /// The time after a wait.
    pub(crate) fn now_again(&self) -> Timestamp {
        self.app.clock.now().max(self.now)
    }
}

impl FromRequestParts<Arc<App>> for RequestContext {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, StatusCode> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let hostname = host_of(parts).unwrap_or_default();
        let facts = match app.directory.tenant_by_host(app, &hostname).await {
            Ok(Some(facts)) => facts,
            Ok(None) => return Err(StatusCode::NOT_FOUND),
            Err(error) => {
                tracing::error!(%error, "tenant not read");
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
        };

        Ok(Self {
            store: app.tenant(&facts.tenant.id),
            now: app.clock.now(),
            connection: connection_address(peer.ip(), &parts.headers, &app.settings),

            user_agent: text_of(&parts.headers, USER_AGENT),
            sdk: sdk_of(&parts.headers),
            facts,
            app: Arc::clone(app),
        })
    }
}

fn host_of(parts: &Parts) -> Option<String> {
    let named = parts
        .uri
        .authority()
        .map(|authority| authority.as_str().to_owned());
    named
        .or_else(|| text_of(&parts.headers, HOST))
        .map(|host| host.to_ascii_lowercase())
}

/// One header as text, cut at 1 KiB; what is not text is absent.
pub(crate) fn text_of(
    headers: &HeaderMap,
    name: impl http::header::AsHeaderName,
) -> Option<String> {
    const MAX: usize = 1_024;
    let text = headers.get(name)?.to_str().ok()?;
    Some(text.get(..MAX).unwrap_or(text).to_owned())
}
