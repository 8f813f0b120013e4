//! The database beside the server, changed by somebody whom the server does not know.

use storage::Database;
use temporary_postgres::TemporaryPostgres;
use testkit::World;

/// Runs SQL beside the server.
pub(crate) fn sql(world: &World, sqlite: &str, postgres: &str) {
    match world.database() {
        Database::Sqlite { path } => rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sqlite)
            .unwrap(),
        Database::Postgres { url, .. } => drop(TemporaryPostgres::shared().sql(url, postgres)),
    }
}
