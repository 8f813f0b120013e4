//! The server: every endpoint, the protection around them, background jobs.
//!
//! Only this crate knows HTTP status codes. Rules come from `protocol` and `guard`, rows from `storage`.
//! Folders are named like what they serve: `oauth` (RFC endpoints), `dbconnections` (sign-up and new passwords),
//! `hosted` (pages behind links), `management` (Management API v2), `passwords` (the one way of every new one),
//! `protection` (charge, settle, blocks), `directory` (what is looked up again and again), `answer` (one file a surface).

mod account_mails;
pub mod answer;
mod app;
mod body_deadline;
pub mod bootstrap;
pub mod breach;
mod clock;
mod connection;
pub mod courier;
mod day;
mod dbconnections;
mod directory;
mod event_log;
pub mod failpoint;
mod health;
mod hosted;
mod jobs;
mod log_retention;
pub mod log_streams;
mod management;
mod management_scopes;
pub mod metrics_endpoint;
mod oauth;
mod outbox;
mod outgoing;
mod passwords;
mod protection;
mod request;
mod router;
pub mod serve;
mod settings;
mod source_address;
pub mod statistics;
pub mod sweep;
mod trace;

/// A log event as the Management API shows it, and as exports have it.
pub fn log_event_on_the_wire(event: &model::LogEvent) -> serde_json::Value {
    management::logs::wire(event)
}

pub use app::{App, Secrets};
pub use clock::{Clock, SystemClock};
pub use directory::open_signing_key;
pub use health::excessive_skew;
pub use jobs::Jobs;
pub use management_scopes::MANAGEMENT_SCOPES;
pub use outgoing::{OutgoingError, OutgoingSettings};
pub use router::{MAX_BODY, router};
pub use settings::{ConnectionSettings, MailSettings, ServerSettings, WaitingSettings};
