//! Scenario 7: requests at three times the capacity for logins, 95 % of them guesses from many addresses.
//!
//! Half of the honest logins come from where their users were seen before, half from addresses never seen. In the first
//! round those of the guesses were never seen either; in the others each has failed by then. Beside the flood, a key set
//! and a token for an application are asked for at a steady pace, as they were on the idle server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::effort::Effort;
use crate::flood::{self, Answered, Flood, MOST_CONNECTIONS, Who};
use crate::load::{self, Outcome, Requests};
use crate::node::{Argon2, Engine};
use crate::report::{Measured, Row, Target};
use crate::shop::{self, PASSWORD, Shop};
use crate::{Failure, process};

const USERS: u64 = 80;
/// Users with a home; the others log in from new addresses only.
const AT_HOME: u64 = 40;
/// The guesses come from as many addresses as the server checks passwords in this many seconds.
const LAIRS_FOR: f64 = 5.0;
const PROBES_A_SECOND: f64 = 50.0;
/// A flood takes this long to fill the queue.
const FILLING: Duration = Duration::from_secs(5);
/// How long the server lets a login wait for a hash.
const DEADLINE: f64 = 5_000.0;

/// Figures of the rounds.
#[derive(Default)]
struct Figures {
    jwks: (Measured, Measured),
    tokens: (Measured, Measured),
    at_home: (Measured, Measured),
    newcomers_at_first: (Measured, Measured),
    newcomers: (Measured, Measured),
    refused: Measured,
    longest: Measured,
    memory: Measured,
    capacity: Measured,
    statuses: String,
}

/// A row a figure.
pub(crate) async fn run(engine: Engine, effort: Effort) -> Result<Vec<Row>, Failure> {
    let shop = Arc::new(Shop::open(engine, Argon2::DEFAULT, USERS).await?);
    let mut figures = Figures::default();
    // Two at least: before the guesses failed, and after.
    for round in 0..effort.rounds(3).max(2) {
        one_round(
            &shop,
            &mut figures,
            effort.round(10).max(FILLING),
            round as u64,
        )
        .await?;
    }
    Ok(rows(engine, figures))
}

async fn one_round(
    shop: &Arc<Shop>,
    figures: &mut Figures,
    time: Duration,
    round: u64,
) -> Result<(), Failure> {
    let homes = Arc::clone(shop);
    let logins: Requests =
        Arc::new(move |number| homes.login(number % AT_HOME, PASSWORD, &home(number % AT_HOME)));
    let full = load::closed_loop(shop.address(), 16, time, &logins).await;
    full.expect(200)?;
    let rate = 3.0 * full.rate();
    figures.capacity.push(full.rate());
    let lairs = (LAIRS_FOR * figures.capacity.least()) as u64;

    let (jwks, tokens) = probe(shop, time).await?;
    figures.jwks.0.push(jwks.millis(99));
    figures.tokens.0.push(tokens.millis(99));

    let flooding = Arc::clone(shop);
    let requests: flood::Requests =
        Arc::new(move |number| request(&flooding, number, round, lairs));
    let (flood, probes) = tokio::join!(
        flood::flood(shop.address(), rate, time, &requests),
        probe(shop, time)
    );
    let (jwks, tokens) = probes?;
    figures.jwks.1.push(jwks.millis(99));
    figures.tokens.1.push(tokens.millis(99));
    figures.note(&flood, rate, time, round);
    figures.memory.push(process::most_resident(shop.node.pid()));
    Ok(())
}

/// Of twenty requests one is honest, and every other honest one comes from a new address.
fn request(shop: &Shop, number: u64, round: u64, lairs: u64) -> (Who, Request<Full<Bytes>>) {
    let turn = number / 20;
    match (number % 20, turn % 2) {
        (19, 0) => {
            let user = turn / 2 % AT_HOME;
            (Who::AtHome, shop.login(user, PASSWORD, &home(user)))
        }
        (19, _) => {
            let user = AT_HOME + turn / 2 % (USERS - AT_HOME);
            let address = format!("198.18.{}.{}", turn / 250 % 250, turn % 250);
            let address = address.replacen("198", &format!("{}", 198 + round), 1);
            (Who::Newcomer, shop.login(user, PASSWORD, &address))
        }
        _ => {
            let lair = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % lairs.max(1);
            let name = match number % 2 {
                0 => format!("user{}@example.com", number % USERS),
                _ => format!("nobody{}@example.com", number % 10_000),
            };
            let address = format!("10.0.{}.{}", lair / 250, lair % 250);
            (Who::Hostile, shop.login_as(&name, "wrong", &address))
        }
    }
}

fn home(user: u64) -> String {
    format!("192.0.2.{}", user + 1)
}

