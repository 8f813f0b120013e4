//! What a search costs does not grow with the log: steps of SQLite's machine and pages of PostgreSQL are counted for the
//! same searches on a small log and on one a hundred times as large. Both hold as many events that fit.

use model::{ClientId, EventField, EventFilter, EventType, LogEvent, Part, Pattern, Span, UserId};
use storage::{EVENTS_LOOKED_AT, EventQuery, EventRange, Page, Searched, Work};

use crate::rows;
use crate::stage::{Engine, Stage};

const SMALL: i64 = 1_000;
const LARGE: i64 = 100_000;
/// Every so many events are about the same person, address, application or kind, in either log.
const ALIKE: i64 = 100;

/// A log in which 100 events are about each person, from each address, through each application.
async fn log(engine: Engine, events: i64) -> Stage {
    let stage = Stage::open(engine).await;
    let groups = events / ALIKE;
    for first in (0..events).step_by(5_000) {
        let unit: Vec<LogEvent> = (first..events.min(first + 5_000))
            .map(|number| {
                // Scattered, as people come.
                let group = number.wrapping_mul(7_919).rem_euclid(groups);
                LogEvent {
                    user_id: Some(UserId::new(format!("auth0|{group}"))),
                    user_name: Some(format!("user{group}@example.com")),
                    ip: Some(format!("192.0.2.{group}")),
                    client_id: Some(ClientId::new(format!("client{group}"))),
                    event_type: match group {
                        0 => EventType::WrongPassword,
                        _ => EventType::PasswordExchangeSucceeded,
                    },
                    description: if number == 17 { "needle" } else { "hay" }.to_owned(),
                    ..rows::event(number * 1_000_000)
                }
            })
            .collect();
        let written = stage
            .rows
            .write(async move |work: &mut Work| work.add_events(&unit).await);
        written.await.unwrap();
    }
    if engine != Engine::Sqlite {
        stage.sql("VACUUM ANALYZE events");
    }
    stage
}

/// A value of each field that people ask for, and its index.
fn asked() -> [(EventField, &'static str, &'static str); 5] {
    [
        (EventField::UserId, "auth0|0", "events_by_user"),
        (EventField::UserName, "user0@example.com", "events_by_name"),
        (EventField::Ip, "192.0.2.0", "events_by_ip"),
        (EventField::ClientId, "client0", "events_by_client"),
        (EventField::Type, "fp", "events_by_type"),
    ]
}

fn is(field: EventField, value: &str) -> EventFilter {
    EventFilter::Is(field, value.to_owned())
}

async fn search(stage: &Stage, filter: EventFilter, range: EventRange) -> Searched {
    let query = EventQuery { range, filter };
    stage.rows.search_events(&query, 0).await.unwrap()
}

fn newest() -> EventRange {
    EventRange::NewestFirst(Page::numbered(0, 50))
}

/// The statements of a search that go through the log, each with what it costs.
async fn costs(
    stage: &Stage,
    field: EventField,
    value: &str,
    filter: EventFilter,
) -> Vec<(String, u64)> {
    let mut costs = Vec::new();
    for range in [newest(), EventRange::OldestFirst(Page::numbered(0, 50))] {
        let before = stage.store.statement_trace();
        let Searched::Found(found) = search(stage, filter.clone(), range).await else {
            panic!("{field:?} is given up")
        };
        assert_eq!(found.items.len(), 50, "{field:?}");
        let ran = stage.store.statement_trace().since(&before);
        for (text, _) in ran.iter() {
            if text.starts_with("SELECT log_id FROM") {
                costs.push((text.to_owned(), cost(stage, text, value)));
            }
        }
    }
    assert!(costs.len() >= 2, "{field:?}");
    costs
}

fn cost(stage: &Stage, text: &str, value: &str) -> u64 {
    match stage.engine {
        Engine::Sqlite => {
            let file = rusqlite::Connection::open(stage.path()).unwrap();
            let mut statement = file.prepare(&text.replace('$', "?")).unwrap();
            let given = ["ten_one", "", "~", value, "hay"];
            let given = given.iter().take(statement.parameter_count());
            let mut rows = statement.query(rusqlite::params_from_iter(given)).unwrap();
            while rows.next().unwrap().is_some() {}
            drop(rows);
            u64::try_from(statement.get_status(rusqlite::StatementStatus::VmStep)).unwrap()
        }
        Engine::Postgres | Engine::Pooler => {
            let read = stage.sql(&explained(
                text,
                value,
                "ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF",
            ));
            let pages = read
                .lines()
                .find_map(|line| line.trim().strip_prefix("Buffers: shared "));
            let counts = pages.unwrap_or_else(|| panic!("{read}")).split(' ');
            let counts =
                counts.filter_map(|part| part.strip_prefix("hit=").or(part.strip_prefix("read=")));
            counts.map(|count| count.parse::<u64>().unwrap()).sum()
        }
    }
}

