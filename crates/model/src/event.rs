//! A log event: what happened, to whom, from where.
//!
//! The columns that people search are named; the event's own document is in `details` and `rest`.
//! Wire: tenant logs, `auth0-wire-facts` §6. Every field is bounded by its writer.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{ClientId, ConnectionId, LogId, UserId};

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
    /// The reason of the refusal whose record this event is (`details.portcullis.decision.reason`).
    pub fn decision(&self) -> Option<&str> {
        let ours = self.details.get("portcullis")?;
        ours.get("decision")?.get("reason")?.as_str()
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
