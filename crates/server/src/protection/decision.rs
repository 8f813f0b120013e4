//! The record of a refusal: which meters were read, how they stood, how the source was found, why and until when.
//!
//! It is written into the refusal's log event (`details.portcullis.decision`), in the unit that writes that event: at most
//! once an hour and row. Refusals between two events, also those that a node remembers, are covered by the first record.
//! What a meter says is the guard's (`Plan::explain`); here it only gets its words.

use std::net::IpAddr;

use guard::{Explained, MeterKind, Reason, Rule, Says, Shield, Source, Standing};
use jiff::Timestamp;
use model::{LogEvent, wire_time};
use serde_json::{Map, Value, json};

use crate::event_log::address_text;
use crate::source_address::TrustedSource;

/// The words for reasons, in the order in which a refusal is answered. The list can be filtered by them.
pub(crate) const REASONS: [&str; 10] = [
    BRUTE_FORCE,
    SUSPICIOUS_IP,
    SAME_USER,
    SIGN_UP,
    CLIENT_SECRETS,
    TICKETS,
    CONFIRMATIONS,
    MAILS,
    BREACHED_PASSWORD,
    "many_users",
];
pub(crate) const BRUTE_FORCE: &str = "brute_force";
pub(crate) const SUSPICIOUS_IP: &str = "suspicious_ip";
pub(crate) const SAME_USER: &str = "same_user";
pub(crate) const SIGN_UP: &str = "sign_up";
pub(crate) const CLIENT_SECRETS: &str = "client_secrets";
pub(crate) const TICKETS: &str = "tickets";
pub(crate) const CONFIRMATIONS: &str = "confirmations";
pub(crate) const MAILS: &str = "mails";
pub(crate) const BREACHED_PASSWORD: &str = "breached_password";

/// Whom a refusal met, as far as it is known.
pub(crate) struct Whom<'a> {
    pub(crate) identifier: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
}

/// What ends a refusal for this reason before its time, each with the call that does it.
pub(crate) fn lifts(reason: &str, whom: &Whom<'_>) -> Vec<Value> {
    const SHIELDS: &str = "PATCH /api/v2/attack-protection";
    let lift = |how: &str, call: String| json!({ "how": how, "call": call });
    let of_identifier = whom.identifier.map(|identifier| {
        let identifier: String = form_urlencoded::byte_serialize(identifier.as_bytes()).collect();
        let call = format!("DELETE /api/v2/user-blocks?identifier={identifier}");
        lift("Unblock the account, from every address.", call)
    });
    let of_user = whom.user.map(|user| {
        let call = format!("PATCH {}", user_path(user));
        lift("Give the user a new password.", call)
    });
    let of_address = whom.address.map(|address| {
        let call = format!("DELETE /api/v2/anomaly/blocks/ips/{address}");
        lift("Unblock the address, and every account from it.", call)
    });
    let setting = match reason {
        BRUTE_FORCE => Some(lift(
            "Raise max_attempts above what is counted.",
            format!("{SHIELDS}/brute-force-protection"),
        )),
        SUSPICIOUS_IP | SIGN_UP => Some(lift(
            "Raise max_attempts of the stage, or put an address that many people share on the allowlist.",
            format!("{SHIELDS}/suspicious-ip-throttling"),
        )),
        SAME_USER => Some(lift(
            "Raise same_user.max_attempts; it drains by itself within minutes.",
            "PATCH /api/v2/portcullis/attack-protection".to_owned(),
        )),
        _ => None,
    };
    let (identifier, user, address) = match reason {
        BRUTE_FORCE => (of_identifier, of_user, of_address),
        SUSPICIOUS_IP | SIGN_UP | CLIENT_SECRETS | TICKETS => (None, None, of_address),
        BREACHED_PASSWORD => (None, of_user, None),
        _ => (None, None, None),
    };
    let all = [identifier, address, user, setting];
    all.into_iter().flatten().collect()
}

/// The path of a user in the Management API.
pub(crate) fn user_path(user: &str) -> String {
    format!("/api/v2/users/{}", user.replace('|', "%7C"))
}

/// Puts the record of a refusal by meters into its event.
pub(crate) fn record(
    event: &mut LogEvent,
    reason: Reason,
    explained: &[Explained],
    source: &SourceFound,
) {
    let Some(word) = word_of_reason(reason, explained) else {
        return;
    };
    insert(
        event,
        document(word, ends_at(reason, explained), explained, source),
    );
}

