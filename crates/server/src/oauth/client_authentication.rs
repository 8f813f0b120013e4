//! Who calls: the client's secret is compared here, and the rule in `protocol` decides.
//!
//! RFC 6749 §2.3.1: Basic or body. An unknown client costs the same comparison as a known one. A wrong secret is told once
//! it is counted in the pool of that client and address, and nobody's secret is told once that pool is full.

use std::sync::Arc;

use keys::SecretDigest;
use model::{ClientId, EventType, LogEvent};
use protocol::{Caller, PresentedClient, Reason, authentication_rule};
use storage::Work;

use crate::answer::oauth::Refusal;
use crate::directory::ClientFacts;
use crate::event_log::{address_text, bounded, draft};
use crate::protection::{KnownRefusal, PoolKey, SecretPool};
use crate::request::RequestContext;

/// The authenticated or public caller with what is known of its application.
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    pub(crate) client: Arc<ClientFacts>,
    /// Of a call with a secret: what must have been read before any answer leaves.
    pub(crate) pool: Option<Arc<SecretPool>>,
}

impl Authenticated {
    /// What stands in place of any answer, if the pool is full. It reads it, unless the call's own unit has.
    pub(crate) async fn refusal(&self, cx: &RequestContext) -> Option<Refusal> {
        let looked = self.pool.as_ref()?.look(cx).await;
        match looked {
            Ok(known) => known.map(|known| Refusal::by_guard(cx, &known)),
            Err(error) => Some(unavailable(&error, "pool of client secrets not read")),
        }
    }
}

/// The caller, or why not. Of what is refused here, `failure` is the event; `asked` is an answer to the same call that
/// does not depend on its secret, which is then not compared.
pub(crate) async fn authenticate(
    cx: &RequestContext,
    presented: &PresentedClient,
    failure: EventType,
    asked: Option<KnownRefusal>,
) -> Result<Authenticated, Refusal> {
    let key = presented.secret().map(|_| PoolKey::of(cx, presented.id()));
    let full_pools = &cx.app.protection.full_pools;
    let full = key.as_ref().and_then(|key| full_pools.get(key, cx.now));
    if let Some(known) = full.or(asked) {
        return Err(Refusal::by_guard(cx, &known));
    }
    let known = cx
        .app
        .directory
        .client(&cx.store, &cx.tenant().id, presented.id())
        .await
        .map_err(|error| unavailable(&error, "client not read"))?;
    let key = match &known {
        Some(_) => key,
        None => key.map(|_| PoolKey::of_unknown(cx)),
    };
    let pool = key.map(|key| Arc::new(SecretPool::of(cx, key)));
    let matches = presented.secret().map(|secret| {
        let kept = known.as_ref().map_or([0; 32], |known| known.secret_digest);
        SecretDigest::from_bytes(kept).matches(secret)
    });

    let client = known.as_ref().map(|known| Arc::clone(&known.client));
    match (authentication_rule(client, matches), known) {
        (Ok(caller), Some(client)) => Ok(Authenticated {
            caller,
            client,
            pool,
        }),
        (Ok(_), None) => Err(Reason::Unauthorized.into()),
        (Err(reason), _) => Err(refused(cx, presented.id(), pool, failure, reason).await),
    }
}

/// Counts a wrong secret; a call without one has guessed nothing, and is only logged.
async fn refused(
    cx: &RequestContext,
    client: &ClientId,
    pool: Option<Arc<SecretPool>>,
    failure: EventType,
    reason: Reason,
) -> Refusal {
    let event = failure_event(cx, failure, Some(client.clone()), &reason);
    let counted = match (pool, event) {
        (Some(pool), event) => pool.count(cx, event).await,
        (None, Some(event)) => {
            let written = cx.store.write(async move |work: &mut Work| {
                work.add_events(std::slice::from_ref(&event)).await
            });
            written.await.map(|()| None)
        }
        (None, None) => Ok(None),
    };
    match counted {
        Ok(None) => reason.into(),
        Ok(Some(full)) => Refusal::by_guard(cx, &full),
        Err(error) => unavailable(&error, "refusal neither counted nor logged"),
    }
}

/// The event of a call that was refused before any charge, as far as its source may write one.
pub(crate) fn failure_event(
    cx: &RequestContext,
    event_type: EventType,
    client: Option<ClientId>,
    reason: &Reason,
) -> Option<LogEvent> {
    let own = guard::Source::new(cx.address());
    let admission = &cx.app.protection.failure_events;
    if !admission.admit(&cx.tenant().id, &own, cx.now) {
        return None;
    }
    let mut event = draft(cx, event_type);
    event.description = bounded(&reason.description());
    event.client_id = client.map(|id| ClientId::new(bounded(id.as_str())));
    event.client_ip = Some(address_text(cx.address()));
    Some(event)
}

fn unavailable(error: &storage::StoreError, what: &'static str) -> Refusal {
    tracing::error!(%error, "{what}");
    Reason::TemporarilyUnavailable.into()
}
