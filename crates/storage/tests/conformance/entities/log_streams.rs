//! Log streams: claims with an epoch, positions that only their claimer moves, and changes only as a stream was read.

use model::{LogStreamId, LogStreamStatus};
use storage::{
    Added, LogStreamClaim, LogStreamOutcome, LogStreamRecord, TenantStore, Work, Written,
};

use crate::both_engines;
use crate::rows;

fn id() -> LogStreamId {
    LogStreamId::new("lst_1")
}

async fn add(rows: &TenantStore, id: &'static str) -> Added {
    rows.write(async move |work: &mut Work| work.add_log_stream(&rows::log_stream(id)).await)
        .await
        .unwrap()
}

async fn stream(rows: &TenantStore) -> LogStreamRecord {
    rows.find_log_stream(&id()).await.unwrap().unwrap()
}

/// Claims what is seen from `now` to `lease_end`.
async fn claim(
    rows: &TenantStore,
    seen: &LogStreamRecord,
    now: i64,
    lease_end: i64,
) -> Option<LogStreamRecord> {
    rows.claim_log_stream(seen, rows::at(now), rows::at(lease_end), rows::at(now - 10))
        .await
        .unwrap()
}

async fn settle(
    rows: &TenantStore,
    held: &LogStreamRecord,
    outcome: LogStreamOutcome,
    at: i64,
    lease_end: i64,
) -> Option<LogStreamStatus> {
    let claim = LogStreamClaim {
        id: held.stream.id.clone(),
        epoch: held.delivery.epoch,
    };
    rows.write(async move |work: &mut Work| {
        work.settle_log_stream(&claim, &outcome, rows::at(at), rows::at(lease_end))
            .await
    })
    .await
    .unwrap()
}

fn passed(position: i64, delivered: u32) -> LogStreamOutcome {
    LogStreamOutcome::Passed {
        position: rows::log_id(position),
        delivered,
    }
}

fn failed(next: i64, suspend: bool) -> LogStreamOutcome {
    LogStreamOutcome::Failed {
        error: "it answers with status 500".to_owned(),
        next_try_at: rows::at(next),
        suspend,
    }
}

async fn set(
    rows: &TenantStore,
    record: &LogStreamRecord,
    status: LogStreamStatus,
    resumed_at: Option<i64>,
) -> Written {
    let mut record = record.clone();
    record.stream.status = status;
    rows.write(async move |work: &mut Work| {
        work.set_log_stream(&record, resumed_at.map(rows::at)).await
    })
    .await
    .unwrap()
}

