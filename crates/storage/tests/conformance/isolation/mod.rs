//! A handle of another tenant sees nothing and changes nothing, for every function there is.
//!
//! The lists (`asked`, `furnished`) are compared with the functions in the sources, so that a new function cannot be forgotten.

mod asked;
mod furnished;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::UserId;
use storage::Work;

use crate::both_engines;
use crate::stage::{Engine, Stage};
use asked::asked;
use furnished::{ADDED, furnish};

/// Rows of each table that the schema says has tenants: of the one, of the other.
fn counts(stage: &Stage) -> BTreeMap<String, [usize; 2]> {
    let of_both = |table: &str, count: &dyn Fn(&str) -> String| {
        ["ten_one", "ten_other"].map(|tenant| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = '{tenant}'");
            count(&sql).parse().unwrap()
        })
    };
    if stage.engine == Engine::Sqlite {
        let database = rusqlite::Connection::open(stage.path()).unwrap();
        let sql = "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND c.name = 'tenant_id'";
        let mut select = database.prepare(sql).unwrap();
        let tables = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let count = |sql: &str| {
            let number = database.query_row(sql, [], |row| row.get::<_, i64>(0));
            number.unwrap().to_string()
        };
        let tables = tables.map(Result::unwrap);
        return tables
            .map(|table| (table.clone(), of_both(&table, &count)))
            .collect();
    }
    let tables = stage.sql(
        "SELECT table_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND column_name = 'tenant_id'",
    );
    let count = |sql: &str| stage.sql(sql);
    tables
        .lines()
        .map(|table| (table.to_owned(), of_both(table, &count)))
        .collect()
}

both_engines! {
    async fn the_handle_of_another_tenant_sees_and_changes_nothing(stage: Stage) {
        furnish(&stage.rows).await;
        for (name, asks) in asked() {
            for ask in asks {
                assert_eq!(ask(stage.other.clone()).await, 0, "{name} through another tenant's handle");
            }
        }
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.rows.clone()).await > 0, "{name} through the owner's handle");
            }
        }
    }

    async fn of_a_tenant_that_is_removed_nothing_stays(stage: Stage) {
        furnish(&stage.rows).await;
        furnish(&stage.other).await;
        let before = counts(&stage);
        assert!(before.len() >= 14, "{before:?}");
        assert!(before.values().all(|&[own, others]| own > 0 && own == others), "{before:?}");

        // As the command does it: closed first, and the tenant itself last.
        assert!(stage.rows.write(async |work: &mut Work| work.close_tenant().await).await.unwrap());
        assert_eq!(stage.store.find_tenant_by_host("ten_one.example.com").await, Ok(None));
        assert!(stage.rows.find_tenant().await.unwrap().is_some(), "it can be found again");
        assert!(stage.rows.remove_rows().await.unwrap() >= 10);
        let removed = stage.rows.write(async |work: &mut Work| work.remove_tenant().await).await;
        assert!(removed.unwrap());

        let expected = before.into_iter().map(|(table, [_, others])| (table, [0, others])).collect();
        assert_eq!(counts(&stage), expected);
        for (name, asks) in asked() {
            for ask in asks {
                assert_eq!(ask(stage.rows.clone()).await, 0, "{name} of a tenant that is gone");
            }
        }
        assert_eq!(stage.rows.remove_rows().await.unwrap(), 0);
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.other.clone()).await > 0, "{name} of the tenant that stays");
            }
        }
    }

    async fn two_tenants_may_have_rows_of_the_same_names(stage: Stage) {
        furnish(&stage.rows).await;
        furnish(&stage.other).await;
        let before = stage.other.find_user(&UserId::new("auth0|1")).await.unwrap();
        for (_, asks) in asked() {
            for ask in asks {
                ask(stage.rows.clone()).await;
            }
        }
        assert_eq!(stage.other.find_user(&UserId::new("auth0|1")).await.unwrap(), before);
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.other.clone()).await > 0, "{name}");
            }
        }
    }
}

#[test]
fn the_list_has_every_function() {
    let mut declared = BTreeSet::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut declared,
    );
    assert!(declared.len() > 40, "{declared:?}");
    let listed: BTreeSet<String> = asked()
        .iter()
        .map(|(name, _)| *name)
        .chain(ADDED)
        .map(str::to_owned)
        .collect();
    // Of the deployment, or no query.
    let others = [
        "write",
        "open",
        "migrate",
        "pending_migrations",
        "check",
        "check_durability",
        "ports",
        "clock",
        "find_check_value",
        "set_check_value",
        "find_tenant_by_host",
        "list_tenants",
        "list_tenants_with_due_mail",
        "list_active_log_streams",
        "count_queued_mails",
    ];
    let missing: Vec<_> = declared
        .difference(&listed)
        .filter(|name| !others.contains(&name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "not shown to respect tenants: {missing:?}"
    );
    assert!(
        listed.is_subset(&declared),
        "{:?}",
        listed.difference(&declared).collect::<Vec<_>>()
    );
}

/// Names of public functions: `pub async fn name(`, and `first name(` or `all name(` in `reads!`.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, names);
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line = line.trim_start();
            let rest = ["pub async fn ", "first ", "all "]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            let name = rest.and_then(|rest| rest.split(['(', '<']).next());
            if let Some(name) = name
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            {
                names.insert(name.to_owned());
            }
        }
    }
}
