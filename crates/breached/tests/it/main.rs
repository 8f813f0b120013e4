//! The list through its public face: built from corpora as they are downloaded, opened, asked, replaced.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod building;
mod corpus;
mod following;
mod opening;
mod support;
