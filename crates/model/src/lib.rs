//! The nouns of Portcullis: tenants, applications, APIs, connections, users, grants, log events.
//!
//! Plain values with their wire names; no rules, no I/O.
//! What an entity *means* for a request is decided in `protocol` and `guard`; where it is kept, in `storage`.

mod attack_protection;
mod client;
mod client_grant;
mod connection;
mod email;
mod event;
mod event_category;
mod event_filter;
mod event_text;
mod header_trust;
mod id;
mod identifier;
mod log_settings;
mod log_stream;
mod resource_server;
mod tenant;
mod ticket;
mod user;
mod wire_time;

pub use attack_protection::{
    AttackProtection, BreachedPasswordSettings, BreachedPasswordStage, BreachedPasswordStages,
    BruteForceSettings, ExistingAccount, SameUserSettings, SignUpSettings, StageSettings,
    SuspiciousIpSettings, SuspiciousIpStages,
};
pub use client::{
    ApplicationType, Client, ClientRecord, JwtConfiguration, SigningAlgorithm,
    TokenEndpointAuthMethod,
};
pub use client_grant::{ClientGrant, SubjectType};
pub use connection::{Connection, ConnectionOptions, DATABASE_STRATEGY};
pub use email::{EmailProvider, EmailTemplate};
pub use event::{EventType, LogEvent};
pub use event_category::EventCategory;
pub use event_filter::{EventField, EventFilter, Part, Pattern, Span, Spelling};
pub use event_text::{
    MAX_EVENT_TEXT, address_text, bounded_text, is_visible, tidy, tidy_members, visible_text,
};
pub use header_trust::HeaderTrust;
pub use id::{
    ClientGrantId, ClientId, ConnectionId, LogId, LogStreamId, ResourceServerId, TenantId, UserId,
};
pub use identifier::{Identifier, MAX_IDENTIFIER_CHARS};
pub use log_settings::LogSettings;
pub use log_stream::{ContentFormat, LogStream, LogStreamSettings, LogStreamStatus};
pub use resource_server::{
    ClientAccess, ClientPolicy, ResourceServer, ResourceServerScope, SubjectTypeAuthorization,
    TokenDialect, UserAccess, UserPolicy,
};
pub use tenant::{Tenant, TenantSettings};
pub use ticket::TicketKind;
pub use user::{Identity, User, UserRecord};
pub use wire_time::{from_micros, to_micros, wire_time};
