//! Dropping ranges of events, but for those that are named, and the mark that tells of it.

use model::{EventType, LogEvent, LogId};
use storage::{LogMark, Work};

use crate::both_engines;
use crate::rows;
use crate::stage::Stage;

async fn fill(stage: &Stage, count: i64) {
    let filled = stage.rows.write(async move |work: &mut Work| {
        let events: Vec<LogEvent> = (0..count).map(rows::event).collect();
        work.add_events(&events).await
    });
    filled.await.unwrap();
}

async fn drop_events(stage: &Stage, after: &LogId, until: &LogId, kept: &[LogId]) -> u64 {
    let (after, until, kept) = (after.clone(), until.clone(), kept.to_vec());
    let dropped = stage
        .rows
        .write(async move |work: &mut Work| work.drop_events(&after, &until, &kept).await);
    dropped.await.unwrap()
}

async fn left(stage: &Stage) -> Vec<LogId> {
    let (first, last) = (LogId::new(""), rows::log_id(9_999));
    stage
        .rows
        .list_log_ids(&first, &last, 10_000)
        .await
        .unwrap()
}

both_engines! {
    async fn a_range_is_dropped_but_for_what_is_kept(stage: Stage) {
        fill(&stage, 10).await;
        let start = LogId::new("");
        let first = stage.rows.list_log_ids(&start, &rows::log_id(5), 3).await.unwrap();
        assert_eq!(first, [0, 1, 2].map(rows::log_id));
        let kept = [1, 3, 4].map(rows::log_id);
        assert_eq!(drop_events(&stage, &start, &rows::log_id(5), &kept).await, 3);
        assert_eq!(left(&stage).await, [1, 3, 4, 6, 7, 8, 9].map(rows::log_id));
        assert_eq!(drop_events(&stage, &rows::log_id(3), &rows::log_id(6), &[]).await, 2, "the first is not in the range");
        assert_eq!(left(&stage).await, [1, 3, 7, 8, 9].map(rows::log_id));
    }

    async fn the_mark_of_what_is_dropped_only_moves_forward(stage: Stage) {
        fill(&stage, 10).await;
        let mark = async || stage.rows.find_log_mark(LogMark::Dropped).await.unwrap();
        assert_eq!(mark().await, None);
        for (until, expected) in [(5, 5), (3, 5), (5, 5), (7, 7)] {
            drop_events(&stage, &LogId::new(""), &rows::log_id(until), &[]).await;
            assert_eq!(mark().await, Some(rows::log_id(expected)));
        }
        assert_eq!(stage.rows.find_log_mark(LogMark::Counted).await, Ok(None));
    }

    async fn several_who_drop_at_once_drop_everything_once(stage: Stage) {
        fill(&stage, 1_200).await;
        let dropping = (0..8).map(|_| async {
            let mut dropped = 0;
            let mut after = LogId::new("");
            loop {
                let ids = stage.rows.list_log_ids(&after, &rows::log_id(999), 100).await.unwrap();
                let Some(last) = ids.last().cloned() else { return dropped };
                dropped += drop_events(&stage, &after, &last, &[rows::log_id(500)]).await;
                after = last;
            }
        });
        let dropped = futures_util::future::join_all(dropping).await;
        assert_eq!(dropped.into_iter().sum::<u64>(), 999);
        assert_eq!(left(&stage).await.len(), 201);
    }

    async fn events_about_blocks_are_found_by_reason_or_type(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut events: Vec<LogEvent> = (0..3).map(rows::event).collect();
            events[1].event_type = EventType::BlockCreated;
            events.push(rows::decision(3, "brute_force"));
            events.push(rows::decision(4, "same_user"));
            events.push(rows::decision(5, "brute_force"));
            work.add_events(&events).await
        }).await.unwrap();
        let (first, last) = (LogId::new(""), rows::log_id(4));
        let found = stage.rows.list_block_events(&first, &last, "brute_force", EventType::BlockCreated);
        let found = found.await.unwrap();
        assert_eq!(found.iter().map(|event| event.log_id.clone()).collect::<Vec<_>>(), [1, 3].map(rows::log_id));
        let whole = rows::decision(3, "brute_force");
        assert_eq!(
            (&found[1].user_name, &found[1].user_id, &found[1].connection_id, &found[1].details),
            (&whole.user_name, &whole.user_id, &whole.connection_id, &whole.details)
        );
    }
}
