//! Attacks by their names in `docs/attacks.md`; what other stories already show is named there and not repeated here.

mod accounts;
mod blocks;
mod counting;
mod document;
mod identifiers;
mod lockout;
mod log;
mod oracles;
mod password_vectors;
mod settings;
mod slow_store;
mod source_addresses;
mod store_failures;
mod tokens;
mod truncation;
