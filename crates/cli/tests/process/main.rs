//! The real binary as child processes: hostile bytes, crashes, signals, two nodes, durability, bad settings.
//!
//! What needs no process of its own is told in `crates/server/tests/it`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod bad_settings;
mod breach_list;
mod breached_passwords;
#[cfg(feature = "failpoints")]
mod crash;
mod deployment;
mod doctor;
mod drain;
mod durability;
mod hostile;
mod logs;
#[cfg(feature = "failpoints")]
mod mails;
mod settings;
#[cfg(feature = "failpoints")]
mod streams;
mod tenants;
mod two_nodes;
