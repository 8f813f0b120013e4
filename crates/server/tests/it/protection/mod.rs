//! Attack protection as its users meet it.

mod block_ends;
mod block_mail;
mod blocks;
mod client_secrets;
mod concurrency;
mod decisions;
mod false_positives;
mod flood;
mod hang_up;
mod header_trust;
pub(crate) mod indistinguishable;
mod settings;
mod source;
mod unblock_page;
