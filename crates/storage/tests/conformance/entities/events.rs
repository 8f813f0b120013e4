//! Log events: kept whole, paged both ways, read from a checkpoint on.

use model::{ClientId, EventType, LogEvent, UserId};
use storage::{DecisionFilter, EventFilter, EventQuery, EventRange, Page, Work};

use crate::both_engines;
use crate::rows;

fn bare(micros: i64) -> LogEvent {
    LogEvent {
        client_id: None,
        client_name: None,
        connection: None,
        connection_id: None,
        ip: None,
        client_ip: None,
        user_id: None,
        user_name: None,
        user_agent: None,
        audience: None,
        scope: None,
        ..rows::event(micros)
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

    async fn filters_are_equalities(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut events: Vec<LogEvent> = (0..5).map(bare).collect();
            events[0].user_id = Some(UserId::new("auth0|7"));
            events[1].client_id = Some(ClientId::new("c7"));
            events[2].ip = Some("192.0.2.7".to_owned());
            events[3].event_type = EventType::BruteForceBlock;
            events[3].ip = Some("192.0.2.7".to_owned());
            work.add_events(&events).await
        }).await.unwrap();
        let list = async |filter| {
            let range = EventRange::OldestFirst(Page::ALL);
            let listed = stage.rows.list_events(&EventQuery { range, filter }).await.unwrap();
            assert_eq!(listed.total, listed.items.len() as u64);
            listed.items.iter().map(|event| event.date.as_microsecond() - rows::at(0).as_microsecond()).collect::<Vec<_>>()
        };
        let none = EventFilter::default();
        let ip = Some("192.0.2.7".to_owned());
        let block = Some(EventType::BruteForceBlock);
        assert_eq!(list(none.clone()).await, [0, 1, 2, 3, 4]);
        assert_eq!(list(EventFilter { user_id: Some(UserId::new("auth0|7")), ..none.clone() }).await, [0]);
        assert_eq!(list(EventFilter { client_id: Some(ClientId::new("c7")), ..none.clone() }).await, [1]);
        assert_eq!(list(EventFilter { ip: ip.clone(), ..none.clone() }).await, [2, 3]);
        assert_eq!(list(EventFilter { ip, event_type: block, ..none }).await, [3]);
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
}
