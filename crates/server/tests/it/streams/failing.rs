//! Receivers that fail: nothing is lost, order is kept, only the batch in flight may come twice, and it bears one id.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Mood, Receiver};
use super::{Stage, all, fail, failed_login, numbers, on_both, taken};
use model::LogId;
use server::Clock as _;
use storage::Work;

/// Longer than any wait between two tries.
const LATER: Duration = Duration::from_secs(300);

on_both! {
    async fn a_receiver_that_was_down_gets_everything_once_it_is_back(stage: Stage) {
        let port = stage.receiver.port;
        drop(stage.receiver);
        let stage = Stage { receiver: Receiver::start(), ..stage };
        fail(&stage.world, 0..3).await;
        stage.deliver().await;
        let down = stage.state().await;
        assert_eq!((&down["status"], &down["failures"], &down["delivered"]), (&json!("active"), &json!(1), &json!(0)));
        assert!(down["last_error"]["message"].as_str().unwrap().contains("cannot be reached"), "{down}");
        assert!(down["failing_since"].is_string() && down["next_try_at"].is_string(), "{down}");
        for _ in 0..5 {
            stage.world.clock.advance(LATER);
            fail(&stage.world, 0..0).await;
            stage.again().await;
        }
        fail(&stage.world, 3..6).await;

        let back = Receiver::on(port);
        stage.world.clock.advance(LATER);
        stage.again().await;
        assert_eq!(numbers(&back.received()), all(0..6));
        let state = stage.state().await;
        assert_eq!((&state["failures"], &state["failing_since"], &state["delivered"]), (&json!(0), &Value::Null, &json!(6)));
        assert!(state["last_error"]["at"].is_string(), "the last error stays readable");
    }

    async fn a_refused_batch_comes_again_as_it_was(stage: Stage) {
        stage.receiver.becomes(Mood::Status(500, ""));
        fail(&stage.world, 0..3).await;
        stage.deliver().await;
        fail(&stage.world, 3..6).await;
        for mood in [Mood::ClosesEarly, Mood::Hangs, Mood::Status(404, ""), Mood::Status(503, "Retry-After: 5\r\n")] {
            stage.world.clock.advance(LATER);
            stage.receiver.becomes(mood);
            stage.again().await;
        }
        assert_eq!(stage.state().await["failures"], json!(5));
        stage.receiver.becomes(Mood::Takes);
        stage.world.clock.advance(LATER);
        stage.again().await;

        let received = stage.receiver.received();
        let first: BTreeSet<(&str, &str)> = received[..6].iter().map(|request| (request.batch(), request.body.as_str())).collect();
        assert_eq!(first.len(), 1, "one batch under one id, though more came meanwhile: {received:?}");
        assert_eq!(taken(&stage.receiver), all(0..6));
        assert_ne!(received[6].batch(), received[0].batch());
    }

    async fn only_the_batch_in_flight_comes_twice(stage: Stage) {
        fail(&stage.world, 0..900).await;
        stage.deliver().await;
        assert_eq!(numbers(&stage.receiver.received()), all(0..900));
        fail(&stage.world, 900..1_800).await;
        // It takes the first one of these and then fails.
        stage.receiver.becomes(Mood::ClosesHalfway);
        stage.deliver().await;
        assert_eq!(taken(&stage.receiver), all(0..1_800), "the head of an answer is enough");

        stage.receiver.becomes(Mood::Slow(10));
        fail(&stage.world, 1_800..1_900).await;
        stage.deliver().await;
        assert_eq!(taken(&stage.receiver), all(0..1_900));
    }

    async fn no_redirect_is_followed(stage: Stage) {
        let elsewhere = Receiver::start();
        let location: &'static str = Box::leak(format!("Location: {}\r\n", elsewhere.url()).into_boxed_str());
        stage.receiver.becomes(Mood::Status(307, location));
        fail(&stage.world, 0..1).await;
        stage.deliver().await;
        assert_eq!((stage.receiver.received().len(), elsewhere.connections()), (1, 0));
        let state = stage.state().await;
        assert!(state["last_error"]["message"].as_str().unwrap().contains("307, and no redirect"), "{state}");
    }

    async fn waits_grow_and_a_receivers_own_wish_counts(stage: Stage) {
        stage.receiver.becomes(Mood::Status(429, "Retry-After: 90\r\n"));
        fail(&stage.world, 0..1).await;
        stage.deliver().await;
        stage.world.clock.advance(Duration::from_secs(89));
        stage.again().await;
        assert_eq!(stage.receiver.received().len(), 1);
        stage.world.clock.advance(Duration::from_secs(1));
        stage.receiver.becomes(Mood::Status(500, ""));
        stage.again().await;
        assert_eq!(stage.receiver.received().len(), 2);
        stage.world.clock.advance(Duration::from_secs(1));
        stage.again().await;
        assert_eq!(stage.receiver.received().len(), 2, "the second wait is two seconds");
        stage.world.clock.advance(Duration::from_secs(1));
        stage.again().await;
        assert_eq!(stage.receiver.received().len(), 3);
    }

    async fn a_lasting_failure_suspends_and_loses_nothing(stage: Stage) {
        let admin = stage.world.admin().await;
        let administrators = json!({"administrators": ["on-call@example.com"]});
        admin.patch("portcullis/attack-protection", administrators).await.expect(200);
        stage.receiver.becomes(Mood::Status(401, ""));
        fail(&stage.world, 0..3).await;
        stage.deliver().await;
        for _ in 0..73 {
            stage.world.clock.advance(Duration::from_secs(3_600));
            stage.again().await;
        }
        let admin = stage.world.admin().await;
        let state = stage.state().await;
        assert_eq!(state["status"], "suspended", "{state}");
        let tried = stage.receiver.received().len();
        let shown = admin.get(&format!("log-streams/{}", stage.stream)).await.expect(200);
        assert_eq!(shown.text_of("status"), "suspended");
        let events = admin.events("portcullis_log_stream_suspended").await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["details"]["log_stream"], json!({"id": stage.stream, "name": "SIEM"}));
        assert_eq!(events[0]["details"]["error"]["message"], "it answers with status 401");
        let mails = stage.world.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject().contains("suspended"), "{mails:?}");

        stage.receiver.becomes(Mood::Takes);
        fail(&stage.world, 3..5).await;
        stage.deliver().await;
        assert_eq!(stage.receiver.received().len(), tried, "a suspended stream tries nothing");
        stage.change(json!({"status": "suspended"})).await;
        stage.change(json!({"status": "active"})).await;
        stage.again().await;
        assert_eq!(taken(&stage.receiver), all(0..5));
        assert_eq!(stage.state().await["failures"], json!(0));
    }

    async fn events_that_were_dropped_before_they_were_sent_are_told_of_once(stage: Stage) {
        stage.receiver.becomes(Mood::Status(500, ""));
        fail(&stage.world, 0..3).await;
        stage.deliver().await;
        fail(&stage.world, 3..6).await;
        let rows = stage.world.app.tenant(&stage.world.tenant.id);
        let written = rows.list_log_ids(&LogId::new("900"), &LogId::new("901"), 1_000).await.unwrap();
        let until = failed_login(4, stage.world.clock.now()).log_id;
        let before = stage.state().await["position"].as_str().unwrap().to_owned();
        assert!(written.contains(&until));
        let last = until.clone();
        rows.write(async move |work: &mut Work| work.drop_events(&LogId::new("900"), &last, &[]).await).await.unwrap();
        assert!(stage.world.admin().await.events("portcullis_log_stream_gap").await.is_empty());

        stage.receiver.becomes(Mood::Takes);
        for _ in 0..3 {
            stage.world.clock.advance(LATER);
            stage.again().await;
        }
        assert_eq!(taken(&stage.receiver), [5], "it goes on with the oldest that is kept");
        let told = stage.world.admin().await.events("portcullis_log_stream_gap").await;
        assert_eq!(told.len(), 1, "{told:?}");
        let ours = &told[0]["details"]["portcullis"];
        assert_eq!((&ours["after"], &ours["until"]), (&json!(before), &json!(until)));

        let since = Receiver::start();
        super::super::stream_to(&stage.world, &since.url(), json!({"startFrom": "2020-01-01T00:00:00Z"})).await;
        stage.deliver().await;
        assert_eq!(taken(&since), [5]);
        assert_eq!(stage.world.admin().await.events("portcullis_log_stream_gap").await.len(), 1, "a new stream misses nothing");
    }
}