/// Puts the record of a breached password into its event, which says where it came from: no meter decides it, and no time
/// ends it.
pub(crate) fn record_breached(event: &mut LogEvent, refused: bool) {
    let header = event.details.get("portcullis");
    let header = header.and_then(|ours| ours.get("source")).cloned();
    let decision = json!({
        "reason": BREACHED_PASSWORD,
        "refused": refused,
        "source": { "address": event.ip, "header": header },
        "meters": [],
    });
    insert(event, decision);
}

/// How the source of a call was found.
pub(crate) struct SourceFound {
    source: Source,
    header: &'static str,
    why: &'static str,
    standing: &'static str,
}

impl SourceFound {
    /// Where the application's word was looked at.
    pub(crate) fn of(found: &TrustedSource) -> Self {
        Self {
            source: found.source,
            header: found.decision.word(),
            why: found.decision.why(),
            standing: standing_word(found.standing),
        }
    }

    /// Where only the caller's own address counts.
    pub(crate) fn own(address: IpAddr) -> Self {
        Self {
            source: Source::new(address),
            header: "not looked at",
            why: "What is counted here belongs to the caller's own address, whatever a header says.",
            standing: standing_word(Standing::Own),
        }
    }

    pub(crate) fn shown(&self) -> Value {
        json!({
            "address": address_text(self.source.exact()),
            "network": self.source.prefix().to_string(),
            "header": self.header,
            "why": self.why,
            "standing": self.standing,
        })
    }
}

/// The reason in a word, as far as these meters give it.
pub(crate) fn word_of_reason(reason: Reason, explained: &[Explained]) -> Option<&'static str> {
    explained
        .iter()
        .find(|meter| meter.reason == Some(reason) && is_full(meter))
        .map(|meter| word_of(meter.name.kind))
}

/// When the meters that refuse for this reason would admit an attempt, if nothing else happens.
pub(crate) fn ends_at(reason: Reason, explained: &[Explained]) -> Option<Timestamp> {
    let refusing = explained
        .iter()
        .filter(|meter| meter.reason == Some(reason));
    refusing
        .filter_map(|meter| match meter.says {
            Says::Refuse { until } => Some(until),
            Says::Admit | Says::Wait => None,
        })
        .max()
}

/// A meter as people see it.
pub(crate) fn meter_shown(meter: &Explained) -> Value {
    let (says, until) = match meter.says {
        Says::Admit => ("admit", None),
        Says::Wait => ("wait", None),
        Says::Refuse { until } => ("refuse", Some(until)),
    };
    let mut shown = json!({
        "kind": kind_word(meter.name.kind),
        "counts": counts(meter.name.kind),
        "counted": meter.counted,
        "limit": meter.limit,
        "in_flight": meter.in_flight,
        "says": says,
        "enforced": meter.shield == Shield::Enforce && meter.reason.is_some(),
        "forgets": forgets(&meter.rule),
    });
    if let Some(network) = meter.name.network {
        shown["network"] = json!(network.to_string());
    }
    if let Rule::Failures { rate, .. } | Rule::Attempts { rate, .. } = meter.rule {
        shown["one_back_every_ms"] = json!(u64::try_from(rate.as_millis()).unwrap_or(u64::MAX));
    }
    for (name, time) in [("until", until), ("empty_at", meter.empty_at)] {
        if let Some(time) = time {
            shown[name] = json!(wire_time(time));
        }
    }
    shown
}

fn document(
    reason: &str,
    ends_at: Option<Timestamp>,
    explained: &[Explained],
    source: &SourceFound,
) -> Value {
    let refused = explained.is_empty() || explained.iter().any(Explained::refuses);
    let mut shown = json!({
        "reason": reason,
        "refused": refused,
        "source": source.shown(),
        "meters": explained.iter().map(meter_shown).collect::<Vec<_>>(),
    });
    if let Some(ends_at) = ends_at {
        shown["ends_at"] = json!(wire_time(ends_at));
    }
    shown
}

fn insert(event: &mut LogEvent, decision: Value) {
    let ours = event
        .details
        .entry("portcullis")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(members) = ours.as_object_mut() {
        members.insert("decision".to_owned(), decision);
    }
}

fn is_full(meter: &Explained) -> bool {
    matches!(meter.says, Says::Refuse { .. })
}

