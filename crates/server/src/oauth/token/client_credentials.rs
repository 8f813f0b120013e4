//! The client credentials grant (RFC 6749 §4.4): an application speaks for itself, as far as its client grant goes.

use std::sync::Arc;

use model::{EventType, LogEvent, SubjectType};
use protocol::{Approved, Caller, ClientCredentialsRequest, GrantType, Reason, TokenAnswer};
use storage::{StoreError, Work};

use super::events;
use super::issue::issue;
use crate::answer::oauth::Refusal;
use crate::event_log::{address_text, bounded, draft};
use crate::protection::{KnownRefusal, SecretPool};
use crate::request::RequestContext;

/// Exchanges the application's own credentials for a token.
pub(super) async fn exchange(
    cx: &RequestContext,
    caller: Caller,
    pool: Option<Arc<SecretPool>>,
    request: ClientCredentialsRequest,
) -> Result<TokenAnswer, Refusal> {
    let client = caller.client().client_id.clone();
    let client_name = bounded(&caller.client().name);
    let approved = match approve(cx, caller, request).await {
        Ok(approved) => approved,
        Err(reason) => {
            return Err(events::refused(
                cx,
                GrantType::ClientCredentials,
                Some(client),
                None,
                reason,
            )
            .await);
        }
    };

    let issued = issue(cx, &approved, cx.now).await?;

    let mut event = draft(cx, EventType::ClientCredentialsSucceeded);
    event.client_id = Some(client);
    event.client_name = Some(client_name);
    event.client_ip = Some(address_text(cx.address()));
    event.audience = approved.audience().map(bounded);
    event.scope = Some(bounded(&approved.scope().to_string()));
    match log(cx, pool, event).await {
        Ok(None) => Ok(issued.answer),
        Ok(Some(full)) => Err(Refusal::by_guard(cx, &full)),
        Err(error) => {
            tracing::error!(%error, "token not logged; it is not told");
            Err(Reason::TemporarilyUnavailable.into())
        }
    }
}

/// Writes the event unless the pool of the secret is full, which the same statement sees.
async fn log(
    cx: &RequestContext,
    pool: Option<Arc<SecretPool>>,
    event: LogEvent,
) -> Result<Option<KnownRefusal>, StoreError> {
    let reading = SecretPool::begin(cx);
    let (within, asked) = (cx.clone(), pool.clone());
    let spent = cx
        .store
        .write(async move |work: &mut Work| match &asked {
            Some(pool) => pool.admit_event(work, &within, &event).await,
            None => {
                work.add_events(std::slice::from_ref(&event)).await?;
                Ok(None)
            }
        })
        .await?;
    Ok(pool.and_then(|pool| pool.found(cx, spent.as_ref(), reading)))
}

async fn approve(
    cx: &RequestContext,
    caller: Caller,
    request: ClientCredentialsRequest,
) -> Result<Approved, Reason> {
    let unavailable = |error: StoreError| {
        tracing::error!(%error, "API or grant not read");
        Reason::TemporarilyUnavailable
    };
    caller.require_grant(GrantType::ClientCredentials)?;
    let audience = protocol::client_credentials::audience(&request, &cx.tenant().settings)?;
    let directory = &cx.app.directory;
    let api = directory
        .resource_server(&cx.store, &cx.tenant().id, &audience)
        .await
        .map_err(unavailable)?;
    let client = &caller.client().client_id;
    let grant = cx
        .store
        .find_client_grant_for(client, &audience, SubjectType::Client)
        .await
        .map_err(unavailable)?;

    protocol::client_credentials::approve(
        &caller,
        request,
        &audience,
        api.as_deref().map(|api| &*api.server),
        grant.as_ref(),
    )
}
