//! Log events: what every event of a request has in common, and how failures before a charge are admitted.
//!
//! Wire: auth0-wire-facts §6. Every field is bounded here, since people and attackers choose their content.
//! Who writes an event, and in which commit, is decided where the thing happens.

mod admission;
mod sdk;

use keys::Entropy;
use model::{EventType, Identifier, LogEvent, LogId, UserRecord};
use serde_json::{Value, json};

use crate::app::App;
use crate::request::RequestContext;
use crate::source_address::TrustedSource;
pub(crate) use admission::FailureAdmission;
use jiff::Timestamp;
pub(crate) use model::{address_text, bounded_text as bounded};
pub(crate) use sdk::sdk_of;

/// An event with what this request knows: time, host, caller, user agent.
/// The time is that after any wait, because an event that is written long after its time is refused.
pub(crate) fn draft(cx: &RequestContext, event_type: EventType) -> LogEvent {
    let now = cx.now_again();
    LogEvent {
        log_id: log_id(now, 0, &*cx.app.entropy),
        ip: Some(address_text(cx.address())),
        user_agent: cx.user_agent.as_deref().map(bounded),
        rest: cx
            .sdk
            .iter()
            .map(|sdk| ("auth0_client".to_owned(), sdk.clone()))
            .collect(),
        ..LogEvent::bare(now, event_type, bounded(&cx.tenant().domain))
    }
}

/// Gives events of one commit their time, and ids that keep their order.
pub(crate) fn stamp(events: &mut [LogEvent], at: Timestamp, entropy: &dyn Entropy) {
    for (number, event) in events.iter_mut().enumerate() {
        event.date = at;
        event.log_id = log_id(at, number, entropy);
    }
}

fn log_id(at: Timestamp, number: usize, entropy: &dyn Entropy) -> LogId {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    LogId::of(at, number, u128::from_be_bytes(random))
}

/// What an administrator sees of how the source was found.
pub(crate) fn explain_source(event: &mut LogEvent, source: &TrustedSource) {
    event.ip = Some(address_text(source.source.exact()));
    event.details.insert(
        "portcullis".to_owned(),
        json!({ "source": source.decision.word() }),
    );
}

/// The identifier for the log: as typed where it names a user or is an address, else a keyed tag,
/// because people type their password into the wrong field (Sigma rule on password-in-username).
pub(crate) fn user_name(
    app: &App,
    tenant: &str,
    typed: &str,
    identifier: &Identifier,
    user: Option<&UserRecord>,
) -> String {
    if user.is_some() || identifier.looks_like_email() {
        return bounded(typed);
    }
    unknown_name(app, tenant, identifier)
}

/// The tag that stands in the log for an identifier that nobody has and that is no address.
pub(crate) fn unknown_name(app: &App, tenant: &str, identifier: &Identifier) -> String {
    let digest = app
        .secrets
        .meters
        .digest(tenant, identifier.as_str().as_bytes());
    let tag: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("unknown:{tag}")
}

/// `details.error.message`, as failed logins have it.
pub(crate) fn error_detail(event: &mut LogEvent, message: &str) {
    event
        .details
        .insert("error".to_owned(), json!({ "message": message }));
}

/// The strategy fields of an event about a database connection.
pub(crate) fn database_strategy(event: &mut LogEvent) {
    event
        .rest
        .insert("strategy".to_owned(), Value::from("auth0"));
    event
        .rest
        .insert("strategy_type".to_owned(), Value::from("database"));
}
