//! Every function of the store on SQLite, on PostgreSQL, and on PostgreSQL as behind a pooler; racing included.
//!
//! It takes the place of checking SQL at compile time: each statement is executed on both engines in each run.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod beside;
mod durability;
mod encryption;
mod entities;
mod group_commit;
mod isolation;
mod large_log;
mod migrations;
mod opening;
mod plans;
mod postgres;
mod processes;
mod racing;
mod rows;
mod schema;
mod stage;
mod units;

/// Runs each story on both engines.
macro_rules! both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($stage:ident: Stage) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every story needs every name")]
            use super::*;
            use $crate::stage::{Engine, Stage};

            async fn story($stage: Stage) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story(Stage::open(Engine::Sqlite).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story(Stage::open(Engine::Postgres).await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_behind_a_pooler() {
                story(Stage::open(Engine::Pooler).await).await;
            }
        }
    )+};
}
pub(crate) use both_engines;