/// The plan that PostgreSQL has for any values.
fn explained(text: &str, value: &str, how: &str) -> String {
    let given = ["ten_one", "", "~", value, "hay"];
    let count = (1..=given.len())
        .filter(|number| text.contains(&format!("${number}")))
        .count();
    let types = vec!["text"; count].join(", ");
    let values = given[..count]
        .iter()
        .map(|value| format!("'{value}'"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE asked ({types}) AS {text}; EXPLAIN ({how}) EXECUTE asked ({values})"
    )
}

fn plan(stage: &Stage, text: &str, value: &str) -> String {
    if stage.engine != Engine::Sqlite {
        return stage.sql(&explained(text, value, "COSTS OFF"));
    }
    let file = rusqlite::Connection::open(stage.path()).unwrap();
    let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let mut steps = plan.raw_query();
    let mut told = String::new();
    while let Some(step) = steps.next().unwrap() {
        told.push_str(&step.get::<_, String>("detail").unwrap());
        told.push('\n');
    }
    told
}

async fn searches_cost_what_they_show(engine: Engine) {
    let (small, large) = (log(engine, SMALL).await, log(engine, LARGE).await);
    let lately = EventFilter::During(Span {
        from: Some(rows::at(0)),
        before: Some(rows::at(2 * LARGE * 1_000_000)),
    });
    let words = EventFilter::Fits(
        EventField::Description,
        Pattern(vec![Part::Text("ha".to_owned()), Part::Some]),
    );
    for (field, value, index) in asked() {
        for filter in [
            is(field, value),
            EventFilter::All(vec![is(field, value), lately.clone()]),
            EventFilter::All(vec![words.clone(), is(field, value)]),
        ] {
            let little = costs(&small, field, value, filter.clone()).await;
            let much = costs(&large, field, value, filter).await;
            for ((text, small_cost), (same, large_cost)) in little.iter().zip(&much) {
                assert_eq!(text, same);
                assert!(
                    *large_cost <= 3 * small_cost + 50,
                    "{small_cost} became {large_cost}: {text}"
                );
                let plan = plan(&large, text, value);
                assert!(plan.contains(index), "{text}\n{plan}");
            }
        }
    }
    // By time alone, on the key itself.
    let (little, much) = (every(&small).await, every(&large).await);
    assert!(much <= 3 * little + 50, "{little} became {much}");

    // Where no index helps, a search ends, and says so.
    let needle = is(EventField::Description, "needle");
    let Searched::GaveUp(at) = search(&large, needle.clone(), newest()).await else {
        panic!("{LARGE} events were looked at")
    };
    let whole = EventQuery {
        range: newest(),
        filter: needle.clone(),
    };
    assert!(
        large.rows.list_events(&whole).await.is_err(),
        "a list is whole or an error"
    );
    let looked_at = rows::at(LARGE * 1_000_000).duration_since(at).as_secs();
    assert!(
        (looked_at - i64::try_from(EVENTS_LOOKED_AT).unwrap()).abs() <= 5_000,
        "{looked_at}"
    );
    let span = Span {
        from: None,
        before: Some(rows::at(1_000_000_000)),
    };
    let narrowed = EventFilter::All(vec![needle, EventFilter::During(span)]);
    assert!(
        matches!(search(&large, narrowed, newest()).await, Searched::Found(found) if found.items.len() == 1)
    );
}

async fn every(stage: &Stage) -> u64 {
    let before = stage.store.statement_trace();
    assert!(
        matches!(search(stage, EventFilter::Every, newest()).await, Searched::Found(found) if found.items.len() == 50)
    );
    let ran = stage.store.statement_trace().since(&before);
    let walked = ran
        .iter()
        .find(|(text, _)| text.starts_with("SELECT log_id FROM"));
    cost(stage, walked.unwrap().0, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_cost_what_they_show_on_sqlite() {
    searches_cost_what_they_show(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_cost_what_they_show_on_postgres() {
    searches_cost_what_they_show(Engine::Postgres).await;
}
