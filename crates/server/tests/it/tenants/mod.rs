//! Several tenants on one server: which one is spoken to, and that nothing leads from one to another.
//!
//! That every function of the store keeps to its tenant is shown in `storage/tests/conformance/isolation.rs`.

mod accounts;
mod furniture;
mod hosts;
mod logins;
mod requests;
mod routes;
pub(crate) mod rows;
mod walk;

pub(crate) use rows::rows as rows_of;
