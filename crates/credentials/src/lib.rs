//! Passwords and their hashes, and the pool that computes them.
//!
//! Hashing is the expensive work of this server, so it has threads, memory and a queue of its own:
//! token signing, keys and management never wait behind it, and what it has no room for is refused early.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

mod hasher;
mod mix;
mod password;
mod password_hash;
mod policy;
mod pool;

pub use hasher::Argon2Implementation;
pub use mix::Mix;
pub use password::{Password, PasswordRefused};
pub use password_hash::{PasswordHash, Scheme, Unreadable};
pub use policy::{FormatValue, Level, PasswordPolicy, PersonalData, RuleOutcome, Unfit};
pub use pool::{
    Against, Busy, ClientStanding, Expired, HashCounts, HashingPool, PoolSettings, Share, Slot,
    Verified,
};
