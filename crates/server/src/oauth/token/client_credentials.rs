//! The client credentials grant (RFC 6749 §4.4): an application speaks for itself, as far as its client grant goes.

use model::{EventType, SubjectType};
use protocol::{Approved, Caller, ClientCredentialsRequest, GrantType, Reason, TokenAnswer};
use storage::Work;

use super::events;
use super::issue::issue;
use crate::answer::oauth::Refusal;
use crate::event_log::{address_text, bounded, draft};
use crate::request::RequestContext;

/// Exchanges the application's own credentials for a token.
pub(super) async fn exchange(
    cx: &RequestContext,
    caller: Caller,
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
    let written = cx
        .store
        .write(async move |work: &mut Work| work.add_events(std::slice::from_ref(&event)).await)
        .await;
    match written {
        Ok(()) => Ok(issued.answer),
        Err(error) => {
            tracing::error!(%error, "token not logged; it is not told");
            Err(Reason::TemporarilyUnavailable.into())
        }
    }
}

async fn approve(
    cx: &RequestContext,
    caller: Caller,
    request: ClientCredentialsRequest,
) -> Result<Approved, Reason> {
    let unavailable = |error: storage::StoreError| {
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