async fn probe(shop: &Arc<Shop>, time: Duration) -> Result<(Outcome, Outcome), Failure> {
    let jwks: Requests = Arc::new(|_| shop::get("/.well-known/jwks.json", None));
    let asking = Arc::clone(shop);
    let tokens: Requests = Arc::new(move |_| asking.client_credentials());
    let (jwks, tokens) = tokio::join!(
        load::open_loop(shop.address(), PROBES_A_SECOND, time, &jwks),
        load::open_loop(shop.address(), PROBES_A_SECOND, time, &tokens)
    );
    jwks.expect(200)?;
    tokens.expect(200)?;
    Ok((jwks, tokens))
}

impl Figures {
    fn note(&mut self, flood: &Flood, rate: f64, time: Duration, round: u64) {
        let count = |fits: &dyn Fn(&Answered) -> bool| {
            flood.answers.iter().filter(|answer| fits(answer)).count() as f64
        };
        let seconds = time.as_secs_f64();
        let newcomers = match round {
            0 => &mut self.newcomers_at_first,
            _ => &mut self.newcomers,
        };
        for (who, kept) in [(Who::AtHome, &mut self.at_home), (Who::Newcomer, newcomers)] {
            kept.0.push(count(&|answer| answer.who == who) / seconds);
            let served = count(&|answer| answer.who == who && answer.status == 200);
            kept.1.push(served / seconds);
        }
        let busy = |answer: &Answered| answer.status == 503;
        let mut refused: Vec<Duration> = flood
            .answers
            .iter()
            .filter(|answer| busy(answer))
            .map(|answer| answer.took)
            .collect();
        refused.sort_unstable();
        let last_of_a_hundred = refused.get(refused.len() * 99 / 100).copied();
        self.refused.push(millis(last_of_a_hundred));
        let longest = flood.answers.iter().map(|answer| answer.took).max();
        self.longest.push(millis(longest));
        self.statuses = format!(
            "last round, {rate:.0}/s: {:.0} guesses checked, {:.0} blocked, {:.0} requests refused as busy, {:.0} of them \
             without Retry-After, {} not sent for want of a connection",
            count(&|answer| answer.who == Who::Hostile && answer.status == 403),
            count(&|answer| answer.status == 429),
            count(&busy),
            count(&|answer| busy(answer) && !answer.says_when_to_retry),
            flood.unsent,
        );
    }
}

fn millis(duration: Option<Duration>) -> f64 {
    duration.unwrap_or_default().as_secs_f64() * 1_000.0
}

fn rows(engine: Engine, figures: Figures) -> Vec<Row> {
    let row = |what: &str, limit_name: &str, limit, measured, unit, target, reason: &str| Row {
        scenario: format!("7 flood, {engine}: {what}"),
        limit_name: limit_name.to_owned(),
        limit,
        measured,
        unit,
        target,
        reason: reason.to_owned(),
        notes: String::new(),
    };
    let shared = "the flood's generator takes its share of the cores";
    let behind = match engine {
        Engine::Sqlite => {
            "its event waits behind the charges of the logins that were admitted before it"
        }
        Engine::Postgres => "the database, too, shares the cores with hashes and generator",
    };
    let budget = process::memory_budget(Argon2::DEFAULT.memory_kib, MOST_CONNECTIONS);
    let (served, needed) = (Target::AtLeast(0.9), "what they ask for");
    let mut rows = vec![
        row(
            "right logins from known homes",
            needed,
            figures.at_home.0,
            figures.at_home.1,
            "/s",
            served,
            "not known",
        ),
        row(
            "right logins from new addresses, while those of the guesses are new too",
            needed,
            figures.newcomers_at_first.0,
            figures.newcomers_at_first.1,
            "/s",
            served,
            "nothing tells a new address with a right password from one with a guess",
        ),
        row(
            "right logins from new addresses, once those of the guesses have failed",
            needed,
            figures.newcomers.0,
            figures.newcomers.1,
            "/s",
            served,
            "not known",
        ),
        row(
            "p99 of JWKS",
            "idle",
            figures.jwks.0,
            figures.jwks.1,
            "ms",
            Target::AtMost(5.0),
            shared,
        ),
        row(
            "p99 of client credentials",
            "idle",
            figures.tokens.0,
            figures.tokens.1,
            "ms",
            Target::AtMost(5.0),
            behind,
        ),
        row(
            "p99 of being refused",
            "promise",
            Measured::of(50.0),
            figures.refused,
            "ms",
            Target::AtMost(1.0),
            shared,
        ),
        row(
            "longest wait of any login",
            "deadline",
            Measured::of(DEADLINE),
            figures.longest,
            "ms",
            Target::AtMost(1.0),
            "not known",
        ),
        row(
            "most memory",
            "budget",
            Measured::of(budget),
            figures.memory,
            "MB",
            Target::AtMost(1.0),
            "not known",
        ),
    ];
    if let Some(first) = rows.first_mut() {
        first.notes = format!(
            "capacity {:.0} logins/s; {}",
            figures.capacity.median(),
            figures.statuses
        );
    }
    rows
}
