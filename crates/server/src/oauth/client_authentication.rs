//! Who calls the token endpoint: the client's secret is compared here, and the rule in `protocol` decides.
//!
//! RFC 6749 §2.3.1: Basic or body. An unknown client costs the same comparison as a known one.

use keys::SecretDigest;
use model::ClientRecord;
use protocol::{Caller, PresentedClient, Reason, authentication_rule};

use crate::request::RequestContext;

/// The authenticated or public caller, or why not.
pub(crate) async fn authenticate(
    cx: &RequestContext,
    presented: &PresentedClient,
) -> Result<Caller, Reason> {
    let record = cx
        .app
        .directory
        .client(&cx.store, &cx.tenant().id, presented.id())
        .await
        .map_err(|error| {
            tracing::error!(%error, "client not read");
            Reason::TemporarilyUnavailable
        })?;
    let matches = presented.secret().map(|secret| {
        let kept = record
            .as_ref()
            .map_or([0; 32], |record| record.secret_digest);
        SecretDigest::from_bytes(kept).matches(secret)
    });

    authentication_rule(
        record
            .as_deref()
            .map(|record: &ClientRecord| &record.client),
        matches,
    )
}
