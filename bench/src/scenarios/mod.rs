//! One file a scenario; each answers a row of the table.

pub(crate) mod password_grant;
pub(crate) mod refused_guess;
