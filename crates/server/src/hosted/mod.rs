//! Hosted pages: where the links of our mails lead. Plain forms that work without script; templates stand in `pages/`.
//!
//! A GET looks and changes nothing, whoever opens the link: scanners of mails open every one, scripts on.
//! Only the POST of a form, which a person sends, takes a ticket. Nothing here knows cookies.

pub(crate) mod email_verification;
mod ending;
mod holder;
pub(crate) mod page;
pub(crate) mod reset_password;
pub(crate) mod ticket;
pub(crate) mod unblock;
