//! A whole server inside a test, with personas: `Admin`, `Backend`, `Attacker`, `Mailbox`, `Visitor`.
//!
//! Requests go through the real router, in the process, on a real database file (or a real PostgreSQL);
//! the clock is moved by hand. What needs TLS, signals or crashes is tested on the binary instead.

mod admin;
mod answer;
mod attacker;
mod backend;
mod clock;
mod mailbox;
mod visitor;
mod world;

pub use admin::Admin;
pub use answer::Answer;
pub use attacker::Attacker;
pub use backend::{AUDIENCE, Backend, Login, PASSWORD};
pub use clock::HandClock;
pub use mailbox::{Mailbox, link_of};
pub use visitor::Visitor;
pub use world::{Engine, World, WorldSettings};

/// Runs one story on SQLite and on PostgreSQL.
///
/// ```text
/// on_both_engines! {
///     async fn a_block_ends_after_thirty_days(world: World) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: $type:ty) $story:block)+) => {$(
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "a short story needs few names of its module")]
            use super::*;

            async fn story($world: $type) $story

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story($crate::World::start($crate::Engine::Sqlite).await).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story($crate::World::start($crate::Engine::Postgres).await).await;
            }
        }
    )+};
}
