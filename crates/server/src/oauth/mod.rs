//! The RFC endpoints: the token endpoint, discovery, keys.

pub(crate) mod client_authentication;
pub(crate) mod discovery;
pub(crate) mod jwks;
pub(crate) mod token;
