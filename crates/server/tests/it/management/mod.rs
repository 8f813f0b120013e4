//! The Management API: who may call it, its conventions, its resources.

mod apis;
mod authorization;
mod clients;
mod connections;
mod conventions;
mod email_provider;
mod email_templates;
mod events;
mod hostile_input;
mod log_settings;
mod logs;
mod many_blocks;
mod not_built;
mod paging;
mod recorded;
mod scopes;
mod statistics;
mod tenant;
mod unblocking;
mod users;
