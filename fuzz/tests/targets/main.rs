//! One target for each public parser on the path of a login.

mod allowlist;
mod bearer;
mod client;
mod form;
mod identifier;
mod json;
mod log_search;
mod password_hash;
mod scope;
mod sign_up;
mod token;
mod token_request;
