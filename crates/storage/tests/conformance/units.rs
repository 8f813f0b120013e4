//! Units of work: all or nothing, run again where rows moved, failed as a whole where a statement failed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use model::ClientId;
use storage::{Added, StoreError, Work};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_unit_that_fails_writes_nothing(stage: Stage) {
        let failed = stage.rows.write(async |work: &mut Work| {
            work.add_client(&rows::client("a")).await?;
            Err::<(), _>(StoreError::Refused("on purpose".to_owned()))
        });
        assert_eq!(failed.await, Err(StoreError::Refused("on purpose".to_owned())));
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await, Ok(None));
    }

    async fn a_unit_sees_what_it_wrote_and_others_only_after(stage: Stage) {
        let outside = stage.rows.clone();
        let seen = stage.rows.write(async |work: &mut Work| {
            assert_eq!(work.add_client(&rows::client("a")).await?, Added::Done);
            assert_eq!(work.add_client(&rows::client("a")).await?, Added::IdTaken);
            work.find_client(&ClientId::new("a")).await
        });
        let seen = seen.await.unwrap().unwrap();
        assert_eq!(outside.find_client(&ClientId::new("a")).await, Ok(Some(seen)));
    }

    async fn a_unit_that_asks_for_it_is_run_again_from_nothing(stage: Stage) {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let written = stage.rows.write(async move |work: &mut Work| {
            let added = work.add_client(&rows::client("a")).await?;
            assert_eq!(added, Added::Done, "the run before left nothing");
            if counted.fetch_add(1, Ordering::Relaxed) < 3 { Err(StoreError::Rerun) } else { Ok("done") }
        });
        assert_eq!(written.await, Ok("done"));
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }

    async fn a_unit_that_is_always_disturbed_is_given_up(stage: Stage) {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let written = stage.rows.write(async move |work: &mut Work| {
            work.add_client(&rows::client("a")).await?;
            counted.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(StoreError::Rerun)
        });
        assert_eq!(written.await, Err(StoreError::Contended));
        assert_eq!(runs.load(Ordering::Relaxed), 10);
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await, Ok(None));
    }

    async fn a_statement_that_failed_fails_its_unit_whatever_the_unit_says(stage: Stage) {
        let token = rows::access_token(1);
        let again = token.clone();
        stage.rows.write(async move |work: &mut Work| work.add_access_token(&again).await).await.unwrap();
        let swallowed = stage.rows.write(async move |work: &mut Work| {
            work.add_client(&rows::client("a")).await?;
            assert!(work.add_access_token(&token).await.is_err(), "its digest is taken");
            Ok(())
        });
        assert!(matches!(swallowed.await, Err(StoreError::Refused(_))));
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await, Ok(None));
    }

    async fn errors_do_not_quote_rows(stage: Stage) {
        let mut token = rows::access_token(1);
        token.scope = "hush".to_owned();
        let failed = stage.rows.write(async move |work: &mut Work| {
            work.add_access_token(&token).await?;
            work.add_access_token(&token).await
        });
        let text = failed.await.unwrap_err().to_string();
        assert!(!text.contains("hush") && !text.contains("0101"), "{text}");
    }

    async fn a_panic_reaches_the_caller_and_harms_nobody_else(stage: Stage) {
        let panics = stage.rows.write(async |work: &mut Work| {
            work.add_client(&rows::client("a")).await?;
            if work.tenant_id().as_str() == "ten_one" {
                panic!("on purpose");
            }
            Ok(())
        });
        let panic = AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
        for _ in 0..10 {
            stage.rows.write(async |work: &mut Work| work.remove_client(&ClientId::new("none")).await).await.unwrap();
        }
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await, Ok(None));
    }

    async fn statements_are_counted(stage: Stage) {
        let before = stage.store.statement_trace();
        stage.rows.write(async |work: &mut Work| work.add_client(&rows::client("a")).await).await.unwrap();
        stage.rows.find_client(&ClientId::new("a")).await.unwrap();
        let trace = stage.store.statement_trace().since(&before);
        let counts: Vec<_> = trace.iter().map(|(text, tally)| (&text[..6], tally.runs, tally.rows_written)).collect();
        assert_eq!(counts, [("INSERT", 1, 1), ("SELECT", 1, 0)]);
    }

    async fn the_store_answers_and_tells_its_clock(stage: Stage) {
        stage.store.check().await.unwrap();
        let clock = stage.store.clock().await.unwrap();
        match stage.engine {
            Engine::Sqlite => assert_eq!(clock, None),
            Engine::Postgres | Engine::Pooler => {
                let skew = jiff::Timestamp::now().duration_since(clock.unwrap()).unsigned_abs();
                assert!(skew.as_secs() < 60, "{skew:?}");
            }
        }
        let durability = stage.store.durability();
        assert!(durability.contains("synchronous"), "{durability}");
    }
}
