//! Searches of the log: both engines find the same events, which are those that a plain reading of the filter finds.

use std::ops::Bound;

use model::{
    ClientId, ConnectionId, EventField, EventFilter, EventType, Identifier, LogEvent, Part,
    Pattern, Span, UserId,
};
use serde_json::{Map, Value};
use storage::{EventQuery, EventRange, Page, Searched, Work};

use crate::both_engines;
use crate::rows;

const SECOND: i64 = 1_000_000;

/// What people and attackers write, and what two engines could read differently.
const TEXTS: [&str; 14] = [
    "Ana@Example.com",
    "ana@example.com",
    "ANA",
    "a%",
    "a_a",
    "a\\%",
    "[a]*?",
    "Ünïcode ß",
    "ünïcode SS",
    "' OR 1=1 --",
    "\"quoted\" {{x}} $1 ?1",
    "名前",
    "",
    "z",
];

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn text(&mut self) -> String {
        TEXTS[self.roll(TEXTS.len())].to_owned()
    }

    fn maybe(&mut self) -> Option<String> {
        (self.roll(4) > 0).then(|| self.text())
    }

    fn event(&mut self, micros: i64) -> LogEvent {
        let mut rest = Map::new();
        if self.roll(2) == 0 {
            rest.insert("strategy".to_owned(), Value::from(self.text()));
        }
        rest.insert(
            "auth0_client".to_owned(),
            serde_json::json!({"env": {"strategy": "z"}}),
        );
        LogEvent {
            event_type: EventType::ALL[self.roll(EventType::ALL.len())],
            description: self.text(),
            client_id: self.maybe().map(ClientId::new),
            client_name: self.maybe(),
            connection: self.maybe(),
            connection_id: self.maybe().map(ConnectionId::new),
            ip: self.maybe(),
            user_id: self.maybe().map(UserId::new),
            user_name: self.maybe(),
            user_agent: self.maybe(),
            hostname: self.text(),
            rest,
            ..rows::event(micros)
        }
    }

    fn filter(&mut self, depth: usize) -> EventFilter {
        let field = EventField::ALL[self.roll(EventField::ALL.len())];
        match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => EventFilter::Has(field),
            1 | 2 => EventFilter::Is(field, field.spelled(&self.text())),
            3 => {
                let text = self.text();
                let parts = text.chars().map(|character| match self.roll(4) {
                    0 => Part::Some,
                    1 => Part::One,
                    _ => Part::Text(field.part_spelled(&character.to_string())),
                });
                let mut parts: Vec<Part> = parts.collect();
                parts.push(Part::Some);
                EventFilter::Fits(field, Pattern(parts))
            }
            4 if self.roll(2) == 0 => {
                let [from, to] = [self.text(), self.text()].map(|text| field.spelled(&text));
                EventFilter::Between(field, Bound::Included(from), Bound::Excluded(to))
            }
            4 => EventFilter::During(Span {
                from: Some(rows::at(i64::try_from(self.roll(100)).unwrap() * SECOND)),
                before: None,
            }),
            5 => EventFilter::Not(Box::new(self.filter(depth - 1))),
            6 => EventFilter::All((0..2).map(|_| self.filter(depth - 1)).collect()),
            _ => EventFilter::Any((0..2).map(|_| self.filter(depth - 1)).collect()),
        }
    }
}

/// The value of a field as it is compared.
fn value(event: &LogEvent, field: EventField) -> Option<String> {
    let text = match field {
        EventField::ClientId => event.client_id.as_ref().map(|id| id.as_str().to_owned()),
        EventField::ClientName => event.client_name.clone(),
        EventField::Connection => event.connection.clone(),
        EventField::ConnectionId => event
            .connection_id
            .as_ref()
            .map(|id| id.as_str().to_owned()),
        EventField::Description => Some(event.description.clone()),
        EventField::Hostname => Some(event.hostname.clone()),
        EventField::Ip => return event.ip.clone(),
        EventField::LogId => Some(event.log_id.as_str().to_owned()),
        EventField::OrganizationId | EventField::Strategy | EventField::StrategyType => {
            let member = event.rest.get(field.name())?;
            Some(member.as_str()?.to_owned())
        }
        EventField::Type => Some(event.event_type.code().to_owned()),
        EventField::UserAgent => event.user_agent.clone(),
        EventField::UserId => event.user_id.as_ref().map(|id| id.as_str().to_owned()),
        EventField::UserName => {
            return event
                .user_name
                .as_deref()
                .map(|name| Identifier::of(name).as_str().to_owned());
        }
    };
    Some(field.spelled(&text?))
}

