//! The tables of the wire that people's protection follows (auth0-wire-facts §5–§7), row by row.
//!
//! What has a story of its own elsewhere is not told again: how blocks end (`protection::block_ends`, `protection::blocks`,
//! `protection::unblock_page`, `people::sign_up`), breached passwords (`breached`), the names and endpoints of templates
//! (`management::email_templates`), tickets (`people::tickets`), how often mails are sent (`protection::block_mail`).

mod log;
mod mails;
mod shields;
