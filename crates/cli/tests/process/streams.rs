//! kill -9 while events are streamed, several nodes at it, and a poller beside many writers: every event arrives, in
//! order, and only a batch that was in flight arrives twice, under one id.

#[path = "../../../server/tests/it/streams/receiver.rs"]
#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the stories of the server"
)]
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use jiff::Timestamp;
use model::{EventType, LogEvent, LogId};
use reqwest::Method;
use serde_json::{Value, json};
use server::{Clock as _, SystemClock};
use storage::{Database, LogStreamRecord, Store, StoreSettings, TenantStore, Work};

use crate::deployment::{Deployment, Engine, Node, on_both};
use receiver::{Mood, Received, Receiver};

/// Events of one batch.
const BATCH: usize = 200;
const POINTS: [&str; 4] = [
    "after_stream_claim",
    "before_batch",
    "after_batch",
    "after_batch_settled",
];

/// The rows of the deployment's one tenant, while no node runs on SQLite.
struct Beside(TenantStore);

impl Beside {
    async fn of(deployment: &Deployment) -> Self {
        let database = match &deployment.database {
            Some(url) => Database::Postgres {
                url: url.clone(),
                pooler: false,
                max_connections: 2,
            },
            None => Database::Sqlite {
                path: deployment.directory.path().join("portcullis.db"),
            },
        };
        let store = Store::open(&StoreSettings { database }).await.unwrap();
        let tenant = store.list_tenants().await.unwrap().remove(0);
        Self(store.tenant(&tenant.id))
    }

    /// Writes failed logins with these numbers, old enough to be sent at once.
    async fn fail(&self, numbers: std::ops::Range<usize>) {
        for chunk in numbers.collect::<Vec<_>>().chunks(500) {
            let events: Vec<LogEvent> = chunk.iter().copied().map(failed_login).collect();
            self.0
                .write(async move |work: &mut Work| work.add_events(&events).await)
                .await
                .unwrap();
        }
    }

    async fn stream(&self) -> LogStreamRecord {
        self.0.list_log_streams().await.unwrap().remove(0)
    }

    /// Ends the lease of a node that died, as forty seconds would.
    async fn end_lease(&self) {
        let seen = self.stream().await;
        let tomorrow = now() + Duration::from_secs(86_400);
        let until = seen.delivery.settled_until;
        self.0
            .claim_log_stream(&seen, tomorrow, now(), until)
            .await
            .unwrap();
    }

