//! Stories of the whole server: one binary, folders that mirror the URLs and the attacks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod beside;
mod breached;
mod courier;
mod management;
mod oauth;
mod outbox;
mod people;
mod protection;
mod streams;
mod tenants;
mod wire;
