//! A log event: what happened, to whom, from where.
//!
//! The columns that people search are named; the event's own document is in `details` and `rest`.
//! Wire: tenant logs, `auth0-wire-facts` §6. Every field is bounded by its writer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{ClientId, ConnectionId, LogId, UserId, from_micros};

/// One log event.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEvent {
    pub log_id: LogId,
    pub date: Timestamp,
    pub event_type: EventType,
    pub description: String,
    pub client_id: Option<ClientId>,
    pub client_name: Option<String>,
    pub connection: Option<String>,
    pub connection_id: Option<ConnectionId>,
    /// The end user's address by the decision of the request.
    pub ip: Option<String>,
    /// The caller's own address; on exchange events only.
    pub client_ip: Option<String>,
    pub user_id: Option<UserId>,
    /// The identifier as typed, or a keyed tag of it.
    pub user_name: Option<String>,
    pub user_agent: Option<String>,
    pub audience: Option<String>,
    pub scope: Option<String>,
    pub hostname: String,
    pub details: Map<String, Value>,
    /// `strategy`, `strategy_type`, `auth0_client`, …
    pub rest: Map<String, Value>,
}

impl LogEvent {
    /// An event of which only this is known; its id is its writer's to give.
    pub fn bare(date: Timestamp, event_type: EventType, hostname: String) -> Self {
        Self {
            log_id: LogId::new(String::new()),
            date,
            event_type,
            description: String::new(),
            client_id: None,
            client_name: None,
            connection: None,
            connection_id: None,
            ip: None,
            client_ip: None,
            user_id: None,
            user_name: None,
            user_agent: None,
            audience: None,
            scope: None,
            hostname,
            details: Map::new(),
            rest: Map::new(),
        }
    }

    /// The same event at another time; its id keeps its number and its random digits.
    #[must_use]
    pub fn dated(&self, at: Timestamp) -> Self {
        Self {
            log_id: self.log_id.moved_to(at),
            date: at,
            ..self.clone()
        }
    }

    /// The reason of the refusal whose record this event is (`details.portcullis.decision.reason`).
    pub fn decision(&self) -> Option<&str> {
        let ours = self.details.get("portcullis")?;
        ours.get("decision")?.get("reason")?.as_str()
    }
}

/// A log id is `900`, the microsecond in 17 digits, the number within one commit in 3, and 33 random digits.
impl LogId {
    /// The id of an event of this moment; `tail` is random.
    pub fn of(at: Timestamp, number: usize, tail: u128) -> Self {
        let (at, number) = (at.as_microsecond().max(0), number % 1_000);
        let tail = tail % 10_u128.pow(33);
        Self::new(format!("900{at:017}{number:03}{tail:033}"))
    }

    /// No id of this moment or later comes before it, and none of an earlier one after it.
    pub fn first_of(at: Timestamp) -> Self {
        Self::new(format!("900{:017}", at.as_microsecond().max(0)))
    }

    fn moved_to(&self, at: Timestamp) -> Self {
        let begin = Self::first_of(at);
        let rest = self.as_str().get(begin.as_str().len()..);
        Self::new(format!("{begin}{}", rest.unwrap_or_default()))
    }

    /// The moment that it begins with.
    pub fn time(&self) -> Option<Timestamp> {
        let micros = self.as_str().strip_prefix("900")?.get(..17)?;
        micros.parse().ok().map(from_micros)
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// The code of an event (`type` on the wire).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventType { $($(#[$doc])* $name),+ }

        impl EventType {
            /// Every code this server writes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as on the wire.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The type with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

event_types! {
    /// A password was exchanged for a token.
    PasswordExchangeSucceeded = "sepft",
    /// A password was not exchanged for a token.
    PasswordExchangeFailed = "fepft",
    /// Wrong password of a known user.
    WrongPassword = "fp",
    /// No user with this identifier.
    UnknownUser = "fu",
    /// A login failed for another reason, such as a blocked user.
    LoginFailed = "f",
    /// Brute-force protection blocks.
    BruteForceBlock = "limit_wc",
    /// Suspicious IP throttling blocks.
    SuspiciousIpBlock = "limit_mu",
    /// Too many logins of one user from one source.
    SameUserLimit = "limit_sul",
    /// Client credentials were exchanged for a token.
    ClientCredentialsSucceeded = "seccft",
    /// Client credentials were not exchanged for a token.
    ClientCredentialsFailed = "feccft",
    /// A right password that is breached.
    BreachedPassword = "pwd_leak",
    /// A sign-up with a breached password.
    BreachedPasswordAtSignup = "signup_pwd_leak",
    /// A new password that is breached.
    BreachedPasswordAtChange = "reset_pwd_leak",
    /// A block was lifted through the link of a mail.
    UserUnblocked = "ublkdu",
    /// A block began; ours.
    BlockCreated = "portcullis_block_created",
    /// A block was lifted before its time; ours.
    BlockLifted = "portcullis_block_lifted",
    /// A block came to its end by itself; ours.
    BlockExpired = "portcullis_block_expired",
    /// A sign-up.
    SignupSucceeded = "ss",
    SignupFailed = "fs",
    /// A password was changed by its user.
    PasswordChanged = "scp",
    PasswordChangeFailed = "fcp",
    /// A mail to change a password was asked for.
    PasswordChangeRequested = "scpr",
    PasswordChangeRequestFailed = "fcpr",
    /// An address was shown to be its user's own.
    EmailVerified = "sv",
    EmailVerificationFailed = "fv",
    /// A mail to verify an address was asked for.
    VerificationRequested = "svr",
    VerificationRequestFailed = "fvr",
    /// A change through the Management API.
    ManagementWrite = "sapi",
    /// A mail was given up.
    NotificationFailed = "fn",
    /// A warning for administrators, such as many users failing from one untrusted source.
    Warning = "w",
    /// A log stream was suspended, because its receiver failed for too long; ours.
    LogStreamSuspended = "portcullis_log_stream_suspended",
    /// Events were dropped before a log stream had sent them; ours.
    LogStreamGap = "portcullis_log_stream_gap",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ids_have_56_digits_and_sort_by_time() {
        let early = LogId::of(from_micros(1_000), 999, u128::MAX);
        let late = LogId::of(from_micros(1_790_000_000_000_000), 0, 7);
        assert_eq!(early.as_str().len(), 56);
        assert_eq!(late.as_str().len(), 56);
        assert!(early < late);
        assert!(LogId::first_of(from_micros(1_000)) < early);
        assert!(early < LogId::first_of(from_micros(1_001)));
        assert_eq!(late.time(), Some(from_micros(1_790_000_000_000_000)));
        assert_eq!(LogId::new("900x").time(), None);
    }

    #[test]
    fn an_event_that_is_dated_anew_keeps_its_place_within_its_commit() {
        let (first, again) = (from_micros(1_000), from_micros(2_000));
        let event = LogEvent {
            log_id: LogId::of(first, 12, 7),
            ..LogEvent::bare(first, EventType::WrongPassword, "a.example".to_owned())
        };
        let expected = LogEvent {
            log_id: LogId::of(again, 12, 7),
            date: again,
            ..event.clone()
        };
        assert_eq!(event.dated(again), expected);
    }
}