    /// Waits until the stream has moved. Whoever holds it settles within a second, unless it was the one that died.
    async fn goes_on(&self) {
        let mut still = 0;
        for _ in 0..60 {
            let before = self.stream().await.delivery;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let then = self.stream().await.delivery;
            if then.position != before.position {
                return;
            }
            still = if then == before { still + 1 } else { 0 };
            if still == 3 && then.lease_end > now() {
                self.end_lease().await;
            }
        }
        panic!("the stream stands still: {:?}", self.stream().await);
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// An hour before today's, so that any order by number is the order by time.
fn failed_login(number: usize) -> LogEvent {
    let start = now().as_second() / 86_400 * 86_400 - 3_600;
    let date = Timestamp::new(start, 0).unwrap() + Duration::from_micros(number as u64);
    LogEvent {
        log_id: LogId::new(format!("900{:017}{number:036}", date.as_microsecond())),
        description: number.to_string(),
        ..LogEvent::bare(date, EventType::WrongPassword, "localhost".to_owned())
    }
}

fn allowed(command: &mut Command) {
    command.env("PORTCULLIS_OUTGOING__ALLOW_PRIVATE", "true");
}

/// Makes a stream of failed logins of the last day through a node.
async fn stream_to(deployment: &Deployment, node: &Node, receiver: &Receiver) {
    let application = deployment.furnish(node, &[]).await;
    let yesterday = now() - Duration::from_secs(2 * 86_400);
    let body = json!({
        "name": "SIEM",
        "type": "http",
        "sink": {"httpEndpoint": receiver.url()},
        "filters": [{"type": "category", "name": "auth.login.fail"}],
        "startFrom": yesterday.to_string(),
    });
    let made = node
        .call(
            Method::POST,
            "/api/v2/log-streams",
            Some(&application.token),
            body,
        )
        .await;
    assert_eq!(made["status"], "active", "{made}");
}

fn numbers(received: &[Received]) -> Vec<usize> {
    let events = received.iter().flat_map(Received::events);
    events
        .map(|event| {
            event["data"]["description"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect()
}

/// Waits until the last of so many events arrived.
async fn arrived(receiver: &Receiver, events: usize) {
    let last = (events - 1).to_string();
    let holds = |request: &Received| {
        let events = request.events();
        events
            .last()
            .is_some_and(|event| event["data"]["description"] == last)
    };
    for _ in 0..600 {
        if receiver.received().last().is_some_and(holds) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not everything arrived: {:?}", receiver.received().last());
}

/// Every event, in order, once batches that came again are left out; those are as they were, and not more than kills.
fn each_arrived(received: &[Received], events: usize, kills: usize) {
    let mut batches: BTreeMap<&str, &str> = BTreeMap::new();
    let mut first = Vec::new();
    let mut again = 0;
    for request in received {
        match batches.insert(request.batch(), &request.body) {
            None => first.push(request.clone()),
            Some(before) => {
                assert_eq!(
                    before, request.body,
                    "a batch that comes again is as it was"
                );
                again += 1;
            }
        }
    }
    let expected: Vec<usize> = (0..events).collect();
    assert_eq!(numbers(&first), expected);
    assert!(again <= kills, "{again} came again after {kills} kills");
    assert!(first.iter().all(|request| request.events().len() <= BATCH));
}

async fn dies_at_every_step(engine: Engine) {
    const EACH: usize = 5 * BATCH;
    let receiver = Receiver::start();
    let deployment = Deployment::new(engine);
    let node = deployment.start_with(allowed);
    stream_to(&deployment, &node, &receiver).await;
    node.terminate();
    assert!(node.wait().success());
    for (round, point) in POINTS.iter().enumerate() {
        let beside = Beside::of(&deployment).await;
        beside.end_lease().await;
        beside.fail(round * EACH..(round + 1) * EACH).await;
        drop(beside);
        let node = deployment.start_with(|command| {
            allowed(command);
            command.env("CRASH_AT", format!("{point}:3"));
        });
        assert!(!node.wait().success(), "{point}: the process was to die");
    }
    let beside = Beside::of(&deployment).await;
    beside.end_lease().await;
    drop(beside);
    let node = deployment.start_with(allowed);
    arrived(&receiver, POINTS.len() * EACH).await;
    node.terminate();
    assert!(node.wait().success(), "a stop is no crash");
    each_arrived(&receiver.received(), POINTS.len() * EACH, POINTS.len());
}

/// A stop brings the batch under way to its end and gives the stream back.
async fn stops_in_between(engine: Engine) {
    const ROUNDS: usize = 3;
    let receiver = Receiver::start();
    let deployment = Deployment::new(engine);
    let node = deployment.start_with(allowed);
    stream_to(&deployment, &node, &receiver).await;
    node.terminate();
    assert!(node.wait().success());
    Beside::of(&deployment)
        .await
        .fail(0..ROUNDS * 4 * BATCH)
        .await;
    receiver.becomes(Mood::Slow(100));
    for _ in 0..ROUNDS {
        let before = receiver.received().len();
        let node = deployment.start_with(allowed);
        while receiver.received().len() < before + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        node.terminate();
        assert!(node.wait().success());
    }
    let node = deployment.start_with(allowed);
    arrived(&receiver, ROUNDS * 4 * BATCH).await;
    drop(node);
    each_arrived(&receiver.received(), ROUNDS * 4 * BATCH, 0);
}

/// Two processes share the work; one is killed again and again, and the receiver fails in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_of_which_one_is_killed_lose_no_event() {
    const EVENTS: usize = 80 * BATCH;
    /// So that there is something left to send in each round.
    const SLOW: Mood = Mood::Slow(100);
    let receiver = Receiver::start();
    let deployment = Deployment::new(Engine::Postgres);
    let steady = deployment.start_with(allowed);
    stream_to(&deployment, &steady, &receiver).await;
    let beside = Beside::of(&deployment).await;
    receiver.becomes(SLOW);
    beside.fail(0..EVENTS).await;
    let moods = [SLOW, Mood::Status(500, ""), Mood::ClosesEarly, SLOW];
    let kills = moods.len();
    for (round, mood) in moods.into_iter().enumerate() {
        let doomed = deployment.start_with(allowed);
        receiver.becomes(mood);
        let moment = 1_000 + (round as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 700;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        doomed.kill();
        receiver.becomes(SLOW);
        beside.goes_on().await;
    }
    receiver.becomes(Mood::Takes);
    arrived(&receiver, EVENTS).await;
    let mut taken = receiver.received();
    taken.retain(|request| request.taken);
    each_arrived(&taken, EVENTS, kills);
}

/// Reads by checkpoint, from both processes in turn, while both write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poller_beside_two_writing_processes_gets_each_event_exactly_once() {
    const EACH: usize = 5_000;
    let deployment = Deployment::new(Engine::Postgres);
    let nodes = [deployment.start(), deployment.start()];
    let application = deployment.furnish(&nodes[0], &[]).await;
    let keys = deployment.administrator();
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "audience": keys["audience"],
    });
    let write = |node: &'static str, http: reqwest::Client| {
        let body = body.clone();
        iter(0..EACH)
            .map(move |_| {
                let request = http.post(node).json(&body);
                async move { request.send().await.unwrap().status().as_u16() }
            })
            .buffer_unordered(24)
            .collect::<Vec<u16>>()
    };
    let url = |node: &Node| -> &'static str {
        Box::leak(format!("{}/oauth/token", node.base).into_boxed_str())
    };
    let writing = async {
        let (left, right) = tokio::join!(
            write(url(&nodes[0]), nodes[0].http.clone()),
            write(url(&nodes[1]), nodes[1].http.clone())
        );
        let all = [left, right].concat();
        assert!(all.iter().all(|status| *status == 200), "{all:?}");
        now()
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut tokens = 0;
    let mut polling = async |written: &tokio::sync::watch::Receiver<Option<Timestamp>>| {
        let mut from = String::new();
        for round in 0.. {
            // Everything that was written is eleven seconds old by then.
            let is_over = written
                .borrow()
                .is_some_and(|at: Timestamp| at + Duration::from_secs(11) < now());
            let node = &nodes[round % 2];
            let path = format!("/api/v2/logs?take=100&from={from}");
            let page = node
                .call(Method::GET, &path, Some(&application.token), Value::Null)
                .await;
            let page = page.as_array().unwrap();
            for event in page {
                let id = event["log_id"].as_str().unwrap().to_owned();
                assert!(id > from, "in order");
                from.clone_from(&id);
                assert!(seen.insert(id), "given twice: {event}");
                let is_token = event["type"] == "seccft";
                tokens += usize::from(is_token && event["audience"] == keys["audience"]);
            }
            if page.is_empty() && is_over {
                return;
            }
            if page.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let (told, written) = tokio::sync::watch::channel(None);
    tokio::join!(
        async {
            let at = writing.await;
            told.send_replace(Some(at));
        },
        polling(&written)
    );
    // The one more is the token that furnished the tenant.
    assert_eq!(tokens, 2 * EACH + 1);
}

on_both! {
    a_crash_at_any_step_loses_no_event = dies_at_every_step;
    a_stop_sends_no_event_twice = stops_in_between;
}
