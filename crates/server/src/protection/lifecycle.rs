//! The life of a block in the log, ours beside the wire's `limit_wc` and `ublkdu`: it began, it was lifted and by whom,
//! it came to its end.
//!
//! Each event is written in the unit that makes the change. Throttles that drain (a source, an account within an IPv6 /48)
//! have no such life: they are told by `limit_mu` and `limit_wc` alone.

use guard::MeterKind;
use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent, LogId, Tenant, UserId, wire_time};
use serde_json::{Map, Value, json};
use storage::MeterRecord;

use crate::event_log::{address_text, bounded};

/// Who or what ended a block before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LiftedBy {
    /// Through the Management API.
    Administrator {
        client_id: Option<ClientId>,
        subject: String,
    },
    /// The link of a mail.
    Link,
    /// The account has a new password.
    PasswordChange,
    /// The identifier belongs to a new user since.
    SignUp,
}

impl LiftedBy {
    fn shown(&self) -> Value {
        match self {
            Self::Administrator { client_id, subject } => {
                json!({ "how": "administrator", "client_id": client_id, "subject": bounded(subject) })
            }
            Self::Link => json!({ "how": "link" }),
            Self::PasswordChange => json!({ "how": "password_change" }),
            Self::SignUp => json!({ "how": "sign_up" }),
        }
    }
}

/// The event of a block that was lifted.
pub(super) fn lifted(
    tenant: &Tenant,
    meter: &MeterRecord,
    user: Option<&UserId>,
    by: &LiftedBy,
    now: Timestamp,
) -> LogEvent {
    let mut event = of_block(tenant, EventType::BlockLifted, meter, user, now);
    let how = match by {
        LiftedBy::Administrator { .. } => "by an administrator",
        LiftedBy::Link => "through the link of a mail",
        LiftedBy::PasswordChange => "because the password was changed",
        LiftedBy::SignUp => "because a new user has the identifier",
    };
    event.description = format!("{} was lifted {how}.", subject(&event, meter));
    put(&mut event, "lifted_by", by.shown());
    event
}

fn of_block(
    tenant: &Tenant,
    event_type: EventType,
    meter: &MeterRecord,
    user: Option<&UserId>,
    now: Timestamp,
) -> LogEvent {
    let shown = meter.shown.as_ref();
    let address = shown.and_then(|shown| shown.address.parse().ok());
    let mut event = LogEvent {
        log_id: LogId::new(String::new()),
        date: now,
        event_type,
        description: String::new(),
        client_id: None,
        client_name: None,
        connection: shown.map(|shown| shown.connection.clone()),
        connection_id: None,
        ip: address.map(address_text),
        client_ip: None,
        user_id: user.cloned(),
        user_name: shown.map(|shown| shown.identifier.clone()),
        user_agent: None,
        audience: None,
        scope: None,
        hostname: bounded(&tenant.domain),
        details: Map::new(),
        rest: Map::new(),
    };
    let everywhere = MeterKind::from_code(meter.kind) == Some(MeterKind::Identifier);
    let scope = if everywhere {
        "identifier"
    } else {
        "identifier_and_ip"
    };
    put(&mut event, "scope", json!(scope));
    put(&mut event, "failures", json!(meter.row.failed));
    put(
        &mut event,
        "last_failure",
        json!(wire_time(meter.row.failed_at)),
    );
    event
}

/// How a text names a block.
fn subject(event: &LogEvent, meter: &MeterRecord) -> String {
    let name = event.user_name.as_deref().unwrap_or("unknown");
    match &meter.shown {
        Some(shown) if MeterKind::from_code(meter.kind) != Some(MeterKind::Identifier) => {
            format!("The block of {name} from {}", shown.address)
        }
        _ => format!("The block of {name} from everywhere"),
    }
}

/// Puts one more fact of a block into `details.portcullis.block`.
pub(super) fn put(event: &mut LogEvent, name: &str, value: Value) {
    let ours = event
        .details
        .entry("portcullis")
        .or_insert_with(|| json!({}));
    ours["block"][name] = value;
}