both_engines! {
    async fn a_stream_is_kept_whole_and_changes_only_as_it_was_read(stage: Stage) {
        let rows = &stage.rows;
        assert_eq!(add(rows, "lst_1").await, Added::Done);
        assert_eq!(add(rows, "lst_1").await, Added::IdTaken);
        assert_eq!(add(rows, "lst_2").await, Added::Done);
        assert_eq!(stream(rows).await, rows::log_stream("lst_1"));
        assert_eq!(rows.list_log_streams().await.unwrap().len(), 2);

        let before = stream(rows).await;
        assert_eq!(set(rows, &before, LogStreamStatus::Paused, None).await, Written::Done);
        assert_eq!(set(rows, &before, LogStreamStatus::Active, None).await, Written::Moved);
        let paused = stream(rows).await;
        assert_eq!((paused.version, paused.stream.status), (2, LogStreamStatus::Paused));

        let remove = || rows.write(async |work: &mut Work| work.remove_log_stream(&id()).await);
        assert_eq!(remove().await, Ok(true));
        assert_eq!(remove().await, Ok(false));
        assert_eq!(set(rows, &paused, LogStreamStatus::Active, None).await, Written::Missing);
    }

    async fn a_stream_is_claimed_once_as_it_was_seen(stage: Stage) {
        let rows = &stage.rows;
        add(rows, "lst_1").await;
        let seen = stream(rows).await;
        assert!(claim(rows, &seen, -1, 50).await.is_none(), "not before its time");
        let held = claim(rows, &seen, 0, 50).await.unwrap();
        assert_eq!((held.delivery.epoch, held.delivery.lease_end, held.delivery.settled_until), (1, rows::at(50), rows::at(-10)));
        assert!(claim(rows, &seen, 60, 100).await.is_none(), "it was seen before the claim");
        assert!(claim(rows, &held, 49, 100).await.is_none(), "the lease holds");
        let next = claim(rows, &held, 50, 100).await.unwrap();
        assert_eq!(next.delivery.epoch, 2);

        assert_eq!(settle(rows, &held, passed(5, 3), 60, 60).await, None, "the first claim was overtaken");
        assert_eq!(settle(rows, &held, failed(70, true), 60, 60).await, None);
        assert_eq!(stream(rows).await, next, "and has written nothing");
        assert_eq!(settle(rows, &next, passed(5, 3), 60, 90).await, Some(LogStreamStatus::Active));
        let after = stream(rows).await.delivery;
        assert_eq!((after.position, after.delivered, after.last_success_at, after.lease_end), (rows::log_id(5), 3, Some(rows::at(60)), rows::at(90)));
    }

    async fn of_many_who_claim_at_once_one_does(stage: Stage) {
        let rows = &stage.rows;
        add(rows, "lst_1").await;
        let seen = stream(rows).await;
        let claims = (0..20).map(|_| claim(rows, &seen, 0, 50));
        let claims = futures_util::future::join_all(claims).await;
        assert_eq!(claims.iter().flatten().count(), 1);
    }

    async fn failures_are_counted_until_a_success(stage: Stage) {
        let rows = &stage.rows;
        add(rows, "lst_1").await;
        let held = claim(rows, &stream(rows).await, 0, 50).await.unwrap();
        assert_eq!(settle(rows, &held, failed(100, false), 10, 10).await, Some(LogStreamStatus::Active));
        let seen = stream(rows).await;
        assert!(claim(rows, &seen, 99, 200).await.is_none());
        let held = claim(rows, &seen, 100, 200).await.unwrap();
        settle(rows, &held, failed(300, false), 110, 110).await;
        let seen = stream(rows).await;
        assert_eq!((seen.delivery.failures, seen.delivery.failing_since), (2, Some(rows::at(10))));
        assert_eq!((seen.delivery.last_error.as_deref(), seen.delivery.last_error_at), (Some("it answers with status 500"), Some(rows::at(110))));
        assert_eq!(seen.delivery.position, rows::log_stream("lst_1").delivery.position);

        let held = claim(rows, &seen, 300, 400).await.unwrap();
        settle(rows, &held, passed(1, 0), 310, 310).await;
        let after = stream(rows).await.delivery;
        assert_eq!((after.failures, after.failing_since, after.last_success_at, after.delivered), (0, None, None, 0));
        assert_eq!(after.last_error_at, Some(rows::at(110)));
    }

    async fn a_stream_that_is_not_active_is_not_claimed(stage: Stage) {
        let rows = &stage.rows;
        add(rows, "lst_1").await;
        let held = claim(rows, &stream(rows).await, 0, 50).await.unwrap();
        assert_eq!(settle(rows, &held, failed(1_000, true), 10, 10).await, Some(LogStreamStatus::Suspended));
        let suspended = stream(rows).await;
        assert!(claim(rows, &suspended, 2_000, 3_000).await.is_none());
        assert!(stage.store.list_active_log_streams().await.unwrap().is_empty());
        assert_eq!(set(rows, &suspended, LogStreamStatus::Active, Some(20)).await, Written::Done);
        let resumed = stream(rows).await;
        assert_eq!((resumed.delivery.failures, resumed.delivery.failing_since), (0, None));
        let held = claim(rows, &resumed, 20, 60).await.unwrap();

        // Paused while a batch is under way: what the receiver took counts.
        assert_eq!(set(rows, &held, LogStreamStatus::Paused, None).await, Written::Done);
        assert_eq!(settle(rows, &held, passed(7, 1), 30, 70).await, Some(LogStreamStatus::Paused));
        assert_eq!(stream(rows).await.delivery.position, rows::log_id(7));
        let paused = stream(rows).await;
        assert!(claim(rows, &paused, 100, 200).await.is_none());
        // A failure does not make it suspended.
        assert_eq!(settle(rows, &held, failed(200, true), 40, 40).await, Some(LogStreamStatus::Paused));
    }

    async fn what_waits_is_seen_without_a_claim(stage: Stage) {
        let rows = &stage.rows;
        add(rows, "lst_1").await;
        let waiting = async || stage.store.list_active_log_streams().await.unwrap().remove(0);
        assert_eq!((waiting().await.next, &waiting().await.tenant), (None, rows.tenant_id()));
        rows.write(async |work: &mut Work| {
            work.add_events(&[rows::event(3), rows::event(1), rows::event(2)]).await
        })
        .await
        .unwrap();
        assert_eq!(waiting().await.next, Some(rows::log_id(1)));
        let lag = rows.find_log_stream_lag(&rows::log_id(1), 9).await.unwrap();
        assert_eq!((lag.events, lag.next), (2, Some(rows::log_id(2))));
        assert_eq!(rows.find_log_stream_lag(&rows::log_id(1), 1).await.unwrap().events, 1);
        let held = claim(rows, &waiting().await.record, 10, 50).await.unwrap();
        settle(rows, &held, passed(3, 3), 20, 20).await;
        assert_eq!(waiting().await.next, None);
    }
}
