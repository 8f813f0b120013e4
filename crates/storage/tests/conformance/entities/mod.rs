//! What is kept of each entity, and what its functions answer.

mod accounts;
mod breaches;
mod clients;
mod connections;
mod emails;
mod events;
mod mail_queue;
mod meters;
mod tenants;
mod tickets;
mod tokens_and_keys;
mod users;