fn holds(filter: &EventFilter, event: &LogEvent) -> bool {
    match filter {
        EventFilter::Every => true,
        EventFilter::Not(inner) => !holds(inner, event),
        EventFilter::All(every) => every.iter().all(|one| holds(one, event)),
        EventFilter::Any(any) => any.iter().any(|one| holds(one, event)),
        EventFilter::Has(field) => value(event, *field).is_some_and(|value| !value.is_empty()),
        EventFilter::Is(field, expected) => {
            value(event, *field).is_some_and(|value| value == *expected)
        }
        EventFilter::Fits(field, pattern) => {
            value(event, *field).is_some_and(|value| pattern.fits(&value))
        }
        EventFilter::Between(field, from, to) => value(event, *field).is_some_and(|value| {
            std::ops::RangeBounds::contains(&(from.clone(), to.clone()), &value)
        }),
        EventFilter::During(span) => {
            span.from.is_none_or(|from| event.date >= from)
                && span.before.is_none_or(|before| event.date < before)
        }
    }
}

async fn found(
    rows: &storage::TenantStore,
    filter: &EventFilter,
    range: EventRange,
) -> (Vec<LogEvent>, u64) {
    let query = EventQuery {
        range,
        filter: filter.clone(),
    };
    match rows.search_events(&query, 1_000).await {
        Ok(Searched::Found(listed)) => (listed.items, listed.total),
        other => panic!("{filter:?}: {other:?}"),
    }
}

fn newest(per_page: u32) -> EventRange {
    EventRange::NewestFirst(Page::numbered(0, per_page))
}

async fn add(rows: &storage::TenantStore, events: Vec<LogEvent>) {
    rows.write(async move |work: &mut Work| work.add_events(&events).await)
        .await
        .unwrap();
}

both_engines! {
    async fn every_filter_finds_what_it_says(stage: Stage) {
        let mut dice = Dice(0x5eed);
        let mut events: Vec<LogEvent> = (0..200).map(|second| dice.event(second * SECOND)).collect();
        add(&stage.rows, events.clone()).await;
        add(&stage.other, (0..50).map(|second| dice.event(second * SECOND)).collect()).await;
        events.reverse();
        let mut not_empty = 0;
        for _ in 0..400 {
            let filter = dice.filter(2);
            let expected: Vec<&LogEvent> = events.iter().filter(|event| holds(&filter, event)).collect();
            not_empty += usize::from(!expected.is_empty() && expected.len() < events.len());
            let (listed, total) = found(&stage.rows, &filter, newest(1_000)).await;
            assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{filter:?}");
            assert_eq!(total, expected.len() as u64, "{filter:?}");
            let (mut oldest, _) = found(&stage.rows, &filter, EventRange::OldestFirst(Page::ALL)).await;
            oldest.reverse();
            assert_eq!(oldest, listed, "{filter:?}");
        }
        assert!(not_empty > 100, "{not_empty}");
    }

    async fn pages_and_totals_of_a_search_fit_together(stage: Stage) {
        let events = (0..1_500).map(|second| LogEvent {
            event_type: if second % 3 == 0 { EventType::WrongPassword } else { EventType::UnknownUser },
            user_agent: Some(format!("agent {}", second % 5)),
            ..rows::event(second * SECOND)
        });
        add(&stage.rows, events.collect()).await;
        let kinds = ["fp", "fu"].map(|code| EventFilter::Is(EventField::Type, code.to_owned()));
        let agent = EventFilter::Is(EventField::UserAgent, "agent 4".to_owned());
        for (filter, count) in [
            (EventFilter::Every, 1_000),
            (kinds[0].clone(), 500),
            (EventFilter::Any(kinds.to_vec()), 1_000),
            (EventFilter::All(vec![kinds[1].clone(), agent.clone()]), 200),
            (agent, 300),
        ] {
            let (all, total) = found(&stage.rows, &filter, newest(1_500)).await;
            assert_eq!(total.min(1_000), count, "{filter:?}");
            assert!(all.is_sorted_by(|one, other| one.log_id > other.log_id), "{filter:?}");
            let mut paged = Vec::new();
            for page in 0..4 {
                let (items, told) = found(&stage.rows, &filter, EventRange::NewestFirst(Page::numbered(page, 70))).await;
                assert_eq!(told, count, "{filter:?}");
                paged.extend(items);
            }
            assert_eq!(paged, all[..paged.len()], "{filter:?}");
        }
    }

    async fn a_name_is_found_however_it_was_typed(stage: Stage) {
        let named = |micros, name: &str| LogEvent { user_name: Some(name.to_owned()), ..rows::event(micros) };
        add(&stage.rows, vec![named(1, " ANA@Example.com"), named(2, "ＡＮＡ@example.com"), named(3, "ben")]).await;
        let is = |name: &str| EventFilter::Is(EventField::UserName, EventField::UserName.spelled(name));
        assert_eq!(found(&stage.rows, &is("Ana@EXAMPLE.com"), newest(9)).await.1, 2);
    }
}
