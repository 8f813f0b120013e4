//! Known and unknown addresses cannot be told apart by signing up or by asking for a new password (peers.md row 23).
//!
//! By what is answered and done: answers, hashes, statements, rows written a table, commits. By time: in the process,
//! interleaved, by a rank statistic. What an answer says of an address is in `attacks::accounts`.

use std::collections::BTreeMap;
use std::time::Instant;

use credentials::Scheme;
use serde_json::{Value, json};
use testkit::{Answer, Backend, Engine, PASSWORD, World, WorldSettings, on_both_engines};

use super::{HOME, NEW_PASSWORD, ask_for_reset, new_person, options, post};
use crate::protection::indistinguishable::rank_statistic;

const SIGN_UP: &str = "/dbconnections/signup";
const KNOWN: &str = "ana@example.com";
const UNKNOWN: &str = "bob@example.com";

/// What one call told and did.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    body: Value,
    headers: Vec<String>,
    hashes: u64,
    units: u64,
    /// How often each statement ran.
    ran: BTreeMap<String, u64>,
    /// What was done to each table (`INSERT INTO users`), in rows.
    rows: BTreeMap<String, u64>,
}

/// Tables that the calls themselves look at; others are cached, and read now and then for everybody.
const TABLES: [&str; 8] = [
    "users",
    "identifiers",
    "meters",
    "events",
    "mail_queue",
    "password_mix",
    "password_history",
    "tickets",
];

async fn seen(world: &World, call: impl Future<Output = Answer>) -> Seen {
    let (trace, hashes) = (world.app.store.statement_trace(), world.hashes());
    let units = world.app.store.commit_counts().units;
    let answer = call.await;
    let units = world.app.store.commit_counts().units - units;
    let trace = world.app.store.statement_trace().since(&trace);
    let after = world.hashes();
    let (mut ran, mut rows) = (BTreeMap::new(), BTreeMap::new());
    for (text, tally) in trace.iter() {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(at) = words
            .iter()
            .position(|word| ["FROM", "INTO", "UPDATE"].contains(word))
        else {
            continue;
        };
        let (verb, table) = (words[0], words.get(at + 1).copied().unwrap_or_default());
        // The mix of password formats is read when its cache is old.
        if !TABLES.contains(&table) || text.contains("SUM(users)") {
            continue;
        }
        ran.insert(text.to_owned(), tally.runs);
        if verb != "SELECT" {
            *rows.entry(format!("{verb} {table}")).or_insert(0) += tally.rows_written;
        }
    }
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|header| format!("{header:?}"))
        .collect();
    headers.sort();
    let mut body = answer.json();
    for (member, text) in body.as_object_mut().into_iter().flatten() {
        // What was sent comes back, and an id is random: only its length could tell.
        if ["_id", "email"].contains(&member.as_str()) {
            *text = json!(text.as_str().map(str::len));
        }
    }
    Seen {
        status: answer.status,
        body,
        headers,
        hashes: after.fresh + after.verified() - hashes.fresh - hashes.verified(),
        units,
        ran,
        rows,
    }
}

async fn sign_up(backend: &Backend<'_>, email: &str, password: &str) -> Answer {
    let mut body = new_person(backend, email);
    body["password"] = json!(password);
    post(backend.world, HOME, SIGN_UP, &[], &body).await
}

/// A world where nothing is asked too often, and where hashes take a time that could be seen.
async fn unlimited() -> World {
    let settings = WorldSettings {
        scheme: Scheme::Argon2id {
            memory_kib: 1_024,
            passes: 1,
            lanes: 1,
        },
        ..WorldSettings::default()
    };
    let world = World::start_with(Engine::Sqlite, settings).await;
    let off = json!({"enabled": false});
    let admin = world.admin().await;
    for shield in ["brute-force-protection", "suspicious-ip-throttling"] {
        let path = format!("attack-protection/{shield}");
        admin.patch(&path, off.clone()).await.expect(200);
    }
    world
}