fn word_of(kind: MeterKind) -> &'static str {
    match kind {
        MeterKind::Pair | MeterKind::Identifier | MeterKind::IdentifierPrefix => BRUTE_FORCE,
        MeterKind::Source(_) => SUSPICIOUS_IP,
        MeterKind::SameUser => SAME_USER,
        MeterKind::ManyUsers => "many_users",
        MeterKind::SignUp(_) => SIGN_UP,
        MeterKind::Confirmation(_) => CONFIRMATIONS,
        MeterKind::Ticket(_) => TICKETS,
        MeterKind::ClientSecret(_) => CLIENT_SECRETS,
        MeterKind::MailAsked(_)
        | MeterKind::MailAskedFor
        | MeterKind::MailTo
        | MeterKind::MailAbout => MAILS,
    }
}

fn kind_word(kind: MeterKind) -> &'static str {
    match kind {
        MeterKind::Pair => "account_and_source",
        MeterKind::Identifier => "account",
        MeterKind::IdentifierPrefix => "account_and_ipv6_48",
        MeterKind::Source(_) => "source",
        MeterKind::SameUser => "logins_of_account_and_source",
        MeterKind::ManyUsers => "accounts_of_source",
        MeterKind::SignUp(_) => "sign_ups_of_source",
        MeterKind::Confirmation(_) => "breach_confirmations_of_source",
        MeterKind::Ticket(_) => "wrong_tickets_of_source",
        MeterKind::ClientSecret(_) => "wrong_client_secrets_of_source",
        MeterKind::MailAsked(_) => "mails_asked_by_source",
        MeterKind::MailAskedFor => "mails_asked_by_source_for_address",
        MeterKind::MailTo => "mails_to_address",
        MeterKind::MailAbout => "mails_to_address_about_source",
    }
}

/// What it counts, in a sentence.
fn counts(kind: MeterKind) -> &'static str {
    match kind {
        MeterKind::Pair => {
            "Failed logins of this account from this network since its last success there."
        }
        MeterKind::Identifier => {
            "Failed logins of this account from anywhere since its last success."
        }
        MeterKind::IdentifierPrefix => "Failed logins of this account from this IPv6 network.",
        MeterKind::Source(_) => "Failed logins from this network, of whatever account.",
        MeterKind::SameUser => "Logins of this account from this network, right ones too.",
        MeterKind::ManyUsers => {
            "Accounts that failed from this network within an hour. It never refuses."
        }
        MeterKind::SignUp(_) => "Sign-ups from this network, whatever came of them.",
        MeterKind::Confirmation(_) => {
            "Right but breached passwords of which this network was told."
        }
        MeterKind::Ticket(_) => "Wrong one-time links of this kind from this network.",
        MeterKind::ClientSecret(_) => "Wrong secrets of this application from this network.",
        MeterKind::MailAsked(_) => "Mails that this network asked for.",
        MeterKind::MailAskedFor => "Mails that this network asked for, to this address.",
        MeterKind::MailTo => "Mails of this purpose to this address.",
        MeterKind::MailAbout => "Mails of this purpose to this address about this network.",
    }
}

fn forgets(rule: &Rule) -> &'static str {
    match rule {
        Rule::Consecutive { .. } => "All at once: at a success, or 30 days after the last failure.",
        Rule::Failures { .. } => "One failure at a time, evenly.",
        Rule::Attempts { .. } => "One attempt at a time, evenly; a success does not help.",
        Rule::Accounts => "All at once, an hour after the first.",
    }
}

/// The word for how far an address is believed.
pub(crate) fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Own => "the caller's own",
        Standing::Vouched => "named by a trusted application",
        Standing::Distrusted => "the application's own, and no allowlist applies",
        Standing::Backend => "the application's own, shared by its users",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_meter_has_words_of_its_own() {
        let kinds: Vec<MeterKind> = (1..=i16::MAX).map_while(MeterKind::from_code).collect();
        assert!(kinds.len() >= 26);
        let mut words = BTreeSet::new();
        for kind in kinds {
            words.insert((kind_word(kind), counts(kind)));
            assert!(REASONS.contains(&word_of(kind)), "{kind:?}");
        }
        let distinct: BTreeSet<&str> = words.iter().map(|(word, _)| *word).collect();
        assert_eq!(distinct.len(), words.len());
    }
}
