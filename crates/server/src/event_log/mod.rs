//! Log events: what every event of a request has in common, and how failures before a charge are admitted.
//!
//! Wire: auth0-wire-facts §6. Every field is bounded here, since people and attackers choose their content.
//! Who writes an event, and in which commit, is decided where the thing happens.

mod admission;
mod sdk;

use keys::Entropy;
use model::{EventType, Identifier, LogEvent, LogId, UserRecord};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::request::RequestContext;
use crate::source_address::TrustedSource;
pub(crate) use admission::FailureAdmission;
use jiff::Timestamp;
pub(crate) use sdk::sdk_of;

const MAX_TEXT: usize = 512;

/// An event with what this request knows: time, host, caller, user agent.
pub(crate) fn draft(cx: &RequestContext, event_type: EventType) -> LogEvent {
    LogEvent {
        log_id: log_id(cx.now, 0, &*cx.app.entropy),
        date: cx.now,
        event_type,
        description: String::new(),
        client_id: None,
        client_name: None,
        connection: None,
        connection_id: None,
        ip: Some(address_text(cx.address())),
        client_ip: None,
        user_id: None,
        user_name: None,
        user_agent: cx.user_agent.as_deref().map(bounded),
        audience: None,
        scope: None,
        hostname: bounded(&cx.tenant().domain),
        details: Map::new(),
        rest: cx
            .sdk
            .iter()
            .map(|sdk| ("auth0_client".to_owned(), sdk.clone()))
            .collect(),
    }
}

/// Gives events of one commit their time, and ids that keep their order.
pub(crate) fn stamp(events: &mut [LogEvent], at: Timestamp, entropy: &dyn Entropy) {
    for (number, event) in events.iter_mut().enumerate() {
        event.date = at;
        event.log_id = log_id(at, number, entropy);
    }
}

/// 56 decimal digits that sort by time: `900`, the microsecond, the number within one commit, and random digits.
fn log_id(at: Timestamp, number: usize, entropy: &dyn Entropy) -> LogId {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    let tail = u128::from_be_bytes(random) % 10_u128.pow(33);
    LogId::new(format!(
        "900{:017}{:03}{tail:033}",
        at.as_microsecond(),
        number % 1_000
    ))
}

/// No log id of this moment or later comes before it, and none of an earlier one after it.
pub fn first_log_id(at: Timestamp) -> LogId {
    LogId::new(format!("900{:017}", at.as_microsecond().max(0)))
}

/// The moment in a log id, or in the beginning of one.
pub(crate) fn time_of(id: &LogId) -> Option<Timestamp> {
    let micros = id.as_str().get(3..20)?.parse().ok()?;
    Some(model::from_micros(micros))
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

/// Addresses in events: IPv6 fully expanded, as the wire has it.
pub(crate) fn address_text(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => {
            let groups: Vec<String> = v6
                .segments()
                .iter()
                .map(|group| format!("{group:04x}"))
                .collect();
            groups.join(":")
        }
    }
}

/// Cuts at 512 bytes and removes control characters.
pub(crate) fn bounded(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(MAX_TEXT));
    for character in text.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > MAX_TEXT {
            break;
        }
        kept.push(character);
    }
    kept
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ids_have_56_digits_and_sort_by_time() {
        let entropy = keys::SeededEntropy::new(7);
        let early = log_id(model::from_micros(1_000), 999, &entropy);
        let late = log_id(model::from_micros(1_790_000_000_000_000), 0, &entropy);
        assert_eq!(early.as_str().len(), 56);
        assert_eq!(late.as_str().len(), 56);
        assert!(early < late);
        assert_eq!(time_of(&early), Some(model::from_micros(1_000)));
        let first = first_log_id(model::from_micros(1_000));
        assert!(first < early && time_of(&first) == time_of(&early));
    }

    #[test]
    fn logged_text_is_bounded_and_has_no_control_characters() {
        assert_eq!(bounded("a\r\nb\u{1b}[31m"), "ab[31m");
        assert_eq!(bounded(&"é".repeat(1_000)).len(), 512);
    }

    #[test]
    fn ipv6_is_expanded() {
        assert_eq!(
            address_text("2001:db8::1".parse().unwrap()),
            "2001:0db8:0000:0000:0000:0000:0000:0001"
        );
    }
}
