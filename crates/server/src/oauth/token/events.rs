//! The log events of exchanges: which ones a path writes, and what they hold (auth0-wire-facts §6.3).

use guard::Raised;
use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent};
use protocol::{GrantType, Reason};
use storage::Work;

use super::attempt::Attempt;
use crate::answer::oauth::Refusal;
use crate::event_log::{
    address_text, bounded, database_strategy, draft, error_detail, explain_source, stamp,
};
use crate::protection::raised_event;
use crate::request::RequestContext;
use crate::source_address::TrustedSource;

/// What the caller is told of an attempt, as far as the log cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Success,
    WrongPassword,
    /// The password was right, the user may not have a token.
    Refused,
    /// A fault of ours: nothing happened to the user.
    Nothing,
}

/// The rows of an attempt: the same number for users who exist and for those who do not.
pub(super) fn of_attempt(
    attempt: &Attempt,
    told: Told,
    refused: Option<&str>,
    raised: &[Raised],
    now: Timestamp,
) -> Vec<LogEvent> {
    let text = refused.unwrap_or_default();
    let mut rows = Vec::new();
    match told {
        Told::Nothing => {}
        Told::Success => rows.push(exchange(attempt, EventType::PasswordExchangeSucceeded, "")),
        Told::WrongPassword => {
            let first = if attempt.user.is_some() {
                EventType::WrongPassword
            } else {
                EventType::UnknownUser
            };
            rows.push(failure(attempt, first, text));
            rows.push(exchange(attempt, EventType::PasswordExchangeFailed, text));
        }
        Told::Refused => {
            rows.push(failure(attempt, EventType::LoginFailed, text));
            rows.push(exchange(attempt, EventType::PasswordExchangeFailed, text));
        }
    }
    for crossed in raised {
        let mut event = raised_event(&attempt.cx, crossed, &attempt.user_name, &attempt.address());
        describe(attempt, &mut event);
        rows.push(event);
    }
    stamp(&mut rows, now, &*attempt.cx.app.entropy);
    rows
}

/// Client, directory, source and user name, as every event of the attempt has them.
pub(super) fn describe(attempt: &Attempt, event: &mut LogEvent) {
    let client = attempt.facts.caller().client();
    event.client_id = Some(client.client_id.clone());
    event.client_name = Some(bounded(&client.name));
    event.connection = Some(attempt.connection.connection.name.clone());
    event.connection_id = Some(attempt.connection.connection.id.clone());
    event.user_name = Some(attempt.user_name.clone());
    explain_source(event, &attempt.source);
    database_strategy(event);
}

fn failure(attempt: &Attempt, event_type: EventType, text: &str) -> LogEvent {
    let mut event = draft(&attempt.cx, event_type);
    describe(attempt, &mut event);
    text.clone_into(&mut event.description);
    event.user_id = attempt.user.as_ref().map(|user| user.user.user_id.clone());
    error_detail(&mut event, text);
    event
}

fn exchange(attempt: &Attempt, event_type: EventType, text: &str) -> LogEvent {
    let mut event = draft(&attempt.cx, event_type);
    describe(attempt, &mut event);
    text.clone_into(&mut event.description);
    event.user_id = attempt.user.as_ref().map(|user| user.user.user_id.clone());
    event.client_ip = Some(address_text(attempt.cx.address()));
    event.audience = attempt.facts.audience().map(bounded);
    event.scope = attempt.facts.requested_scope().map(|scope| bounded(&scope));
    event
}

/// Writes the event of a call that was refused before any charge, as far as its source may write one.
pub(super) async fn refused(
    cx: &RequestContext,
    grant: GrantType,
    client: Option<ClientId>,
    source: Option<&TrustedSource>,
    reason: Reason,
) -> Refusal {
    let own = guard::Source::new(cx.address());
    let admission = &cx.app.protection.failure_events;
    if admission.admit(&cx.tenant().id, &own, cx.now) {
        let event_type = match grant {
            GrantType::ClientCredentials => EventType::ClientCredentialsFailed,
            GrantType::Password | GrantType::PasswordRealm => EventType::PasswordExchangeFailed,
        };
        let mut event = draft(cx, event_type);
        event.description = bounded(&reason.description());
        event.client_id = client.map(|id| ClientId::new(bounded(id.as_str())));
        event.client_ip = Some(address_text(cx.address()));
        if let Some(source) = source {
            explain_source(&mut event, source);
        }
        let written = cx.store.write(async move |work: &mut Work| {
            work.add_events(std::slice::from_ref(&event)).await
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "refusal not logged");
            return Reason::TemporarilyUnavailable.into();
        }
    }
    reason.into()
}

/// Writes a warning for administrators; it belongs to no outcome, so its loss is only reported.
pub(super) async fn warn(cx: &RequestContext, warning: LogEvent) {
    let written = cx
        .store
        .write(async move |work: &mut Work| work.add_events(std::slice::from_ref(&warning)).await);
    if let Err(error) = written.await {
        tracing::error!(%error, "warning not logged");
    }
}
