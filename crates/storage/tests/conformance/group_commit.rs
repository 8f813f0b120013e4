//! SQLite's writer commits waiting units together, and each unit stands for itself.
//!
//! The first unit holds the writer until the others wait, so what is counted does not depend on the disk.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use model::ClientId;
use storage::{Added, Database, Page, Store, StoreError, StoreSettings, Work};

use crate::rows;
use crate::stage::{Engine, Stage};

/// What a unit of the batch does after it has written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Keep,
    Fail,
    Panic,
    /// Runs a statement that the database refuses.
    Refuse,
}

async fn batch(stage: &Stage, units: &[Then]) -> Vec<Result<Result<Added, StoreError>, ()>> {
    let (release, held) = mpsc::channel();
    let held = std::sync::Mutex::new(held);
    let holding = stage.rows.write(async move |_: &mut Work| {
        held.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let batch = join_all(units.iter().enumerate().map(|(number, then)| {
        let (rows, then) = (stage.rows.clone(), *then);
        let unit = async move {
            let write = rows.write(async move |work: &mut Work| {
                let added = work
                    .add_client(&rows::client(&format!("c{number}")))
                    .await?;
                match then {
                    Then::Keep => Ok(added),
                    Then::Fail => Err(StoreError::Refused("on purpose".to_owned())),
                    Then::Panic => panic!("on purpose"),
                    Then::Refuse => {
                        work.add_access_token(&rows::access_token(1)).await?;
                        work.add_access_token(&rows::access_token(1)).await?;
                        Ok(added)
                    }
                }
            });
            write.await
        };
        AssertUnwindSafe(unit)
            .catch_unwind()
            .map(|caught| caught.map_err(drop))
    }));
    // Polled after the others, which are queued by then.
    let last = async move { release.send(()).unwrap() };
    let (held, (answers, ())) = join(holding, join(batch, last)).await;
    held.unwrap();
    answers
}

#[tokio::test]
async fn two_hundred_waiting_units_share_one_commit() {
    let stage = Stage::open(Engine::Sqlite).await;
    let before = stage.store.commit_counts();
    let answers = batch(&stage, &[Then::Keep; 200]).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Ok(Added::Done))));
    let after = stage.store.commit_counts();
    assert_eq!(after.units - before.units, 201);
    let commits = after.commits - before.commits;
    assert!(
        commits <= 2,
        "{commits}: the one that held the writer, and the rest"
    );
}

#[tokio::test]
async fn a_unit_that_fails_harms_no_neighbour() {
    let stage = Stage::open(Engine::Sqlite).await;
    let thens = [
        Then::Keep,
        Then::Fail,
        Then::Keep,
        Then::Panic,
        Then::Keep,
        Then::Refuse,
        Then::Keep,
    ];
    let answers = batch(&stage, &thens).await;
    for (number, (then, answer)) in thens.iter().zip(answers).enumerate() {
        match then {
            Then::Keep => assert_eq!(answer, Ok(Ok(Added::Done))),
            Then::Fail | Then::Refuse => assert!(matches!(answer, Ok(Err(StoreError::Refused(_))))),
            Then::Panic => assert_eq!(answer, Err(())),
        }
        let found = stage
            .rows
            .find_client(&ClientId::new(format!("c{number}")))
            .await
            .unwrap();
        assert_eq!(found.is_some(), *then == Then::Keep, "{number} {then:?}");
    }
    let token = stage.rows.find_access_token(&[1; 32], rows::at(0)).await;
    assert_eq!(token, Ok(None));
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_at_once() {
    let stage = Stage::open(Engine::Sqlite).await;
    batch(&stage, &[Then::Keep; 20]).await;
    // What a crash of the process at this instant would leave.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("left.db");
    for suffix in ["", "-wal"] {
        let name = |path: &std::path::Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(&stage.path()), name(&path)).unwrap();
    }
    let settings = StoreSettings {
        database: Database::Sqlite { path },
    };
    let left = Store::open(&settings)
        .await
        .unwrap()
        .tenant(stage.rows.tenant_id());
    assert_eq!(left.list_clients(Page::ALL).await.unwrap().total, 20);
}
