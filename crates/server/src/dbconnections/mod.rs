//! `/dbconnections/*`: people sign up, and ask for a new password (auth0-wire-facts §9.1).
//!
//! Anybody who knows an application's id may call. A secret is not needed; where one is sent it must be right, and only
//! then does `auth0-forwarded-for` count, as at the token endpoint (§4).

mod change_password;
mod sign_up;

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use bytes::Bytes;
use credentials::ClientStanding;
use guard::{Source, Standing};
use http::{HeaderMap, header};
use jiff::Timestamp;
use model::{ClientId, DATABASE_STRATEGY, EventType, LogEvent};
use protocol::{Parameters, PresentedClient, Reason};
use storage::{StoreError, Work};

pub(crate) use change_password::ask as change_password;
pub(crate) use sign_up::sign_up;

use crate::answer::dbconnections::Refusal;
use crate::answer::oauth;
use crate::directory::{ClientFacts, ConnectionFacts, ConnectionName};
use crate::event_log::{bounded, database_strategy, draft, error_detail, explain_source, stamp};
use crate::oauth::client_authentication::{Authenticated, authenticate};
use crate::oauth::unread;
use crate::protection::Meters;
use crate::protection::decision::{SourceFound, record};
use crate::request::{RequestContext, only_one};
use crate::source_address::{FORWARDED_FOR, HeaderDecision, TrustedSource, decide};

/// A body that arrived, with its content type.
struct Arrived<'a> {
    content_type: Option<&'a str>,
    body: Bytes,
}

/// Who asks, and from where.
struct Asker {
    client: Arc<ClientFacts>,
    source: TrustedSource,
    standing: ClientStanding,
}

fn arrived<'a>(
    headers: &'a HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Arrived<'a>, Refusal> {
    Ok(Arrived {
        content_type: only_one(headers, &header::CONTENT_TYPE).flatten(),
        body: body.map_err(|rejection| Refusal::Malformed(unread(&rejection)))?,
    })
}

/// The application and the end user's address; a secret is compared where one was sent, and `failure` is the event of a
/// wrong one.
async fn asker(
    cx: &RequestContext,
    headers: &HeaderMap,
    arrived: &Arrived<'_>,
    client_id: &str,
    failure: EventType,
) -> Result<Asker, Refusal> {
    let authorization = only_one(headers, &header::AUTHORIZATION)
        .ok_or(Refusal::Malformed(Reason::MalformedBasic))?;
    let sent = Parameters::parse(arrived.content_type, &arrived.body);
    let presented = sent
        .and_then(|sent| PresentedClient::read(authorization, &sent))
        .map_err(Refusal::Malformed)?;
    if presented.secret().is_some() {
        let told = |refusal: oauth::Refusal| Refusal::Malformed(refusal.reason);
        let authenticated = authenticate(cx, &presented, failure, None)
            .await
            .map_err(told)?;
        if let Some(full) = authenticated.refusal(cx).await {
            return Err(told(full));
        }
        let Authenticated { caller, client, .. } = authenticated;
        let standing = if caller.is_authenticated() {
            ClientStanding::Authenticated
        } else {
            ClientStanding::Public
        };
        return Ok(Asker {
            source: decide(headers, &caller, &client.header_trust, cx.address()),
            client,
            standing,
        });
    }
    let id = ClientId::new(client_id);
    let found = cx
        .app
        .directory
        .client(&cx.store, &cx.tenant().id, &id)
        .await
        .map_err(unavailable)?;
    Ok(Asker {
        client: found.ok_or(Refusal::UnknownClient)?,
        source: own_source(cx, headers),
        standing: ClientStanding::Public,
    })
}

/// The caller's own address: the header of somebody who proved nothing is not looked at.
fn own_source(cx: &RequestContext, headers: &HeaderMap) -> TrustedSource {
    TrustedSource {
        source: Source::new(cx.address()),
        standing: Standing::Own,
        decision: if headers.contains_key(FORWARDED_FOR) {
            HeaderDecision::NotAuthenticated
        } else {
            HeaderDecision::Absent
        },
    }
}

/// The directory of this name, where the application (if one is named) may use it.
async fn directory(
    cx: &RequestContext,
    name: &str,
    client: Option<&ClientId>,
) -> Result<Arc<ConnectionFacts>, Refusal> {
    let name = ConnectionName::Name(name.to_owned());
    let found = cx
        .app
        .directory
        .connection(&cx.app, &cx.store, &cx.tenant().id, name)
        .await
        .map_err(unavailable)?;
    found
        .filter(|facts| {
            let connection = &facts.connection;
            connection.strategy == DATABASE_STRATEGY
                && client.is_none_or(|client| connection.is_enabled_for(client))
        })
        .ok_or(Refusal::ConnectionNotEnabled)
}

/// Whether an option of the directory is switched on.
fn is_on(connection: &ConnectionFacts, option: &str) -> bool {
    connection.connection.options.rest.get(option) == Some(&serde_json::Value::Bool(true))
}

/// An event with everything but its text.
fn event(
    cx: &RequestContext,
    event_type: EventType,
    client: Option<&ClientFacts>,
    connection: Option<&ConnectionFacts>,
    source: &TrustedSource,
    address: &str,
) -> LogEvent {
    let mut event = draft(cx, event_type);
    event.client_id = client.map(|facts| facts.client.client_id.clone());
    event.client_name = client.map(|facts| bounded(&facts.client.name));
    event.connection = connection.map(|facts| facts.connection.name.clone());
    event.connection_id = connection.map(|facts| facts.connection.id.clone());
    event.user_name = Some(bounded(address));
    explain_source(&mut event, source);
    database_strategy(&mut event);
    event
}

/// Puts a refusal's text into its event.
fn explain(event: &mut LogEvent, refusal: &Refusal) {
    let text = bounded(&refusal.description());
    error_detail(event, &text);
    event.description = text;
}

/// What charging a pool came to.
struct Charged {
    permits: bool,
    /// Whether an event was due and is written.
    is_told: bool,
}

/// Charges a pool, in the caller's unit. A refusal, or one that a shield which only watches would have made, is told by
/// this event with its record, where that is due.
async fn charge(
    work: &mut Work,
    pool: &Meters,
    reason: guard::Reason,
    refused: &LogEvent,
    source: &SourceFound,
    now: Timestamp,
) -> Result<Charged, StoreError> {
    let (permits, due) = pool.charge_watched(work, reason, now).await?;
    if let Some(explained) = &due {
        let mut event = refused.clone();
        record(&mut event, reason, explained, source);
        work.add_events(&[event]).await?;
    }
    Ok(Charged {
        permits,
        is_told: due.is_some(),
    })
}

/// Writes the event of a refusal in a unit of its own, as far as its source may write one.
async fn log_refusal(
    cx: &RequestContext,
    mut event: LogEvent,
    source: &Source,
) -> Result<(), Refusal> {
    let admission = &cx.app.protection.failure_events;
    if !admission.admit(&cx.tenant().id, source, cx.now) {
        return Ok(());
    }
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    cx.store
        .write(async move |work: &mut Work| work.add_events(std::slice::from_ref(&event)).await)
        .await
        .map_err(unavailable)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn unavailable(error: StoreError) -> Refusal {
    tracing::error!(%error, "store failed under /dbconnections");
    Refusal::Unavailable
}
