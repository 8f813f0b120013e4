//! The token endpoint and what stands around it.

mod apis;
mod client_credentials;
mod forgeries;
mod password;
mod refusals;
mod userinfo;
mod well_known;
