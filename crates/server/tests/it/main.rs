//! Stories of the whole server: one binary, folders that mirror the URLs and the attacks.

mod attacks;
mod oauth;
mod protection;
