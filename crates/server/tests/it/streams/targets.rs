//! Whom a stream may not call: what the operator keeps to himself stays out of reach of whoever manages a tenant.
//!
//! That a name is judged by the addresses that are then called is shown in `src/outgoing`.

use std::time::Duration;

use serde_json::json;
use server::OutgoingSettings;
use server::log_streams::LogStreams;
use storage::CHECKPOINT_DELAY;
use testkit::{Engine, World};

use super::{Stage, fail, stream_to};

#[tokio::test]
async fn an_address_of_the_operators_own_network_is_refused_when_it_is_saved() {
    let world = World::start(Engine::Sqlite).await;
    let admin = world.admin().await;
    let stream = stream_to(&world, "https://siem.example.com/", json!({})).await;
    for url in [
        "https://127.0.0.1/",
        "https://localhost:8443/",
        "http://127.0.0.1:9464/metrics",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:192.168.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
    ] {
        let sink = json!({"httpEndpoint": url});
        let body = json!({"type": "http", "sink": sink});
        for refused in [
            admin.post("log-streams", body).await,
            admin
                .patch(&format!("log-streams/{stream}"), json!({"sink": sink}))
                .await,
        ] {
            let told = refused.expect(400).text_of("message");
            assert!(
                told.contains("outgoing.allow_private") && told.contains("sink.httpEndpoint"),
                "{url}: {told}"
            );
        }
    }
}

/// An operator may take back what he allowed.
#[tokio::test]
async fn a_stream_that_was_allowed_before_is_not_called_any_more() {
    let stage = Stage::open(Engine::Postgres).await;
    fail(&stage.world, 0..1).await;
    stage.world.clock.advance(CHECKPOINT_DELAY);
    let strict = stage
        .world
        .second_node_with(OutgoingSettings::default())
        .await;
    let streams = LogStreams::with_timeout(&strict.app, Duration::from_millis(400));
    streams.deliver_due().await.unwrap();
    assert_eq!(stage.receiver.connections(), 0);
    let told = stage.state().await["last_error"]["message"].to_string();
    assert!(told.contains("private, loopback or link-local"), "{told}");
}
