//! Breached password detection as people and administrators meet it (auth0-wire-facts §5.3).

mod confirmations;
mod digests;
mod login;
mod new_passwords;
mod online;
mod oracles;
mod range_server;
mod sources;
mod support;
