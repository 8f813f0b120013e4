//! The Management API: tokens that are not its own, paths, queries and bodies; and the wrong method everywhere.

mod addresses;
mod bodies;
mod tokens;

pub(super) use addresses::{addresses, methods};
pub(super) use bodies::bodies;
pub(super) use tokens::{tokens, userinfo};
