//! The Management API: who may call it, its conventions, its resources.

mod authorization;
mod clients;
mod conventions;
mod users;
