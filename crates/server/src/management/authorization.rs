//! Who calls: a bearer token of ours for the Management API, and nothing else (RFC 6750 §2.1).

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use keys::{Expected, TokenRefused, verify_own};
use protocol::{ManagementCaller, bearer_token};

use super::uri::Query;
use crate::answer::management::Problem;
use crate::app::App;
use crate::directory::{KeySet, signing_keys};
use crate::protection::lifecycle::LiftedBy;
use crate::request::{NoContext, RequestContext, only_one};

/// A request whose token was verified.
pub(super) struct ManagementCall {
    pub(super) cx: RequestContext,
    /// The tenant's signing keys.
    pub(super) keys: Arc<KeySet>,
    pub(super) caller: ManagementCaller,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Query,
}

impl ManagementCall {
    /// Asks for one of these scopes.
    pub(super) fn require(&self, scopes: &[&'static str]) -> Result<(), Problem> {
        self.caller
            .require_any(scopes)
            .map_err(|lacking| Problem::InsufficientScope(lacking.expected))
    }

    /// Whether the token holds one of these scopes.
    pub(super) fn holds(&self, scopes: &[&'static str]) -> bool {
        self.caller.require_any(scopes).is_ok()
    }

    /// The caller as one who lifts blocks.
    pub(super) fn as_lifter(&self) -> LiftedBy {
        LiftedBy::Administrator {
            client_id: self.caller.client_id.clone(),
            subject: self.caller.subject.clone(),
        }
    }
}

impl Deref for ManagementCall {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.cx
    }
}

impl FromRequestParts<Arc<App>> for ManagementCall {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let cx = RequestContext::from_request_parts(parts, app)
            .await
            .map_err(without_context)?;
        let header = only_one(&parts.headers, &AUTHORIZATION).flatten();
        let token = header
            .and_then(bearer_token)
            .ok_or(Problem::Unauthorized("Missing authentication"))?;
        let keys = signing_keys(&cx.app, &cx.store).await?;
        let (issuer, audience) = (cx.tenant().issuer(), cx.tenant().management_audience());
        let expected = Expected {
            issuer: &issuer,
            audience: &audience,
            now: cx.now,
        };
        let claims = verify_own(token, &keys, &expected).map_err(|refused| match refused {
            TokenRefused::Expired => {
                Problem::Unauthorized("Expired token received for JSON Web Token validation")
            }
            TokenRefused::Malformed
            | TokenRefused::Signature
            | TokenRefused::Foreign
            | TokenRefused::Early => Problem::Unauthorized("Invalid token"),
        })?;
        let caller =
            ManagementCaller::read(&claims).map_err(|_| Problem::Unauthorized("Invalid token"))?;
        let path = format!("/api/v2{}", parts.uri.path());
        Ok(Self {
            cx,
            keys,
            caller,
            method: parts.method.as_str().to_ascii_lowercase(),
            path,
            query: Query::of(&parts.uri),
        })
    }
}

/// Only an unknown host is 404: a client that reads 404 for a database out of reach would believe things were deleted.
fn without_context(why: NoContext) -> Problem {
    match why {
        NoContext::Host => Problem::InvalidUri(why.to_string()),
        NoContext::UnknownHost => Problem::NotFound {
            code: None,
            message: "No tenant has this host.",
        },
        NoContext::Unavailable => Problem::Busy { retry_after: 1 },
        NoContext::Peer => Problem::Internal("a connection without a peer".to_owned()),
    }
}
