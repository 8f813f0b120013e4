//! Scenario 6: key set, discovery document and user profile, beside an empty handler under the same load.

use std::sync::Arc;

use crate::Failure;
use crate::effort::Effort;
use crate::empty_handler::EmptyHandler;
use crate::load::{self, Requests};
use crate::node::{Argon2, Engine};
use crate::report::{Measured, Row, Target};
use crate::shop::{self, Shop};

const CONNECTIONS: usize = 32;
/// As a profile shows it: more than half is the kernel's and the allocator's.
const BOUNDS: &str = "answers 2 kB where the limit answers nothing, and has for every request a tenant, an id and deadlines";

/// A row a document.
pub(crate) async fn run(effort: Effort) -> Result<Vec<Row>, Failure> {
    let round = effort.round(4);
    let shop = Shop::open(Engine::Sqlite, Argon2::SMALL, 1).await?;
    let token = shop.access_token().await?;
    let empty = EmptyHandler::start()?;
    let documents = [
        ("JWKS", "/.well-known/jwks.json", None, BOUNDS),
        (
            "discovery",
            "/.well-known/openid-configuration",
            None,
            BOUNDS,
        ),
        (
            "userinfo",
            "/userinfo",
            Some(token),
            "verifies an RS256 signature and reads the user from the database, so that a blocked one is refused at once",
        ),
    ];
    let mut rows = Vec::new();
    for (name, path, token, reason) in documents {
        let requests: Requests = Arc::new(move |_| shop::get(path, token.as_deref()));
        let warm = load::closed_loop(shop.address(), CONNECTIONS, effort.round(1), &requests).await;
        warm.expect(200)?;
        let (mut limit, mut measured) = (Measured::default(), Measured::default());
        for _ in 0..effort.rounds(4) {
            let bare = load::closed_loop(empty.address, CONNECTIONS, round, &requests).await;
            limit.push(bare.rate());
            let outcome = load::closed_loop(shop.address(), CONNECTIONS, round, &requests).await;
            outcome.expect(200)?;
            measured.push(outcome.rate());
        }
        rows.push(Row {
            scenario: format!("6 {name}"),
            limit_name: "empty axum handler".to_owned(),
            limit,
            measured,
            unit: "/s",
            target: Target::AtLeast(0.7),
            reason: reason.to_owned(),
            notes: String::new(),
        });
    }
    Ok(rows)
}
