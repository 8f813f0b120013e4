//! One target for each public parser on the path of a login.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod form;
mod identifier;
mod json;
mod password_hash;
mod scope;
mod token;
mod token_request;
