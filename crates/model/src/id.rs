//! Identifiers as types, so that a client id cannot be passed for a user id.
//!
//! Their text forms are the wire's own (`con_…`, `cgr_…`, `auth0|…`); who makes them decides how they look.
//! Nothing is validated here: an id that names nothing is simply not found.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text form, as on the wire and in the database.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A tenant: the owner of every row.
    TenantId,
    /// An application's `client_id`: 32 letters and digits.
    ClientId,
    /// An API's own id: 24 hexadecimal digits (its `identifier` is the audience).
    ResourceServerId,
    /// A user directory: `con_` and 16 letters and digits.
    ConnectionId,
    /// A user: `auth0|` and 24 hexadecimal digits, or what the caller gave after the bar.
    UserId,
    /// A client grant: `cgr_` and 16 letters and digits.
    ClientGrantId,
    /// A log event: 56 decimal digits, sortable by time.
    LogId,
    /// A log stream: `lst_` and 16 decimal digits.
    LogStreamId,
}
