//! The indexes of the log's events: taken away before a large log is filled, and made again behind it.
//!
//! Made at once they are sorted; kept during the filling, each event would change pages all over them, and filling would
//! take ten times as long.

use rusqlite::Connection;
use storage::{Database, StoreSettings};
use tokio_postgres::NoTls;

use crate::Failure;

/// Takes them away from the database of a stopped server; answers the statements that make them again.
pub(super) async fn take(settings: &StoreSettings) -> Result<Vec<String>, Failure> {
    let found: Vec<(String, String)> = match &settings.database {
        Database::Sqlite { path } => {
            let file = Connection::open(path)?;
            let mut indexes = file.prepare(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'events' AND sql IS NOT NULL",
            )?;
            let rows = indexes.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        }
        Database::Postgres { url, .. } => {
            let client = connect(url).await?;
            let rows = client
                .query(
                    "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey'",
                    &[],
                )
                .await?;
            rows.iter().map(|row| (row.get(0), row.get(1))).collect()
        }
    };
    let (names, definitions): (Vec<String>, Vec<String>) = found.into_iter().unzip();
    let drops: Vec<String> = names
        .iter()
        .map(|name| format!("DROP INDEX {name}"))
        .collect();
    run(settings, &drops).await?;
    Ok(definitions)
}

/// Makes them again.
pub(super) async fn give_back(settings: &StoreSettings, taken: &[String]) -> Result<(), Failure> {
    let largest_cache = match &settings.database {
        Database::Sqlite { .. } => "PRAGMA cache_size = -262144",
        Database::Postgres { .. } => "SET maintenance_work_mem = '256MB'",
    };
    let mut statements = vec![largest_cache.to_owned()];
    statements.extend_from_slice(taken);
    if let Database::Postgres { .. } = settings.database {
        // As its own maintenance does with a table that grows over a month.
        statements.push("VACUUM ANALYZE".to_owned());
    }
    run(settings, &statements).await
}

async fn run(settings: &StoreSettings, statements: &[String]) -> Result<(), Failure> {
    match &settings.database {
        Database::Sqlite { path } => {
            let file = Connection::open(path)?;
            for statement in statements {
                file.execute_batch(statement)?;
            }
        }
        Database::Postgres { url, .. } => {
            let client = connect(url).await?;
            for statement in statements {
                client.batch_execute(statement).await?;
            }
        }
    }
    Ok(())
}

async fn connect(url: &str) -> Result<tokio_postgres::Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the client, and nothing here is shut down"
    )]
    tokio::spawn(connection);
    Ok(client)
}
