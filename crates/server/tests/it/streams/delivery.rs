//! Events arrive once and in order, in every format, and only those that a stream is for.

use serde_json::{Value, json};
use storage::CHECKPOINT_DELAY;

use super::receiver::{Mood, Receiver};
use super::{Stage, all, fail, failed_login, numbers, on_both, state, stream_to, taken, write};
use server::Clock as _;
use std::time::Duration;

/// As late as an event may be written without being dated anew.
const LATE: Duration = Duration::from_secs(1);

on_both! {
    async fn every_event_arrives_once_and_in_order(stage: Stage) {
        fail(&stage.world, 0..450).await;
        stage.deliver().await;
        let received = stage.receiver.received();
        assert_eq!(numbers(&received), all(0..450));
        assert_eq!(received.len(), 3, "batches of 200 at most");
        assert_eq!(received[0].path, "/events");
        assert_eq!(received[0].headers["content-type"], "application/json");
        assert_eq!(received[0].headers["x-portcullis-log-stream"], stage.stream);

        stage.deliver().await;
        fail(&stage.world, 450..452).await;
        stage.deliver().await;
        stage.deliver().await;
        assert_eq!(numbers(&stage.receiver.received()), all(0..452));
        let state = stage.state().await;
        assert_eq!((&state["delivered"], &state["failures"], &state["last_error"]), (&json!(452), &json!(0), &Value::Null));
        assert!(state["last_success_at"].is_string());
    }

    async fn an_event_that_is_committed_late_is_not_skipped(stage: Stage) {
        let then = stage.world.clock.now();
        fail(&stage.world, 0..1).await;
        stage.world.clock.advance(LATE);
        fail(&stage.world, 2..3).await;
        stage.again().await;
        // Begun with the first one, and committed after the later one.
        write(&stage.world, vec![failed_login(1, then)]).await;
        stage.world.clock.advance(CHECKPOINT_DELAY - LATE - Duration::from_millis(1));
        stage.again().await;
        assert!(stage.receiver.received().is_empty(), "they may still be overtaken");
        stage.world.clock.advance(Duration::from_millis(1));
        stage.again().await;
        assert_eq!(numbers(&stage.receiver.received()), [0, 1]);
        stage.deliver().await;
        assert_eq!(numbers(&stage.receiver.received()), [0, 1, 2]);
    }

    async fn each_format_carries_the_same_events(stage: Stage) {
        let (array, object) = (Receiver::start(), Receiver::start());
        for (receiver, format) in [(&array, "JSONARRAY"), (&object, "JSONOBJECT")] {
            let sink = json!({"httpEndpoint": receiver.url(), "httpContentFormat": format, "httpContentType": "application/vnd.siem+json"});
            stream_to(&stage.world, &receiver.url(), json!({"sink": sink})).await;
        }
        fail(&stage.world, 0..3).await;
        stage.deliver().await;
        let lines = stage.receiver.received()[0].events();
        let arrays: Vec<Value> = serde_json::from_str(&array.received()[0].body).unwrap();
        let objects = object.received();
        let objects: Vec<Value> = objects.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect();
        assert_eq!((arrays.len(), &arrays, &objects), (3, &lines, &lines));
        assert_eq!(array.received()[0].headers["content-type"], "application/vnd.siem+json");
    }

    async fn the_records_are_those_of_the_log_in_the_streams_form(stage: Stage) {
        let receiver = Receiver::start();
        stream_to(&stage.world, &receiver.url(), json!({"filters": []})).await;
        let backend = stage.world.backend(true).await;
        backend.add_user("ana@example.com").await;
        backend.login_wrong("ana@example.com", "192.0.2.1").await.expect(403);
        stage.deliver().await;
        let received = receiver.received();
        let events: Vec<Value> = received.iter().flat_map(|request| request.events()).collect();
        let logged = stage.world.admin().await.events("fepft").await.remove(0);
        let sent = events.iter().find(|event| event["data"]["type"] == "fepft").unwrap();
        assert_eq!(sent["log_id"], logged["log_id"]);
        for member in ["log_id", "date", "description", "client_id", "ip", "client_ip", "user_name", "details", "hostname"] {
            assert_eq!(sent["data"][member], logged[member], "{member}");
        }
        assert_eq!(sent["data"]["tenant_name"], json!(stage.world.tenant.name));
        assert!(sent["data"].get("_id").is_none());
    }

    async fn a_stream_gets_the_categories_it_is_for_and_all_without_a_filter(stage: Stage) {
        let (management, everything) = (Receiver::start(), Receiver::start());
        stream_to(&stage.world, &management.url(), json!({"filters": [{"type": "category", "name": "management.success"}]})).await;
        stream_to(&stage.world, &everything.url(), json!({"filters": []})).await;
        fail(&stage.world, 0..1).await;
        stage.deliver().await;
        let types = |receiver: &Receiver| -> Vec<String> {
            let received = receiver.received();
            let events = received.iter().flat_map(|request| request.events());
            events.map(|event| event["data"]["type"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(types(&stage.receiver), ["fp"]);
        let changes = types(&management);
        assert!(!changes.is_empty() && changes.iter().all(|code| code == "sapi"), "{changes:?}");
        let all = types(&everything);
        assert!(all.contains(&"fp".to_owned()) && all.contains(&"sapi".to_owned()) && all.contains(&"seccft".to_owned()), "{all:?}");
    }

    async fn a_stream_begins_where_it_is_told_to(stage: Stage) {
        fail(&stage.world, 0..1).await;
        stage.world.clock.advance(Duration::from_secs(3_600));
        let start = model::wire_time(stage.world.clock.now());
        fail(&stage.world, 1..2).await;
        stage.world.clock.advance(Duration::from_secs(3_600));
        let (since, new) = (Receiver::start(), Receiver::start());
        stream_to(&stage.world, &since.url(), json!({"startFrom": start})).await;
        stream_to(&stage.world, &new.url(), json!({})).await;
        fail(&stage.world, 2..3).await;
        stage.deliver().await;
        assert_eq!(numbers(&stage.receiver.received()), [0, 1, 2]);
        assert_eq!(numbers(&since.received()), [1, 2]);
        assert_eq!(numbers(&new.received()), [2]);
    }

    async fn a_paused_stream_sends_nothing_and_goes_on_where_it_stopped(stage: Stage) {
        fail(&stage.world, 0..2).await;
        stage.deliver().await;
        stage.change(json!({"status": "paused"})).await;
        fail(&stage.world, 2..4).await;
        stage.deliver().await;
        assert_eq!(taken(&stage.receiver), [0, 1]);
        let paused = stage.state().await;
        assert_eq!(paused["status"], "paused");
        assert!(paused["lag"]["events"].as_u64().unwrap() >= 2, "{paused}");
        assert!(paused["lag"]["seconds"].as_u64().unwrap() >= 10, "{paused}");
        stage.change(json!({"status": "active"})).await;
        stage.again().await;
        assert_eq!(taken(&stage.receiver), [0, 1, 2, 3]);
    }

    async fn a_slow_stream_delays_no_other(stage: Stage) {
        let quick = Receiver::start();
        let other = stream_to(&stage.world, &quick.url(), json!({"isPriority": true})).await;
        stage.receiver.becomes(Mood::Hangs);
        fail(&stage.world, 0..5).await;
        stage.deliver().await;
        assert_eq!(taken(&quick), all(0..5));
        assert!(taken(&stage.receiver).is_empty());
        assert_eq!(state(&stage.world, &other).await["delivered"], json!(5));
    }

    async fn what_is_changed_or_removed_counts_from_the_next_batch(stage: Stage) {
        fail(&stage.world, 0..1).await;
        stage.deliver().await;
        let moved = Receiver::start();
        stage.change(json!({"sink": {"httpEndpoint": moved.url(), "httpAuthorization": "Bearer new"}})).await;
        fail(&stage.world, 1..2).await;
        stage.deliver().await;
        assert_eq!((taken(&stage.receiver), taken(&moved)), (vec![0], vec![1]));
        assert_eq!(moved.received()[0].headers["authorization"], "Bearer new");
        stage.world.admin().await.delete(&format!("log-streams/{}", stage.stream)).await.expect(204);
        fail(&stage.world, 2..3).await;
        stage.deliver().await;
        assert_eq!((taken(&stage.receiver), taken(&moved)), (vec![0], vec![1]));
    }
}
