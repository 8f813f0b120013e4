//! Scenario 8: logins and the search for a user in a large database, beside the same with 1,000 users and no events;
//! and searches of its log.

use std::sync::Arc;

use tokio::time::Instant;

use super::log_search;
use crate::Failure;
use crate::effort::Effort;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine};
use crate::populate::{Crowd, populate};
use crate::report::{Measured, Row, Target};
use crate::shop::{PASSWORD, Shop};

const SMALL: Crowd = Crowd {
    users: 1_000,
    events: 0,
};

/// A row for logins, a row for the search, and those of the log.
pub(crate) async fn run(engine: Engine, effort: Effort, large: bool) -> Result<Vec<Row>, Failure> {
    let crowd = match (effort, large) {
        (_, true) => Crowd {
            users: 1_000_000,
            events: 10_000_000,
        },
        (Effort::Full, false) => Crowd {
            users: 100_000,
            events: 1_000_000,
        },
        (Effort::Short, false) => Crowd {
            users: 10_000,
            events: 20_000,
        },
    };
    let crowd = match engine {
        Engine::Sqlite => crowd,
        // A user costs three round trips there.
        Engine::Postgres => Crowd {
            users: crowd.users.min(100_000),
            ..crowd
        },
    };
    let begun = Instant::now();
    let small = filled(engine, SMALL).await?;
    let large = filled(engine, crowd).await?;
    eprintln!(
        "{engine} has {} users and {} events after {} s",
        crowd.users,
        crowd.events,
        begun.elapsed().as_secs()
    );
    let logins = |shop: &Arc<Shop>, users| {
        let shop = Arc::clone(shop);
        let requests: Requests = Arc::new(move |number| {
            let home = format!("192.0.2.{}", number % 200);
            shop.login(anybody(number, users), PASSWORD, &home)
        });
        requests
    };
    let searches = |shop: &Arc<Shop>, users| {
        let shop = Arc::clone(shop);
        let requests: Requests = Arc::new(move |number| shop.search(anybody(number, users)));
        requests
    };
    let against = format!("{} users, no events", SMALL.users);
    let size = format!("{} users, {} events", crowd.users, crowd.events);
    let mut rows = vec![
        compare(
            Row {
                scenario: format!("8 p50 of a login with {size}, {engine}"),
                target: Target::AtMost(1.05),
                ..blank(&against)
            },
            (&small, &logins(&small, SMALL.users)),
            (&large, &logins(&large, crowd.users)),
            effort,
        )
        .await?,
        compare(
            Row {
                scenario: format!("8 p50 of a user search by e-mail with {size}, {engine}"),
                target: Target::AtMost(3.0),
                ..blank(&against)
            },
            (&small, &searches(&small, SMALL.users)),
            (&large, &searches(&large, crowd.users)),
            effort,
        )
        .await?,
    ];
    rows.extend(log_search::run(engine, (&large, crowd), effort).await?);
    Ok(rows)
}

fn blank(limit_name: &str) -> Row {
    Row {
        scenario: String::new(),
        limit_name: limit_name.to_owned(),
        limit: Measured::default(),
        measured: Measured::default(),
        unit: "ms",
        target: Target::AtMost(1.0),
        reason: "pages of a large file are not all in the cache".to_owned(),
        notes: "one connection, one call after the other".to_owned(),
    }
}

/// A server whose database was filled while it was stopped.
pub(super) async fn filled(engine: Engine, crowd: Crowd) -> Result<Arc<Shop>, Failure> {
    let mut shop = Shop::open(engine, Argon2::DEFAULT, 1).await?;
    shop.node.stop()?;
    populate(&shop.node.store(), crowd).await?;
    shop.node.start_again().await?;
    Ok(Arc::new(shop))
}

/// Users in an order that jumps about.
fn anybody(number: u64, users: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % users
}

pub(super) async fn compare(
    mut row: Row,
    small: (&Shop, &Requests),
    large: (&Shop, &Requests),
    effort: Effort,
) -> Result<Row, Failure> {
    for (shop, requests) in [small, large] {
        load::closed_loop(shop.address(), 1, effort.round(2), requests)
            .await
            .expect(200)?;
    }
    for _ in 0..effort.rounds(6) {
        for ((shop, requests), kept) in [(small, &mut row.limit), (large, &mut row.measured)] {
            let outcome = load::closed_loop(shop.address(), 1, effort.round(3), requests).await;
            outcome.expect(200)?;
            kept.push(outcome.millis(50));
        }
    }
    Ok(row)
}