/// Times a call for many known and many unknown addresses in turn, and compares them.
async fn compare(backend: &Backend<'_>, what: &str, call: impl AsyncFn(usize, &str)) {
    const WARM_UP: usize = 20;
    const ROUNDS: usize = 220;
    for number in 0..ROUNDS {
        backend
            .add_user(&format!("known{number}@example.com"))
            .await;
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let mut pair = [("known", &mut known), ("other", &mut unknown)];
        // Whoever comes second finds caches warm.
        if number % 2 == 1 {
            pair.reverse();
        }
        for (name, times) in pair {
            #[expect(
                clippy::disallowed_methods,
                reason = "real time is what is measured here"
            )]
            let started = Instant::now();
            call(number, &format!("{name}{number}@example.com")).await;
            if number >= WARM_UP {
                times.push(started.elapsed().as_nanos());
            }
        }
    }
    let statistic = rank_statistic(&known, &unknown);
    println!(
        "{what}, known against unknown addresses: rank statistic {statistic:.3} over {} pairs",
        known.len()
    );
    assert!(
        (0.38..=0.62).contains(&statistic),
        "{what}: rank statistic {statistic:.3}"
    );
}

on_both_engines! {
    async fn a_sign_up_does_the_same_work_for_both(world: World) {
        let backend = world.backend(true).await;
        options(&backend, json!({"password_history": {"enable": true, "size": 3}})).await;
        backend.add_user(KNOWN).await;
        // Rows that only the first ever makes are there then.
        sign_up(&backend, "first@example.com", PASSWORD).await.expect(200);
        for password in ["weak", PASSWORD] {
            let known = seen(&world, sign_up(&backend, KNOWN, password)).await;
            let unknown = seen(&world, sign_up(&backend, UNKNOWN, password)).await;
            assert_eq!(known.units, unknown.units, "commits");
            let mut rows = unknown.rows.clone();
            if known.status == 200 {
                // Whoever is new stays, and what stood in for somebody known is taken away: the one difference there is.
                for table in ["users", "identifiers"] {
                    let taken_away = rows.get_mut(&format!("DELETE {table}")).expect("the same statement runs");
                    assert_eq!(*taken_away, 0);
                    *taken_away = 1;
                }
                // With him goes the row of a shard of the mix of formats, if it had been the first there.
                let emptied = known.rows["DELETE password_mix"];
                assert!(emptied <= 1);
                rows.insert("DELETE password_mix".to_owned(), emptied);
            }
            assert_eq!(known.rows, rows, "rows a table");
            assert_eq!(known, Seen { rows: known.rows.clone(), ..unknown });
        }
    }

    async fn asking_for_a_new_password_does_the_same_work_for_both(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(KNOWN).await;
        ask_for_reset(&backend, HOME, "first@example.com").await.expect(200);
        // The first mails are put down, later ones not, and at last whoever asks is refused.
        for time in 0..12 {
            let known = seen(&world, ask_for_reset(&backend, HOME, KNOWN)).await;
            let unknown = seen(&world, ask_for_reset(&backend, HOME, UNKNOWN)).await;
            assert_eq!(known, unknown, "time {time}");
            assert_eq!(known.status, if time < 10 { 200 } else { 429 });
        }
    }

    async fn a_link_does_not_tell_whether_its_user_is_still_there(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(KNOWN).await;
        ask_for_reset(&backend, HOME, KNOWN).await.expect(200);
        let link = world.mailbox(KNOWN).newest_link().await;
        let admin = world.admin().await;
        admin.delete(&format!("users/{}", user_id.replace('|', "%7C"))).await.expect(204);
        let visitor = world.visitor(HOME);
        let invented = format!("/u/reset-password?ticket={}", "A".repeat(43));
        let (gone, never) = (visitor.open(&link).await.expect(404), visitor.open(&invented).await.expect(404));
        assert_eq!(gone.text, never.text);
        let fields = |link: &str| {
            let (_, ticket) = link.split_once("ticket=").unwrap();
            ticket.to_owned()
        };
        let mut told = Vec::new();
        for ticket in [fields(&link), fields(&invented)] {
            let form = [("ticket", ticket.as_str()), ("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];
            told.push(visitor.submit("/u/reset-password", &form).await.expect(404).text);
        }
        assert_eq!(told[0], told[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_take_the_same_time_for_both() {
    let world = unlimited().await;
    let backend = world.backend(true).await;
    let call = async |_, email: &str| drop(sign_up(&backend, email, PASSWORD).await.expect(200));
    compare(&backend, "sign-ups", call).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_for_a_new_password_takes_the_same_time_for_both() {
    let world = unlimited().await;
    let backend = world.backend(true).await;
    let call = async |number: usize, email: &str| {
        // One source may ask for a hundred mails.
        let from = format!("198.51.100.{}", number / 40);
        ask_for_reset(&backend, &from, email).await.expect(200);
    };
    compare(&backend, "forgotten passwords", call).await;
}
