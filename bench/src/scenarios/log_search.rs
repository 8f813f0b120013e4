//! Scenario 8, the log: searches by user, name, source, type and time in a large one, beside the same in one of 1,000 events.
//!
//! About as many events fit in either log, so what differs is only its size.

use std::sync::Arc;

use super::large_database::{compare, filled};
use crate::Failure;
use crate::effort::Effort;
use crate::load::Requests;
use crate::node::Engine;
use crate::populate::{Crowd, address, groups};
use crate::report::{Measured, Row, Target};
use crate::shop::Shop;

const SMALL: Crowd = Crowd {
    users: 10,
    events: 1_000,
};

/// What is searched by, and the query of a group of events.
type Search = (&'static str, fn(u64) -> String);

const SEARCHES: [Search; 5] = [
    ("user", |group| format!("user_id:\"auth0|{group:024x}\"")),
    ("name", |group| {
        format!("user_name:\"user{group}@example.com\"")
    }),
    ("source", |group| format!("ip:{}", address(group))),
    ("type", |_| "type:fp".to_owned()),
    ("type and time", |_| {
        "type:(sepft OR fp) AND date:[2026-01 TO *]".to_owned()
    }),
];

/// A row for each kind of search in the log of a large database.
pub(super) async fn run(
    engine: Engine,
    (much, crowd): (&Arc<Shop>, Crowd),
    effort: Effort,
) -> Result<Vec<Row>, Failure> {
    let small = filled(engine, SMALL).await?;
    let mut rows = Vec::new();
    for (name, query) in SEARCHES {
        let searches = |shop: &Arc<Shop>, crowd: Crowd| {
            let shop = Arc::clone(shop);
            let requests: Requests = Arc::new(move |number| {
                let groups = groups(crowd.events).min(crowd.users);
                shop.search_log(&query(number.wrapping_mul(0x9e37_79b9) % groups))
            });
            requests
        };
        let row = Row {
            scenario: format!(
                "8 p50 of a log search by {name} in {} events, {engine}",
                crowd.events
            ),
            limit_name: format!("{} events", SMALL.events),
            limit: Measured::default(),
            measured: Measured::default(),
            unit: "ms",
            target: Target::AtMost(3.0),
            reason: "pages of a large index are not all in the cache".to_owned(),
            notes: "one connection, 50 events of about 100 that fit".to_owned(),
        };
        let row = compare(
            row,
            (&small, &searches(&small, SMALL)),
            (much, &searches(much, crowd)),
            effort,
        )
        .await?;
        rows.push(row);
    }
    Ok(rows)
}
