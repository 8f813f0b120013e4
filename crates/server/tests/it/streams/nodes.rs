//! Two nodes on one PostgreSQL: they share the work, send nothing twice in peace, and lose nothing when one dies.

use futures_util::future::join_all;
use server::Clock as _;
use server::log_streams::{LEASE, LogStreams};
use storage::CHECKPOINT_DELAY;
use testkit::Engine;

use super::receiver::{Mood, Receiver};
use super::{Stage, all, fail, numbers, stream_to, taken};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_peace_nothing_is_sent_twice() {
    let stage = Stage::open(Engine::Postgres).await;
    let second = stage.world.second_node().await;
    let others = LogStreams::with_timeout(&second.app, Duration::from_millis(400));
    let more: Vec<Receiver> = (0..3).map(|_| Receiver::start()).collect();
    for receiver in &more {
        stream_to(&stage.world, &receiver.url(), json!({})).await;
    }
    for receiver in more.iter().chain([&stage.receiver]) {
        receiver.becomes(Mood::Slow(5));
    }
    for round in 0..10 {
        fail(&stage.world, round * 300..(round + 1) * 300).await;
        stage.world.clock.advance(CHECKPOINT_DELAY);
        let looks = (0..4)
            .map(|_| async { tokio::join!(stage.streams.deliver_due(), others.deliver_due()) });
        for (left, right) in join_all(looks).await {
            left.unwrap();
            right.unwrap();
        }
    }
    // What one node began while the other looked is done by now; the rest is for the next look.
    stage.deliver().await;
    for receiver in more.iter().chain([&stage.receiver]) {
        assert_eq!(numbers(&receiver.received()), all(0..3_000));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_goes_on_when_the_lease_of_a_dead_one_ends() {
    let stage = Stage::open(Engine::Postgres).await;
    let second = stage.world.second_node().await;
    let others = LogStreams::with_timeout(&second.app, Duration::from_millis(400));
    fail(&stage.world, 0..3).await;
    stage.world.clock.advance(CHECKPOINT_DELAY);
    let rows = stage.world.app.tenant(&stage.world.tenant.id);
    let seen = rows.list_log_streams().await.unwrap().remove(0);
    let now = stage.world.clock.now();
    let claimed = rows
        .claim_log_stream(&seen, now, now + LEASE, now - CHECKPOINT_DELAY)
        .await;
    assert!(claimed.unwrap().is_some(), "the node that is about to die");

    others.deliver_due().await.unwrap();
    assert!(stage.receiver.received().is_empty(), "the lease holds");
    fail(&stage.world, 3..5).await;
    stage.world.clock.advance(LEASE);
    others.deliver_due().await.unwrap();
    assert_eq!(taken(&stage.receiver), all(0..5));
    let sent = stage.receiver.received();
    assert_eq!(
        numbers(&sent[..1]),
        all(0..3),
        "the batch of the dead one as it would have been"
    );
}
