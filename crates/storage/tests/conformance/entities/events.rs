//! Log events: kept whole, paged both ways, read from a checkpoint on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::{EventFilter, EventType, LogEvent};
use storage::{
    DecisionFilter, EVENTS_COMMIT_WITHIN, EventQuery, EventRange, Page, StoreError, Work,
};

use crate::both_engines;
use crate::rows;

fn bare(micros: i64) -> LogEvent {
    let whole = rows::event(micros);
    LogEvent {
        log_id: whole.log_id,
        ..LogEvent::bare(whole.date, whole.event_type, whole.hostname)
    }
}

both_engines! {
    async fn an_event_is_kept_whole(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_events(&[]).await?;
            work.add_events(&[rows::event(1), bare(2)]).await
        }).await.unwrap();
        assert_eq!(stage.rows.find_event(&rows::log_id(1)).await, Ok(Some(rows::event(1))));
        assert_eq!(stage.rows.find_event(&rows::log_id(2)).await, Ok(Some(bare(2))));
        assert_eq!(stage.rows.find_event(&rows::log_id(3)).await, Ok(None));
    }

    async fn every_type_is_read_back(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let events: Vec<LogEvent> = EventType::ALL.iter().zip(0..)
                .map(|(event_type, micros)| LogEvent { event_type: *event_type, ..rows::event(micros) })
                .collect();
            work.add_events(&events).await
        }).await.unwrap();
        for (event_type, micros) in EventType::ALL.iter().zip(0..) {
            let found = stage.rows.find_event(&rows::log_id(micros)).await.unwrap().unwrap();
            assert_eq!(found.event_type, *event_type);
        }
    }

    async fn many_events_are_written_and_paged_both_ways(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let events: Vec<LogEvent> = (0..1_200).rev().map(rows::event).collect();
            work.add_events(&events).await
        }).await.unwrap();
        let list = async |range| {
            let query = EventQuery { range, filter: EventFilter::default() };
            let listed = stage.rows.list_events(&query).await.unwrap();
            assert_eq!(listed.total, 1_200);
            listed.items.iter().map(|event| event.date.as_microsecond() - rows::at(0).as_microsecond()).collect::<Vec<_>>()
        };
        assert_eq!(list(EventRange::NewestFirst(Page::numbered(0, 3))).await, [1_199, 1_198, 1_197]);
        assert_eq!(list(EventRange::NewestFirst(Page::numbered(399, 3))).await, [2, 1, 0]);
        assert_eq!(list(EventRange::OldestFirst(Page::numbered(1, 3))).await, [3, 4, 5]);
    }

    async fn events_between_two_are_read_whole_and_in_order(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let events: Vec<LogEvent> = (0..6).rev().map(rows::event).collect();
            work.add_events(&events).await
        }).await.unwrap();
        let list = async |after, until, limit| {
            stage.rows.list_events_between(&rows::log_id(after), &rows::log_id(until), limit).await.unwrap()
        };
        assert_eq!(list(1, 4, 9).await, [2, 3, 4].map(rows::event));
        assert_eq!(list(1, 4, 2).await, [2, 3].map(rows::event));
        assert_eq!(list(4, 4, 9).await, []);
    }

    async fn records_of_refusals_are_found_by_what_people_ask_for(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut events: Vec<LogEvent> = (0..6).map(|micros| rows::decision(micros, "brute_force")).collect();
            events[0] = rows::event(0);
            events[1] = rows::decision(1, "same_user");
            events[2].ip = Some("192.0.2.7".to_owned());
            events[3].user_name = Some("  ANA@Example.com".to_owned());
            events[4].user_name = Some("unknown:0123456789abcdef".to_owned());
            work.add_events(&events).await
        }).await.unwrap();
        let page = async |filter: DecisionFilter, page| {
            let listed = stage.rows.list_decisions(&filter, page).await.unwrap();
            let micros = listed.items.iter().map(|event| event.date.as_microsecond() - rows::at(0).as_microsecond());
            (micros.collect::<Vec<_>>(), listed.total)
        };
        let list = async |filter| page(filter, Page::ALL).await.0;
        let none = DecisionFilter::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(page(none.clone(), Page::numbered(0, 2)).await, (vec![5, 4], 5));
        assert_eq!(page(none.clone(), Page::numbered(1, 2)).await, (vec![3, 2], 5));
        assert_eq!(list(DecisionFilter { reason: Some("same_user".to_owned()), ..none.clone() }).await, [1]);
        assert_eq!(list(DecisionFilter { ip: Some("192.0.2.7".to_owned()), ..none.clone() }).await, [2]);
        assert_eq!(list(DecisionFilter { names: names(&["ana@example.com"]), ..none.clone() }).await, [5, 3, 2, 1]);
        let both = names(&["unknown:0123456789abcdef", "eve@example.com"]);
        assert_eq!(list(DecisionFilter { names: both, ..none.clone() }).await, [4]);
        let span = DecisionFilter { from: Some(rows::log_id(2)), before: Some(rows::log_id(4)), ..none };
        assert_eq!(list(span).await, [3, 2]);
    }

    async fn a_checkpoint_reader_sees_everything_once_and_nothing_too_young(stage: Stage) {
        const SECOND: i64 = 1_000_000;
        stage.rows.write(async |work: &mut Work| {
            let events: Vec<LogEvent> = (0..30).map(|second| rows::event(second * SECOND)).collect();
            work.add_events(&events).await
        }).await.unwrap();
        let read = async |from, take, now: i64| {
            let range = EventRange::Checkpoint { from, take, now: rows::at(now * SECOND) };
            let query = EventQuery { range, filter: EventFilter::default() };
            stage.rows.list_events(&query).await.unwrap().items
        };
        let mut seen = Vec::new();
        let mut from = None;
        for now in [5, 12, 20, 25, 35, 39, 45, 60] {
            loop {
                let events = read(from.clone(), 4, now).await;
                assert!(events.iter().all(|event| event.date <= rows::at((now - 10) * SECOND)));
                let Some(last) = events.last() else { break };
                from = Some(last.log_id.clone());
                seen.extend(events);
            }
        }
        let expected: Vec<LogEvent> = (0..30).map(|second| rows::event(second * SECOND)).collect();
        assert_eq!(seen, expected);
        assert_eq!(read(None, 100, 39).await.len(), 30, "an event of exactly ten seconds ago is old enough");
    }

    async fn an_event_whose_unit_took_too_long_is_never_committed(stage: Stage) {
        let latest = i64::try_from(EVENTS_COMMIT_WITHIN.as_micros()).unwrap();
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        stage.store.set_clock(move || rows::at(clock.load(Ordering::SeqCst)));
        let write = async |micros: i64, ends: i64| {
            let now = Arc::clone(&now);
            stage.rows.write(async move |work: &mut Work| {
                now.store(micros, Ordering::SeqCst);
                work.add_events(&[rows::event(micros + 1), rows::event(micros)]).await?;
                now.store(ends, Ordering::SeqCst);
                Ok(())
            }).await
        };
        assert_eq!(write(0, latest).await, Ok(()));
        assert_eq!(write(10, 10 + latest + 1).await, Err(StoreError::TooLate));
        let clock = Arc::clone(&now);
        let unless_counted = stage.rows.write(async move |work: &mut Work| {
            let added = work.add_event_unless_counted(&rows::event(9), &[], rows::at(0)).await?;
            clock.fetch_add(latest + 1, Ordering::SeqCst);
            Ok(added)
        });
        assert_eq!(unless_counted.await, Err(StoreError::TooLate));
        let without_events = stage.rows.write(async |work: &mut Work| {
            work.add_email_template(&rows::email_template("verify_email")).await
        });
        assert!(without_events.await.is_ok(), "what has no event may take its time");

        // Whoever reads up to ten seconds ago has therefore seen all that will ever be there.
        let ids = async |now: i64| {
            let range = EventRange::Checkpoint { from: None, take: 100, now: rows::at(now) };
            let query = EventQuery { range, filter: EventFilter::Every };
            let listed = stage.rows.list_events(&query).await.unwrap();
            listed.items.into_iter().map(|event| event.log_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(60_000_000).await, [rows::log_id(0), rows::log_id(1)]);
    }

    async fn a_unit_that_was_late_is_run_again_and_its_events_are_of_then(stage: Stage) {
        const LATE: i64 = 4_000_000;
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        stage.store.set_clock(move || rows::at(clock.load(Ordering::SeqCst)));
        let write = async |late_runs: i64, unless_counted: bool| {
            let runs = Arc::new(AtomicI64::new(0));
            let (clock, counted) = (Arc::clone(&now), Arc::clone(&runs));
            let began = clock.fetch_add(1, Ordering::SeqCst) + 1;
            let written = stage.rows.write(async move |work: &mut Work| {
                match unless_counted {
                    true => drop(work.add_event_unless_counted(&rows::event(began), &[], rows::at(0)).await?),
                    false => work.add_events(&[rows::event(began)]).await?,
                }
                if counted.fetch_add(1, Ordering::SeqCst) < late_runs {
                    clock.fetch_add(LATE, Ordering::SeqCst);
                }
                Ok(())
            });
            (written.await, runs.load(Ordering::SeqCst))
        };
        assert_eq!(write(0, false).await, (Ok(()), 1));
        assert_eq!(write(1, false).await, (Ok(()), 2));
        assert_eq!(write(2, true).await, (Ok(()), 3));
        assert_eq!(write(i64::MAX, false).await, (Err(StoreError::TooLate), 3), "tried three times, then given up");

        let query = EventQuery { range: EventRange::OldestFirst(Page::numbered(0, 10)), filter: EventFilter::Every };
        let listed = stage.rows.list_events(&query).await.unwrap().items;
        let expected = [1, 2 + LATE, 3 + 3 * LATE].map(rows::event);
        assert_eq!(listed, expected, "each once, and at the time of the run that was kept");
    }

    async fn events_that_have_waited_are_dated_as_they_are_written(stage: Stage) {
        const SECOND: i64 = 1_000_000;
        stage.store.set_clock(|| rows::at(10 * SECOND));
        stage.rows.write(async |work: &mut Work| {
            work.add_events(&[rows::event(9 * SECOND - 1)]).await?;
            work.add_events(&[rows::event(9 * SECOND)]).await?;
            work.add_past_events(&[rows::event(5 * SECOND)]).await
        }).await.unwrap();
        let query = EventQuery { range: EventRange::OldestFirst(Page::numbered(0, 10)), filter: EventFilter::Every };
        let listed = stage.rows.list_events(&query).await.unwrap().items;
        assert_eq!(listed, [5, 9, 10].map(|second| rows::event(second * SECOND)));
    }
}
