//! What was acknowledged survives the end of the database server.

use futures_util::future::join_all;
use model::TenantId;
use storage::{Database, Page, Store, StoreSettings, Work};
use temporary_postgres::TemporaryPostgres;

use crate::rows;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_postgresql_loses_nothing_acknowledged_and_the_store_comes_back() {
    let postgres = TemporaryPostgres::start().unwrap();
    let database = Database::Postgres {
        url: postgres.create_database(),
        pooler: false,
        max_connections: 4,
    };
    let store = Store::open(&StoreSettings { database }).await.unwrap();
    store.migrate().await.unwrap();
    let handle = store.tenant(&TenantId::new("ten_one"));
    let added = join_all((0..50).map(|number| {
        let client = rows::client(&format!("c{number}"));
        handle.write(async move |work: &mut Work| work.add_client(&client).await)
    }));
    assert!(added.await.iter().all(Result::is_ok));
    postgres.crash_and_restart();
    // The same store: reads and units find their connections lost and take new ones.
    assert_eq!(handle.list_clients(Page::ALL).await.unwrap().total, 50);
    let client = rows::client("after");
    handle
        .write(async move |work: &mut Work| work.add_client(&client).await)
        .await
        .unwrap();
    postgres.crash_and_restart();
    let client = rows::client("after another");
    handle
        .write(async move |work: &mut Work| work.add_client(&client).await)
        .await
        .unwrap();
    assert_eq!(handle.list_clients(Page::ALL).await.unwrap().total, 52);
}
