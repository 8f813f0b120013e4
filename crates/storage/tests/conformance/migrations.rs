//! Migrations run once, whoever runs them at the same time.

use futures_util::future::join_all;

use crate::both_engines;
use crate::stage::{Engine, Stage};

both_engines! {
    async fn a_second_run_has_nothing_to_do(stage: Stage) {
        assert_eq!(stage.store.pending_migrations().await, Ok(0));
        assert_eq!(stage.store.migrate().await, Ok(0));
    }
}

#[tokio::test]
async fn an_empty_database_has_all_of_them_pending() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::Pooler] {
        let stage = Stage::unmigrated(engine).await;
        let pending = stage.store.pending_migrations().await.unwrap();
        assert!(pending > 20, "{engine:?}");
        assert_eq!(stage.store.migrate().await, Ok(pending), "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_may_migrate_at_once() {
    let stage = Stage::unmigrated(Engine::Postgres).await;
    let pending = stage.store.pending_migrations().await.unwrap();
    let mut stores = vec![stage.store.clone()];
    for _ in 0..3 {
        stores.push(stage.second().await);
    }
    let done = join_all(stores.iter().map(storage::Store::migrate)).await;
    let sum: usize = done.iter().map(|done| *done.as_ref().unwrap()).sum();
    assert_eq!(sum, pending, "{done:?}");
    assert_eq!(stage.store.pending_migrations().await, Ok(0));
}
