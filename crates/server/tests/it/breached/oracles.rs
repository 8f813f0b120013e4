//! Before the password is right, nothing tells a breached one from any other: neither answers nor statements.

use std::time::Duration;

use serde_json::json;
use storage::Tally;
use testkit::{PASSWORD, World, on_both_engines};

use super::support::{ANA, HOME, LEAKED, add_user, log_in, shield};

on_both_engines! {
    async fn wrong_guesses_at_a_breached_and_at_a_sound_password_leave_one_trace(world: World) {
        let backend = world.backend(true).await;
        shield(&world, json!(["block", "user_notification", "admin_notification"])).await;
        let mut traces = Vec::new();
        // The guess itself is breached or not; so is what it is compared with; and there is nobody.
        for (number, (password, guess)) in [
            (Some(LEAKED), "wrong"),
            (Some(LEAKED), "AUTH0-TEST-wrong"),
            (Some(PASSWORD), "wrong"),
            (Some(PASSWORD), LEAKED),
            (None, LEAKED),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("u{number}@example.com");
            if let Some(password) = password {
                add_user(&world, &name, password).await;
            }
            let (before, hashes) = (world.app.store.statement_trace(), world.hashes().verified());
            let mut told = Vec::new();
            for _ in 0..12 {
                let answer = log_in(&backend, &name, guess, HOME).await;
                told.push((answer.status, answer.text));
            }
            world.app.jobs.settled(Duration::from_secs(10)).await;
            let ran = world.app.store.statement_trace().since(&before);
            let of_attempts = |text: &str| {
                let tables = ["identifiers", "meters", "events", "mail_queue", "breach_"];
                tables.iter().any(|table| text.contains(table))
            };
            let ran: Vec<(String, Tally)> =
                ran.iter().filter(|(text, _)| of_attempts(text)).map(|(text, tally)| (text.to_owned(), tally)).collect();
            traces.push((told, world.hashes().verified() - hashes, ran));
        }
        for trace in &traces[1..] {
            assert_eq!(trace, &traces[0]);
        }
        assert!(world.admin().await.events("pwd_leak").await.is_empty());
    }

    async fn a_block_hides_whether_a_password_is_breached(world: World) {
        let backend = world.backend(true).await;
        shield(&world, json!(["block"])).await;
        add_user(&world, ANA, LEAKED).await;
        for _ in 0..10 {
            log_in(&backend, ANA, "wrong", HOME).await.expect(403);
        }
        let right = log_in(&backend, ANA, LEAKED, HOME).await.expect(429);
        let wrong = log_in(&backend, ANA, "AUTH0-TEST-other", HOME).await.expect(429);
        assert_eq!(right.text, wrong.text);
    }
}
