//! The token endpoint and what stands around it.

mod client_credentials;
mod password;
mod refusals;
mod well_known;
