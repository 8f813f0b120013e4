//! The log events of exchanges: which ones a path writes, and what they hold (auth0-wire-facts §6.3).

use guard::Raised;
use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent};
use protocol::{GrantType, Reason};
use serde_json::Value;
use storage::Work;

use super::attempt::Attempt;
use crate::answer::oauth::Refusal;
use crate::event_log::{
    address_text, bounded, database_strategy, draft, error_detail, explain_source, stamp,
};
use crate::oauth::client_authentication::failure_event;
use crate::protection::decision::{SourceFound, record};
use crate::protection::{Crossed, raised_event};
use crate::request::RequestContext;
use crate::source_address::TrustedSource;

/// What the caller is told of an attempt, as far as the log cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Success,
    WrongPassword,
    /// The password was right, the user may not have a token.
    Refused,
    /// The password was right and is breached.
    Breached,
    /// The same, but the source has been told so often that it is told what any wrong password is.
    Unconfirmed,
    /// A fault of ours: nothing happened to the user.
    Nothing,
}

/// The rows of an attempt: the same number for users who exist and for those who do not.
pub(super) fn of_attempt(
    attempt: &Attempt,
    told: Told,
    refused: Option<&str>,
    crossed: &Crossed,
    now: Timestamp,
) -> Vec<LogEvent> {
    let wrong;
    let text = if told == Told::Unconfirmed {
        wrong = attempt.wrong_credentials().description();
        &wrong
    } else {
        refused.unwrap_or_default()
    };
    let mut rows = Vec::new();
    match told {
        Told::Nothing => {}
        Told::Breached => rows.push(exchange(attempt, EventType::PasswordExchangeFailed, text)),
        Told::Unconfirmed => {
            rows.push(failure(attempt, EventType::WrongPassword, text));
            rows.push(exchange(attempt, EventType::PasswordExchangeFailed, text));
            rows.iter_mut().for_each(say_the_truth);
        }
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
    for raised in &crossed.raised {
        let mut event = raised_event(&attempt.cx, raised, &attempt.user_name, &attempt.address());
        describe(attempt, &mut event);
        let reason = match raised {
            Raised::Blocked { .. } => Some(guard::Reason::Blocked),
            Raised::SuspiciousIp => Some(guard::Reason::SuspiciousIp),
            Raised::ManyUsers { .. } => None,
        };
        if let Some(reason) = reason {
            let source = SourceFound::of(&attempt.source);
            record(&mut event, reason, &crossed.explained, &source);
        }
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

/// An event about the user, without its text.
pub(super) fn of_user(attempt: &Attempt, event_type: EventType) -> LogEvent {
    let mut event = draft(&attempt.cx, event_type);
    describe(attempt, &mut event);
    event.user_id = attempt.user.as_ref().map(|user| user.user.user_id.clone());
    event
}

/// What administrators see and the caller was not told.
fn say_the_truth(event: &mut LogEvent) {
    if let Some(Value::Object(ours)) = event.details.get_mut("portcullis") {
        let truth = "the password is right and breached; this source was told so too often";
        ours.insert("withheld".to_owned(), Value::from(truth));
    }
}

fn failure(attempt: &Attempt, event_type: EventType, text: &str) -> LogEvent {
    let mut event = of_user(attempt, event_type);
    text.clone_into(&mut event.description);
    error_detail(&mut event, text);
    event
}

fn exchange(attempt: &Attempt, event_type: EventType, text: &str) -> LogEvent {
    let mut event = of_user(attempt, event_type);
    text.clone_into(&mut event.description);
    event.client_ip = Some(address_text(attempt.cx.address()));
    event.audience = attempt.facts.audience().map(bounded);
    event.scope = attempt.facts.requested_scope().map(|scope| bounded(&scope));
    event
}

/// The event of an exchange that fails before anything is charged.
pub(super) fn failed(grant: GrantType) -> EventType {
    match grant {
        GrantType::ClientCredentials => EventType::ClientCredentialsFailed,
        GrantType::Password | GrantType::PasswordRealm => EventType::PasswordExchangeFailed,
    }
}

/// Writes the event of a call that was refused before any charge, as far as its source may write one.
pub(super) async fn refused(
    cx: &RequestContext,
    grant: GrantType,
    client: Option<ClientId>,
    source: Option<&TrustedSource>,
    reason: Reason,
) -> Refusal {
    if let Some(mut event) = failure_event(cx, failed(grant), client, &reason) {
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
