//! The life of a block in the log, ours beside the wire's `limit_wc` and `ublkdu`: it began, it was lifted and by whom,
//! it came to its end.
//!
//! Each event is written in the unit that makes the change. Throttles that drain (a source, an account within an IPv6 /48)
//! have no such life: they are told by `limit_mu` and `limit_wc` alone.

use guard::{BLOCK_LIFE, MeterKind, Row};
use jiff::Timestamp;
use model::{ClientId, EventType, LogEvent, Tenant, wire_time};
use serde_json::{Value, json};
use storage::{MeterRecord, Shown};

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
    /// The threshold was raised, or protection was switched off or told to watch only.
    Settings,
    /// A login that was under way when the block began was right.
    Success,
}

impl LiftedBy {
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Administrator { .. } => ("administrator", "by an administrator"),
            Self::Link => ("link", "through the link of a mail"),
            Self::PasswordChange => ("password_change", "because the password was changed"),
            Self::SignUp => ("sign_up", "because a new user has the identifier"),
            Self::Settings => ("settings", "by a change of the settings"),
            Self::Success => ("success", "by a login that was under way"),
        }
    }

    fn shown(&self) -> Value {
        let (how, _) = self.words();
        match self {
            Self::Administrator { client_id, subject } => {
                json!({ "how": how, "client_id": client_id, "subject": bounded(subject) })
            }
            _ => json!({ "how": how }),
        }
    }
}

/// A block as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: MeterKind,
    pub(crate) row: Row,
    pub(crate) shown: Shown,
}

impl Block {
    /// The block of a meter; none if its kind makes no blocks.
    pub(crate) fn of(meter: &MeterRecord) -> Option<Self> {
        let kind = MeterKind::from_code(meter.kind).filter(|kind| kind.is_block())?;
        Some(Self {
            kind,
            row: meter.row.clone(),
            shown: meter.shown.clone()?,
        })
    }

    fn is_everywhere(&self) -> bool {
        self.kind == MeterKind::Identifier
    }

    fn ends_at(&self) -> Timestamp {
        self.row
            .failed_at
            .checked_add(BLOCK_LIFE)
            .unwrap_or(Timestamp::MAX)
    }

    /// How a text names it.
    fn subject(&self) -> String {
        let Shown {
            identifier,
            address,
            ..
        } = &self.shown;
        match self.is_everywhere() {
            true => format!("The block of {identifier} from everywhere"),
            false => format!("The block of {identifier} from {address}"),
        }
    }
}

/// The event of a block that began.
pub(crate) fn created(tenant: &Tenant, block: &Block, now: Timestamp) -> LogEvent {
    let mut event = of_block(tenant, EventType::BlockCreated, block, now);
    event.description = format!(
        "{} began after {} wrong passwords.",
        block.subject(),
        block.row.failed
    );
    put(&mut event, "threshold", json!(block.row.told));
    put(&mut event, "ends_at", json!(wire_time(block.ends_at())));
    event
}

/// The event of a block that was lifted.
pub(crate) fn lifted(tenant: &Tenant, block: &Block, by: &LiftedBy, now: Timestamp) -> LogEvent {
    let mut event = of_block(tenant, EventType::BlockLifted, block, now);
    event.description = format!("{} was lifted {}.", block.subject(), by.words().1);
    put(&mut event, "lifted_by", by.shown());
    event
}

/// The event of a block that stands no more although nobody lifted it: its time is over, or the settings have changed.
pub(crate) fn ended(tenant: &Tenant, block: &Block, now: Timestamp) -> LogEvent {
    if now < block.ends_at() {
        return lifted(tenant, block, &LiftedBy::Settings, now);
    }
    let mut event = of_block(tenant, EventType::BlockExpired, block, now);
    event.description = format!("{} came to its end after 30 days.", block.subject());
    put(&mut event, "ended_at", json!(wire_time(block.ends_at())));
    event
}

fn of_block(tenant: &Tenant, event_type: EventType, block: &Block, now: Timestamp) -> LogEvent {
    let shown = &block.shown;
    let mut event = LogEvent {
        connection: Some(shown.connection.clone()),
        ip: shown.address.parse().ok().map(address_text),
        user_id: shown.user.clone(),
        user_name: Some(shown.identifier.clone()),
        ..LogEvent::bare(now, event_type, bounded(&tenant.domain))
    };
    let scope = match block.is_everywhere() {
        true => "identifier",
        false => "identifier_and_ip",
    };
    put(&mut event, "scope", json!(scope));
    put(&mut event, "failures", json!(block.row.failed));
    put(
        &mut event,
        "last_failure",
        json!(wire_time(block.row.failed_at)),
    );
    event
}

/// Puts one more fact of a block into `details.portcullis.block`.
pub(crate) fn put(event: &mut LogEvent, name: &str, value: Value) {
    let ours = event
        .details
        .entry("portcullis")
        .or_insert_with(|| json!({}));
    ours["block"][name] = value;
}
