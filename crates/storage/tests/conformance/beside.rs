//! What other processes may do beside the one that owns the database: look at it, and copy it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::TenantId;
use storage::{
    Copied, Database, GrantFilter, OpenError, Page, Store, StoreError, StoreSettings, Work,
    copy_sqlite,
};

use crate::rows;
use crate::stage::{Engine, Stage};

fn sqlite(path: &Path) -> StoreSettings {
    StoreSettings {
        database: Database::Sqlite {
            path: path.to_owned(),
        },
    }
}

/// A client and its grant in one unit.
async fn add_pair(stage: &Stage, name: &str) {
    let client = rows::client(name);
    let grant = rows::grant(
        &format!("grant of {name}"),
        name,
        "https://example.com/orders",
    );
    let added = stage.rows.write(async move |work: &mut Work| {
        work.add_client(&client).await?;
        work.add_client_grant(&grant).await
    });
    added.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_of_a_busy_database_is_one_moment_of_it() {
    let stage = Stage::open(Engine::Sqlite).await;
    stage
        .store
        .add_tenant(&rows::tenant("ten_one", "one.example.com"))
        .await
        .unwrap();
    for number in 0..200 {
        add_pair(&stage, &format!("before {number}")).await;
    }
    let to = stage.path().with_file_name("copy.db");
    let (from, target) = (stage.path(), to.clone());
    let copying = AtomicBool::new(true);
    let during = AtomicU64::new(0);
    let writing = async {
        while copying.load(Ordering::Relaxed) {
            let number = during.load(Ordering::Relaxed);
            add_pair(&stage, &format!("during {number}")).await;
            during.store(number + 1, Ordering::Relaxed);
        }
    };
    let copy = async {
        // So that the copy begins amid writes.
        while during.load(Ordering::Relaxed) < 20 {
            tokio::task::yield_now().await;
        }
        let copied = tokio::task::spawn_blocking(move || {
            let mut shares = Vec::new();
            let copied = copy_sqlite(&from, &target, |share| shares.push(share)).unwrap();
            (copied, shares)
        });
        let copied = copied.await.unwrap();
        copying.store(false, Ordering::Relaxed);
        copied
    };
    let (_, (copied, shares)) = futures_util::future::join(writing, copy).await;
    assert_eq!(
        copied,
        Copied {
            tenants: 1,
            users: 0
        }
    );
    assert_eq!(shares.last(), Some(&1.0));
    for leftover in ["copy.db-wal", "copy.db-shm", "copy.db-journal"] {
        assert!(!to.with_file_name(leftover).exists(), "{leftover}");
    }
    let copy = Store::open(&sqlite(&to)).await.unwrap();
    assert_eq!(copy.pending_migrations().await, Ok(0));
    let rows = copy.tenant(&TenantId::new("ten_one"));
    let clients = rows.list_clients(Page::ALL).await.unwrap().total;
    let every = GrantFilter::default();
    let grants = rows.list_client_grants(Page::ALL, &every).await.unwrap();
    assert_eq!(grants.total, clients);
    assert!(clients >= 220, "{clients}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_sees_what_is_committed_and_writes_nothing() {
    let stage = Stage::open(Engine::Sqlite).await;
    let onlooker = Store::inspect(&stage.settings).unwrap();
    add_pair(&stage, "shop").await;
    let rows = onlooker.tenant(&TenantId::new("ten_one"));
    assert_eq!(rows.list_clients(Page::ALL).await.unwrap().total, 1);
    assert_eq!(onlooker.pending_migrations().await, Ok(0));
    assert!(onlooker.check_durability().await.unwrap().contains("WAL"));
    let client = rows::client("never");
    let written = rows
        .write(async move |work: &mut Work| work.add_client(&client).await)
        .await;
    assert!(
        matches!(written, Err(StoreError::Refused(_))),
        "{written:?}"
    );
    // The owner goes on, and keeps the file for itself.
    add_pair(&stage, "another").await;
    let second = Store::open(&stage.settings).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })));
}

#[tokio::test]
async fn looking_and_copying_make_nothing_and_refuse_what_is_no_database() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.db");
    let to = directory.path().join("copy.db");
    let error = Store::inspect(&sqlite(&missing)).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
    let error = copy_sqlite(&missing, &to, |_| ()).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let letter = directory.path().join("letter.db");
    std::fs::write(&letter, "Dear reader, ".repeat(1_000)).unwrap();
    let error = copy_sqlite(&letter, &to, |_| ()).unwrap_err();
    assert!(error.to_string().contains("letter.db"), "{error}");
}

#[tokio::test]
async fn a_file_that_was_changed_to_another_mode_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    let store = Store::inspect(&sqlite(&path)).unwrap();
    let error = store.check_durability().await.unwrap_err();
    assert!(
        error.to_string().contains("journal_mode = delete"),
        "{error}"
    );
}

#[tokio::test]
async fn a_weak_postgresql_can_be_looked_at_and_is_told_from_a_strong_one() {
    let stage = Stage::open(Engine::Postgres).await;
    let name = stage.url().rsplit('/').next().unwrap().to_owned();
    let alter = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    let strong = Store::inspect(&stage.settings).unwrap();
    assert!(strong.check_durability().await.is_ok());
    stage.sql(&alter);
    let weak = Store::inspect(&stage.settings).unwrap();
    assert_eq!(weak.pending_migrations().await, Ok(0));
    let setting = "synchronous_commit";
    assert_eq!(
        weak.check_durability().await,
        Err(OpenError::NotDurable { setting })
    );
    let (asked, answered) = weak.ports().await.unwrap().unwrap();
    assert_eq!(asked, [answered]);
}
