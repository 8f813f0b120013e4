//! Every row of a tenant as it stands in the database, whatever the Management API shows of it.
//!
//! The tables are those of the schema that have a tenant, so that a new one is looked at too.

use storage::Database;
use temporary_postgres::TemporaryPostgres;
use testkit::World;

/// One line a row, which begins with its table.
pub(crate) fn rows(world: &World) -> Vec<String> {
    let tenant = world.tenant.id.as_str();
    let mut rows = match world.database() {
        Database::Sqlite { path } => sqlite(&rusqlite::Connection::open(path).unwrap(), tenant),
        Database::Postgres { url, .. } => postgres(url, tenant),
    };
    assert!(rows.len() > 10, "{rows:?}");
    rows.sort();
    rows
}

/// The same without the log.
pub(super) fn rows_but_events(world: &World) -> Vec<String> {
    let mut rows = rows(world);
    rows.retain(|row| !row.starts_with("events "));
    rows
}

fn sqlite(database: &rusqlite::Connection, tenant: &str) -> Vec<String> {
    let tables = "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                  WHERE t.type = 'table' AND c.name = 'tenant_id'";
    let mut tables = database.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut rows = Vec::new();
    for table in tables.map(Result::unwrap) {
        let select = format!("SELECT * FROM {table} WHERE tenant_id = ?1");
        let mut select = database.prepare(&select).unwrap();
        let columns = select.column_count();
        let values = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<rusqlite::types::Value>> {
            (0..columns).map(|column| row.get(column)).collect()
        };
        let found = select.query_map([tenant], values).unwrap();
        rows.extend(found.map(|row| format!("{table} {:?}", row.unwrap())));
    }
    rows
}

fn postgres(url: &str, tenant: &str) -> Vec<String> {
    let tables = "SELECT table_name FROM information_schema.columns \
                  WHERE table_schema = 'public' AND column_name = 'tenant_id'";
    let tables = TemporaryPostgres::shared().sql(url, tables);
    let selects: Vec<String> = tables
        .lines()
        .map(|table| {
            format!("SELECT '{table} ' || t::text FROM {table} t WHERE tenant_id = '{tenant}'")
        })
        .collect();
    let rows = TemporaryPostgres::shared().sql(url, &selects.join(" UNION ALL "));
    rows.lines().map(str::to_owned).collect()
}
