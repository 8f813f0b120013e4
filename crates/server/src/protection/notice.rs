//! The log events of shields: their codes and the texts clients and rules match on (auth0-wire-facts §6.3).

use guard::{Raised, Reason};
use model::{EventType, LogEvent};
use serde_json::json;

use crate::event_log::draft;
use crate::request::RequestContext;

/// The event of a refusal that is due: one per row and hour.
pub(crate) fn notice_event(
    cx: &RequestContext,
    reason: Reason,
    user_name: &str,
    address: &str,
    threshold: u32,
) -> LogEvent {
    let (event_type, description) = match reason {
        Reason::Blocked => (
            EventType::BruteForceBlock,
            blocked_text(user_name, threshold),
        ),
        Reason::SuspiciousIp => (EventType::SuspiciousIpBlock, suspicious_text(address)),
        Reason::Pool => (
            EventType::Warning,
            format!(
                "Too many requests of one kind came from the IP address {address}; further ones are refused for a while."
            ),
        ),
        Reason::SameUser => (
            EventType::SameUserLimit,
            format!(
                "User ({user_name}) logged in too often from the IP address {address}; further logins are delayed."
            ),
        ),
    };
    let mut event = draft(cx, event_type);
    event.description = description;
    if reason == Reason::SuspiciousIp {
        event.details.insert("flow".to_owned(), json!("login"));
    }
    event
}

/// The event of a line that a settle crossed.
pub(crate) fn raised_event(
    cx: &RequestContext,
    raised: &Raised,
    user_name: &str,
    address: &str,
) -> LogEvent {
    match raised {
        Raised::Blocked { threshold, .. } => {
            notice_event(cx, Reason::Blocked, user_name, address, *threshold)
        }
        Raised::SuspiciousIp => notice_event(cx, Reason::SuspiciousIp, user_name, address, 0),
        Raised::ManyUsers { at_least } => {
            let mut event = draft(cx, EventType::Warning);
            event.description = format!(
                "At least {at_least} users failed to log in from {address} within an hour, all through one application \
                 that passes no trusted end-user address. They share that address's limits and will block each other. \
                 Switch on Trust Token Endpoint IP Header for the application and send auth0-forwarded-for."
            );
            event
        }
    }
}

/// The event of an account that is tried from many sources.
pub(crate) fn spread_event(cx: &RequestContext, user_name: &str, at_least: u32) -> LogEvent {
    let mut event = draft(cx, EventType::Warning);
    event.description = format!(
        "Wrong passwords for {user_name} came from at least {at_least} addresses or networks within an hour. Each of them \
         has a budget of its own, so nothing is refused that stays below it. Have the user choose a new password that he \
         uses nowhere else; count_per_identifier stops it, for the price that anybody can lock him out."
    );
    event
}

fn blocked_text(user_name: &str, threshold: u32) -> String {
    format!(
        "User ({user_name}) attempted {threshold} consecutive logins unsuccessfully. Brute force protection is enabled \
         for this connection, further attempts are blocked from this IP address for this user."
    )
}

fn suspicious_text(address: &str) -> String {
    format!(
        "Someone behind the IP address: {address} attempted too many consecutive logins with different usernames. \
         A shield to prevent this attack is enabled, further attempts are blocked from this IP address."
    )
}
