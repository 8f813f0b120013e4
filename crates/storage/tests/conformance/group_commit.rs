//! SQLite's writer commits waiting units together, and each unit stands for itself.
//!
//! The first unit holds the writer until the others wait, so what is counted does not depend on the disk.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use model::{ClientId, EventFilter, LogId};
use storage::{
    Added, Database, EventQuery, EventRange, Page, Store, StoreError, StoreSettings, Work,
};

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
    let held = Mutex::new(held);
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

/// Units that wait together. Each writes an event of the time at which they began to wait, and then takes some
/// milliseconds by the store's clock; tells what became of each, at what time its event is, and in how many commits.
async fn take(durations: &[i64]) -> (Vec<Result<(), StoreError>>, Vec<Option<i64>>, u64) {
    let stage = Stage::open(Engine::Sqlite).await;
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    stage
        .store
        .set_clock(move || rows::at(1_000 * clock.load(Ordering::SeqCst)));
    let (release, held) = mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let (held, began) = (Mutex::new(held), Mutex::new(Some(began)));
    let holding = stage.rows.write(async move |_: &mut Work| {
        let began = began.lock().unwrap().take();
        began.map(|began| began.send(()));
        held.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let units = join_all(durations.iter().zip(0..).map(|(duration, number)| {
        let (now, duration) = (Arc::clone(&now), *duration);
        stage.rows.write(async move |work: &mut Work| {
            let mut event = rows::event(0);
            event.hostname = format!("{number}");
            event.log_id = LogId::of(event.date, number, 0);
            work.add_events(&[event]).await?;
            now.fetch_add(duration, Ordering::SeqCst);
            Ok(())
        })
    }));
    let before = stage.store.commit_counts().commits;
    let behind = async move {
        begun.await.unwrap();
        join(units, async move { release.send(()).unwrap() })
            .await
            .0
    };
    let (held, answers) = join(holding, behind).await;
    held.unwrap();
    // Besides the one that held the writer.
    let commits = stage.store.commit_counts().commits - before - 1;
    let query = EventQuery {
        range: EventRange::OldestFirst(Page::numbered(0, 100)),
        filter: EventFilter::Every,
    };
    let listed = stage.rows.list_events(&query).await.unwrap().items;
    let date = |number| {
        let mut of_unit = listed
            .iter()
            .filter(|event| event.hostname == format!("{number}"));
        let found = of_unit.next()?;
        assert!(of_unit.next().is_none(), "each event once");
        Some((found.date.as_microsecond() - rows::at(0).as_microsecond()) / 1_000)
    };
    let dates = (0..durations.len()).map(date).collect();
    (answers, dates, commits)
}

#[tokio::test]
async fn a_batch_is_committed_before_its_oldest_event_is_late() {
    let (answers, dates, commits) = take(&[0, 1_000, 800, 800, 800, 800]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // After 1.8 s the first three are committed. Those that waited meanwhile are dated anew, and have 1.5 s from there.
    let expected = [0, 0, 0, 1_800, 2_600, 3_400].map(Some);
    assert_eq!((dates, commits), (expected.to_vec(), 3));
}

#[tokio::test]
async fn a_unit_that_takes_too_long_harms_no_neighbour() {
    let (answers, dates, _) = take(&[0, 0, 4_000, 0, 0]).await;
    let late = Err(StoreError::TooLate);
    assert_eq!(answers, [Ok(()), Ok(()), late, Ok(()), Ok(())]);
    let [first, second, late, fourth, fifth] = dates[..] else {
        panic!("five units")
    };
    assert_eq!(late, None);
    assert_eq!([first, second], [4_000, 4_000].map(Some));
    assert_eq!([fourth, fifth], [12_000, 12_000].map(Some));
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
