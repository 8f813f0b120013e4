//! Who calls the token endpoint: the client's secret is compared here, and the rule in `protocol` decides.
//!
//! RFC 6749 §2.3.1: Basic or body. An unknown client costs the same comparison as a known one.

use std::sync::Arc;

use keys::SecretDigest;
use protocol::{Caller, PresentedClient, Reason, authentication_rule};

use crate::directory::ClientFacts;
use crate::request::RequestContext;

/// The authenticated or public caller with what is known of its application, or why not.
pub(crate) async fn authenticate(
    cx: &RequestContext,
    presented: &PresentedClient,
) -> Result<(Caller, Arc<ClientFacts>), Reason> {
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

    let client = known.as_ref().map(|known| Arc::clone(&known.client));
    let caller = authentication_rule(client, matches)?;
    Ok((caller, known.ok_or(Reason::Unauthorized)?))
}
