//! Passwords that are known to others: what everybody tries first, and the operator's copy of a breach corpus.
//!
//! A corpus of a billion hashes becomes one file of small binary fuse filters, which is asked where it lies:
//! nothing of it but the first key of each is kept in memory (`docs/decisions/0009-breach-lists-are-read-in-place.md`).
//! Nothing here knows tenants, settings or HTTP; every call blocks on the file and belongs into a blocking thread.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

mod block;
mod build;
mod built_in;
mod corpus;
mod current;
mod first_keys;
mod format;
mod hash;
mod list;

pub use build::{Build, BuildError, Built, Coverage, Existing, Progress, build};
pub use built_in::{BuiltIn, built_in};
pub use corpus::Fault;
pub use current::{CurrentList, Renewal};
pub use hash::Kind;
pub use list::{BreachList, OpenError};
