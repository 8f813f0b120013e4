//! What PostgreSQL may do to a unit of work: serialization failures, deadlocks, lost connections, warnings at the commit.
//!
//! Faults are injected by triggers of the test's own; how often one has fired is in a sequence, which no rollback undoes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join;
use model::{ClientId, UserId};
use storage::{Added, Database, Store, StoreError, StoreSettings, Work};
use tokio::sync::Barrier;

use crate::rows;
use crate::stage::{Engine, Stage};

/// Runs PL/pgSQL for each client that is added, the first `times` times; deferred means at the commit.
fn inject(stage: &Stage, times: u32, when: &str, code: &str) {
    stage.sql(&format!(
        "CREATE SEQUENCE faults;
         CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('faults') <= {times} THEN {code}; END IF; RETURN NEW;
         END $$;
         CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON clients DEFERRABLE INITIALLY {when}
           FOR EACH ROW EXECUTE FUNCTION fault();"
    ));
}

const AT_ONCE: &str = "IMMEDIATE";
const AT_COMMIT: &str = "DEFERRED";

async fn add_client(stage: &Stage, runs: &Arc<AtomicU32>) -> Result<Added, StoreError> {
    let runs = Arc::clone(runs);
    let write = stage.rows.write(async move |work: &mut Work| {
        runs.fetch_add(1, Ordering::Relaxed);
        work.add_client(&rows::client("a")).await
    });
    write.await
}

async fn is_there(stage: &Stage) -> bool {
    stage
        .rows
        .find_client(&ClientId::new("a"))
        .await
        .unwrap()
        .is_some()
}

#[tokio::test]
async fn a_unit_disturbed_by_others_is_run_again() {
    for engine in [Engine::Postgres, Engine::Pooler] {
        for when in [AT_ONCE, AT_COMMIT] {
            for code in ["40001", "40P01"] {
                let stage = Stage::open(engine).await;
                inject(
                    &stage,
                    3,
                    when,
                    &format!("RAISE EXCEPTION 'disturbed' USING ERRCODE = '{code}'"),
                );
                let runs = Arc::default();
                assert_eq!(
                    add_client(&stage, &runs).await,
                    Ok(Added::Done),
                    "{engine:?} {when} {code}"
                );
                assert_eq!(runs.load(Ordering::Relaxed), 4, "{engine:?} {when} {code}");
            }
        }
    }
}

#[tokio::test]
async fn a_unit_disturbed_for_ever_is_given_up() {
    let stage = Stage::open(Engine::Postgres).await;
    inject(
        &stage,
        1_000,
        AT_ONCE,
        "RAISE EXCEPTION 'disturbed' USING ERRCODE = '40001'",
    );
    assert_eq!(
        add_client(&stage, &Arc::default()).await,
        Err(StoreError::Contended)
    );
    assert!(!is_there(&stage).await);
}

#[tokio::test]
async fn a_unit_that_met_a_read_only_server_is_run_again_elsewhere() {
    let stage = Stage::open(Engine::Postgres).await;
    inject(
        &stage,
        1,
        AT_ONCE,
        "RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'",
    );
    let before = backend(&stage);
    let runs = Arc::default();
    assert_eq!(add_client(&stage, &runs).await, Ok(Added::Done));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_ne!(backend(&stage), before, "the connection was not given back");
}

#[tokio::test]
async fn a_unit_whose_connection_is_lost_before_the_commit_is_run_again() {
    let stage = Stage::open(Engine::Postgres).await;
    inject(
        &stage,
        1,
        AT_ONCE,
        "PERFORM pg_terminate_backend(pg_backend_pid())",
    );
    let runs = Arc::default();
    assert_eq!(add_client(&stage, &runs).await, Ok(Added::Done));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_connection_lost_in_the_commit_leaves_the_outcome_unknown() {
    let stage = Stage::open(Engine::Postgres).await;
    inject(
        &stage,
        1,
        AT_COMMIT,
        "PERFORM pg_terminate_backend(pg_backend_pid())",
    );
    let runs = Arc::default();
    let outcome = add_client(&stage, &runs).await;
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_))),
        "{outcome:?}"
    );
    assert_eq!(
        runs.load(Ordering::Relaxed),
        1,
        "it may hold, so it is not run again"
    );
    assert_eq!(
        add_client(&stage, &runs).await,
        Ok(Added::Done),
        "and the store goes on"
    );
}

#[tokio::test]
async fn a_commit_with_a_warning_is_no_success() {
    for engine in [Engine::Postgres, Engine::Pooler] {
        let stage = Stage::open(engine).await;
        inject(
            &stage,
            1,
            AT_COMMIT,
            "RAISE WARNING 'canceling wait for synchronous replication'",
        );
        let outcome = add_client(&stage, &Arc::default()).await;
        assert!(
            matches!(outcome, Err(StoreError::Unknown(_))),
            "{outcome:?}"
        );
        assert!(is_there(&stage).await, "a warning does not undo it");
        assert_eq!(
            add_client(&stage, &Arc::default()).await,
            Ok(Added::IdTaken)
        );
    }
}

