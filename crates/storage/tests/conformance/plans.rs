//! Look-ups reach their rows on SQLite by an index on more than the tenant: it keeps no statistics of its own accord, takes
//! a tenant for a few rows, and then prefers to walk all of them in the order that is asked for.

use model::{ConnectionId, Identifier, UserId};

use crate::stage::{Engine, Stage};

#[tokio::test]
async fn users_and_meters_are_found_without_a_walk_over_the_tenant() {
    let stage = Stage::open(Engine::Sqlite).await;
    let rows = &stage.rows;
    let before = stage.store.statement_trace();

    let (name, connection) = (
        Identifier::of("ana@example.com"),
        ConnectionId::new("con_1"),
    );
    rows.find_users_by_email(&name).await.unwrap();
    rows.find_user_by_identifier(&connection, &name)
        .await
        .unwrap();
    rows.find_user(&UserId::new("auth0|1")).await.unwrap();
    rows.list_meters_of_account(&[1; 32]).await.unwrap();
    rows.list_meters_of_source(&[1; 32]).await.unwrap();
    rows.list_blocks_told_below(1, 10, 100).await.unwrap();

    let ran = stage.store.statement_trace().since(&before);
    assert_eq!(ran.iter().count(), 6);
    let file = rusqlite::Connection::open(stage.path()).unwrap();
    for (text, _) in ran.iter() {
        let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let mut steps = plan.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get("detail").unwrap();
            let walks = step.starts_with("SCAN") || step.ends_with("(tenant_id=?)");
            assert!(!walks, "{text}: {step}");
        }
    }
}
