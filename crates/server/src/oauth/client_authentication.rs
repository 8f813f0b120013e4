//! Who calls the token endpoint: the client's secret is compared here, and the rule in `protocol` decides.
//!
//! RFC 6749 §2.3.1: Basic or body. An unknown client costs the same comparison as a known one.

use std::sync::Arc;

use keys::SecretDigest;
use protocol::{Caller, PresentedClient, Reason, authentication_rule};

use crate::request::RequestContext;

/// The authenticated or public caller, or why not.
pub(crate) async fn authenticate(
    cx: &RequestContext,
    presented: &PresentedClient,
) -> Result<Caller, Reason> {
    let known = cx
        .app
        .directory
        .client(&cx.store, &cx.tenant().id, presented.id())
        .await
        .map_err(|error| {
            tracing::error!(%error, "client not read");
            Reason::TemporarilyUnavailable
        })?;
    let matches = presented.secret().map(|secret| {
        let kept = known.as_ref().map_or([0; 32], |known| known.secret_digest);
        SecretDigest::from_bytes(kept).matches(secret)
    });

    authentication_rule(known.map(|known| Arc::clone(&known.client)), matches)
}
