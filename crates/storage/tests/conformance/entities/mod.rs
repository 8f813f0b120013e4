//! What is kept of each entity, and what its functions answer.

mod accounts;
mod breaches;
mod clients;
mod connections;
mod emails;
mod events;
mod log_retention;
mod log_search;
mod log_streams;
mod mail_queue;
mod meters;
mod statistics;
mod tenants;
mod tickets;
mod tokens_and_keys;
mod users;
