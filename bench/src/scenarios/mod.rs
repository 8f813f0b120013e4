//! One file a scenario; each answers rows of the table.

pub(crate) mod client_credentials;
pub(crate) mod documents;
pub(crate) mod flooded;
pub(crate) mod footprint;
pub(crate) mod large_database;
mod log_search;
pub(crate) mod password_grant;
pub(crate) mod refused_guess;

/// The generator takes its share of the cores that the limit has for itself.
pub(crate) const SHARED_CORES: &str =
    "the generator and the server share the cores that the limit has alone";
