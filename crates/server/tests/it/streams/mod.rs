//! Log streams: what administrators may say of them, and that every event arrives, in order, whatever the receiver does.

mod api;
mod delivery;
mod failing;
mod nodes;
pub(crate) mod receiver;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::{EventType, LogEvent, LogId};
use serde_json::{Value, json};
use server::log_streams::LogStreams;
use server::{Clock as _, OutgoingSettings};
use storage::{CHECKPOINT_DELAY, Work};
use testkit::{Engine, World, WorldSettings};

use receiver::{Received, Receiver};

/// A world that may call receivers on this machine, one of them, and a stream of failed logins to it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) receiver: Receiver,
    pub(crate) streams: Arc<LogStreams>,
    pub(crate) stream: String,
}

impl Stage {
    async fn open(engine: Engine) -> Self {
        let settings = WorldSettings {
            outgoing: OutgoingSettings {
                allow_private: true,
                ..OutgoingSettings::default()
            },
            ..WorldSettings::default()
        };
        let world = World::start_with(engine, settings).await;
        let receiver = Receiver::start();
        let streams = LogStreams::with_timeout(&world.app, Duration::from_millis(400));
        let stream = stream_to(&world, &receiver.url(), json!({})).await;
        Self {
            world,
            receiver,
            streams,
            stream,
        }
    }

    /// Lets events settle and sends what may be sent.
    async fn deliver(&self) {
        self.world.clock.advance(CHECKPOINT_DELAY);
        self.again().await;
    }

    async fn again(&self) {
        self.streams.deliver_due().await.unwrap();
    }

    /// How the stream is getting on.
    async fn state(&self) -> Value {
        state(&self.world, &self.stream).await
    }

    async fn change(&self, change: Value) {
        let path = format!("log-streams/{}", self.stream);
        self.world
            .admin()
            .await
            .patch(&path, change)
            .await
            .expect(200);
    }
}

async fn state(world: &World, stream: &str) -> Value {
    let path = format!("portcullis/log-streams/{stream}");
    world.admin().await.get(&path).await.expect(200).json()
}

/// Makes a stream of failed logins; `more` is written over what it would be.
async fn stream_to(world: &World, url: &str, more: Value) -> String {
    let mut body = json!({
        "name": "SIEM",
        "type": "http",
        "sink": {"httpEndpoint": url},
        "filters": [{"type": "category", "name": "auth.login.fail"}],
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = world
        .admin()
        .await
        .post("log-streams", body)
        .await
        .expect(200);
    made.text_of("id")
}

/// Writes failed logins with these numbers, of now.
async fn fail(world: &World, numbers: std::ops::Range<usize>) {
    let now = world.clock.now();
    write(
        world,
        numbers.map(|number| failed_login(number, now)).collect(),
    )
    .await;
}

async fn write(world: &World, events: Vec<LogEvent>) {
    let rows = world.app.tenant(&world.tenant.id);
    rows.write(async move |work: &mut Work| work.add_past_events(&events).await)
        .await
        .unwrap();
}

fn failed_login(number: usize, at: Timestamp) -> LogEvent {
    LogEvent {
        log_id: LogId::new(format!("900{:017}{number:036}", at.as_microsecond())),
        description: number.to_string(),
        ..LogEvent::bare(at, EventType::WrongPassword, "login.example.com".to_owned())
    }
}

/// The numbers of the events in these requests.
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

/// The numbers of those that were taken.
fn taken(receiver: &Receiver) -> Vec<usize> {
    let mut received = receiver.received();
    received.retain(|request| request.taken);
    numbers(&received)
}

fn all(numbers: std::ops::Range<usize>) -> Vec<usize> {
    numbers.collect()
}

macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($stage:ident: $type:ty) $story:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($stage: $type) $story

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story(crate::streams::Stage::open(testkit::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story(crate::streams::Stage::open(testkit::Engine::Postgres).await).await;
            }
        }
    )+};
}
pub(crate) use on_both;
