//! Both engines end in the same logical schema, and it keeps the rules by which it can grow (tenant first, no
//! sequences, triggers or foreign keys, explicit collations).

use std::collections::BTreeSet;

use crate::stage::{Engine, Stage};

/// `table column type null?`, `table KEY columns`, `table index name unique? columns where?`, one each.
type Schema = BTreeSet<String>;

/// Rows that are looked for before a tenant is known.
const WITHOUT_TENANT: [&str; 4] = ["deployment", "schema_migrations", "tenants", "tenant_hosts"];

fn sqlite(stage: &Stage) -> Schema {
    let connection = rusqlite::Connection::open(stage.path()).unwrap();
    let sql = "
        SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\"
          FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'
        UNION ALL
        SELECT t.name || ' KEY ' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(t.name)
          WHERE pk > 0 ORDER BY pk))
          FROM sqlite_schema t WHERE t.type = 'table'
        UNION ALL
        SELECT t.name || ' index ' || i.name || ' ' || i.\"unique\" || ' ' || i.partial || ' ' ||
          (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
          FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND i.origin = 'c'";
    let mut statement = connection.prepare(sql).unwrap();
    let lines = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    lines
        .map(|line| {
            line.unwrap()
                .replace("INTEGER", "BIGINT")
                .replace("BLOB", "BYTEA")
        })
        .collect()
}

fn postgres(stage: &Stage) -> Schema {
    let sql = "
        SELECT table_name || ' ' || column_name || ' ' || upper(data_type) || ' ' ||
          CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
          FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT t.relname || CASE WHEN x.indisprimary THEN ' KEY ' ELSE ' index ' || i.relname || ' ' ||
          x.indisunique::int || ' ' || (x.indpred IS NOT NULL)::int || ' ' END ||
          (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY k(number, place)
           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
          FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public'";
    stage.sql(sql).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn both_engines_end_in_the_same_schema() {
    let left = sqlite(&Stage::open(Engine::Sqlite).await);
    let right = postgres(&Stage::open(Engine::Postgres).await);
    assert!(left.len() > 100, "{left:?}");
    let differences: Vec<_> = left.symmetric_difference(&right).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn the_tenant_leads_every_key_and_index() {
    let schema = postgres(&Stage::open(Engine::Postgres).await);
    let mut seen = 0;
    for line in &schema {
        let words: Vec<&str> = line.split(' ').collect();
        if !matches!(words[1], "KEY" | "index") || WITHOUT_TENANT.contains(&words[0]) {
            continue;
        }
        let columns = words.last().unwrap();
        // A table with one row a tenant has nothing else to be found by.
        let is_led = *columns == "tenant_id" || columns.starts_with("tenant_id,");
        assert!(is_led, "{line}");
        seen += 1;
    }
    assert!(seen > 20);
}

#[tokio::test]
async fn nothing_in_the_schema_ties_it_to_one_machine() {
    let stage = Stage::open(Engine::Postgres).await;
    let count = |sql: &str| stage.sql(sql);
    let own = "pronamespace = 'public'::regnamespace";
    assert_eq!(
        count("SELECT COUNT(*) FROM pg_class WHERE relkind = 'S'"),
        "0",
        "sequences"
    );
    assert_eq!(count("SELECT COUNT(*) FROM pg_trigger"), "0", "triggers");
    assert_eq!(
        count("SELECT COUNT(*) FROM pg_constraint WHERE contype = 'f'"),
        "0",
        "foreign keys"
    );
    assert_eq!(
        count(&format!("SELECT COUNT(*) FROM pg_proc WHERE {own}")),
        "0",
        "functions"
    );
    let loose = "SELECT string_agg(DISTINCT t.relname || '.' || a.attname, ', ') FROM pg_index x
        JOIN pg_class t ON t.oid = x.indrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (x.indkey)
        JOIN pg_collation c ON c.oid = a.attcollation
        WHERE t.relnamespace = 'public'::regnamespace AND a.atttypid = 'text'::regtype AND c.collname <> 'C'
        AND t.relname <> 'schema_migrations'";
    assert_eq!(count(loose), "", "keys of text without a collation");
}
