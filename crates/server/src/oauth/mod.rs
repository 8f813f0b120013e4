//! The RFC endpoints: the token endpoint, discovery, keys, userinfo.

pub(crate) mod client_authentication;
pub(crate) mod discovery;
pub(crate) mod jwks;
pub(crate) mod token;
pub(crate) mod userinfo;