#[tokio::test]
async fn a_warning_before_the_commit_is_only_logged() {
    let stage = Stage::open(Engine::Postgres).await;
    inject(&stage, 1, AT_ONCE, "RAISE WARNING 'something else'");
    assert_eq!(add_client(&stage, &Arc::default()).await, Ok(Added::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_that_wait_for_each_other_both_end() {
    let stage = Stage::open(Engine::Postgres).await;
    stage
        .rows
        .write(async |work: &mut Work| {
            for id in ["auth0|1", "auth0|2"] {
                let mut user = rows::user(id, "con_1", &format!("{id}@example.com"));
                user.logins_count = 0;
                work.add_user(&user).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let unit = |first: &'static str, second: &'static str| {
        let (barrier, rows) = (Arc::clone(&barrier), stage.rows.clone());
        let runs = AtomicU32::new(0);
        async move {
            rows.write(async move |work: &mut Work| {
                work.record_login(&UserId::new(first), rows::at(1), "192.0.2.1")
                    .await?;
                if runs.fetch_add(1, Ordering::Relaxed) == 0 {
                    barrier.wait().await;
                }
                work.record_login(&UserId::new(second), rows::at(1), "192.0.2.1")
                    .await?;
                Ok(runs.load(Ordering::Relaxed))
            })
            .await
        }
    };
    let (left, right) = join(unit("auth0|1", "auth0|2"), unit("auth0|2", "auth0|1")).await;
    assert_eq!(left.unwrap() + right.unwrap(), 3, "one of them ran twice");
    for id in ["auth0|1", "auth0|2"] {
        assert_eq!(
            stage
                .rows
                .find_user(&UserId::new(id))
                .await
                .unwrap()
                .unwrap()
                .logins_count,
            2
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the task is aborted by the test")]
async fn a_unit_that_is_dropped_midway_writes_nothing_and_gives_its_connection_up() {
    let stage = Stage::open(Engine::Postgres).await;
    let database = Database::Postgres {
        url: stage.url().to_owned(),
        pooler: false,
        max_connections: 1,
    };
    let store = Store::open(&StoreSettings { database }).await.unwrap();
    let handle = store.tenant(stage.rows.tenant_id());
    let (wrote, written) = tokio::sync::mpsc::channel(1);
    let dropped = handle.clone();
    let task = tokio::spawn(async move {
        dropped
            .write(async move |work: &mut Work| {
                work.add_client(&rows::client("a")).await?;
                wrote.send(()).await.unwrap();
                std::future::pending::<Result<(), StoreError>>().await
            })
            .await
    });
    let mut written = written;
    written.recv().await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(handle.find_client(&ClientId::new("a")).await, Ok(None));
    let client = rows::client("a");
    let added = handle.write(async move |work: &mut Work| work.add_client(&client).await);
    assert_eq!(
        added.await,
        Ok(Added::Done),
        "the only connection is free again and in no transaction"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_database_pass_exactly_the_budget() {
    let stage = Stage::open(Engine::Postgres).await;
    let second = stage.second().await.tenant(stage.rows.tenant_id());
    let keys = || vec![[7; 32]];
    let charges = futures_util::future::join_all((0..100).map(|number| {
        let rows = if number % 2 == 0 {
            &stage.rows
        } else {
            &second
        };
        crate::racing::charge(rows, keys(), 10)
    }));
    let passed = charges
        .await
        .into_iter()
        .filter(|charge| charge.clone().unwrap())
        .count();
    assert_eq!(passed, 10);
}

#[tokio::test]
async fn behind_a_pooler_no_statement_is_named() {
    for (engine, named) in [(Engine::Postgres, true), (Engine::Pooler, false)] {
        let stage = Stage::open(engine).await;
        stage.sql(
            "CREATE TABLE named (count BIGINT);
             CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               INSERT INTO named SELECT COUNT(*) FROM pg_prepared_statements; RETURN NEW;
             END $$;
             CREATE TRIGGER look AFTER INSERT ON clients FOR EACH ROW EXECUTE FUNCTION look();",
        );
        add_client(&stage, &Arc::default()).await.unwrap();
        let count: u32 = stage.sql("SELECT count FROM named").parse().unwrap();
        assert_eq!(count > 0, named, "{engine:?}");
    }
}

/// The process id of the backend that serves this store's only idle connection.
fn backend(stage: &Stage) -> String {
    stage.sql(
        "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'portcullis'",
    )
}
