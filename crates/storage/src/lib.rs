//! Where everything is kept: one `Store` on SQLite or PostgreSQL, reached through a tenant's handle.
//!
//! It answers found, added, moved, taken; what that means is decided in `protocol`, `guard` and `server`.
//! It never sees a plain secret: its functions accept digests and sealed values.
//! Writing is by units that can run again ([`TenantStore::write`]), so that SQLite commits many at once and
//! PostgreSQL repeats what another transaction disturbed.

mod access_tokens;
mod answer;
mod breaches;
mod client_grants;
mod clients;
mod connections;
mod deployment;
mod email_providers;
mod email_templates;
mod engine;
mod error;
mod events;
mod expiry;
mod job_records;
mod log_marks;
mod log_retention;
mod log_streams;
mod mail_queue;
mod meters;
mod migrations;
mod password_history;
mod password_mix;
mod promptness;
mod resource_servers;
mod settings;
mod signing_keys;
mod statement;
mod statistics;
mod store;
mod tenant_store;
mod tenants;
mod tickets;
mod trace;
mod users;
mod work;

pub use access_tokens::AccessTokenRecord;
pub use answer::{Added, Listed, Page, Written};
pub use breaches::{BreachCount, BreachTally, DailyBreaches, TakenDigest};
pub use client_grants::GrantFilter;
pub use connections::{ConnectionFilter, ConnectionRecord};
pub use email_providers::EmailProviderRecord;
pub use email_templates::EmailTemplateRecord;
pub use engine::{Copied, copy_sqlite};
pub use error::{OpenError, StoreError};
pub use events::{
    CHECKPOINT_DELAY, DecisionFilter, EVENT_TOTAL_LIMIT, EVENTS_LOOKED_AT, EventQuery, EventRange,
    Searched,
};
pub use job_records::JobRecord;
pub use log_marks::LogMark;
pub use log_retention::BlockEvent;
pub use log_streams::{
    LogStreamClaim, LogStreamDelivery, LogStreamLag, LogStreamOutcome, LogStreamRecord,
    WaitingLogStream,
};
pub use mail_queue::{ClaimedMail, QueuedMail, Settled};
pub use meters::{MeterKey, MeterRecord, MeterWrite, Shown};
pub use promptness::EVENTS_COMMIT_WITHIN;
pub use resource_servers::ResourceServerRecord;
pub use settings::{Database, StoreSettings};
pub use signing_keys::{SigningKeyRecord, SigningKeyState};
pub use statistics::{DayCounts, DayStatistics, LogHead};
pub use store::{CommitCounts, Store};
pub use tenant_store::TenantStore;
pub use tickets::TicketRecord;
pub use trace::{StatementTrace, Tally};
pub use users::{SignedUp, UserFilter};
pub use work::Work;
