//! kill -9 at every step of an attempt and at random: the bound holds, blocks stay, the owner loses nothing.

use std::time::Duration;

use serde_json::Value;

use crate::deployment::{Deployment, Engine, PASSWORD, count, on_both};

const HOME: &str = "192.0.2.1";
/// Reservations of a dead process run out after 30 s of the real clock.
const LAPSE: Duration = Duration::from_secs(31);
const POINTS: [&str; 5] = [
    "after_charge",
    "before_hash",
    "after_hash",
    "before_settle",
    "after_settle",
];

/// Dies at each failpoint amid a burst, each on a user of its own; then everybody is guessed at until blocked.
async fn dies_at_every_step(engine: Engine) {
    let deployment = Deployment::new(engine);
    let users: Vec<String> = POINTS
        .iter()
        .map(|point| format!("{point}@example.com"))
        .collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let node = deployment.start();
    let application = deployment.furnish(&node, &names).await;
    node.kill();

    let mut told = Vec::new();
    for (point, user) in POINTS.iter().zip(&users) {
        let node = deployment.start_armed(&format!("{point}:4"));
        let statuses = node.burst(&application, user, HOME, 30).await;
        let status = node.wait();
        assert!(!status.success(), "{point}: the process was to die");
        told.push(count(&statuses, 403));
    }

    tokio::time::sleep(LAPSE).await;
    let node = deployment.start();
    for ((point, user), before) in POINTS.iter().zip(&users).zip(told) {
        let statuses = node.burst(&application, user, HOME, 40).await;
        let after = count(&statuses, 403);
        let all = before + after;
        assert!(
            all <= 10,
            "{point}: {before} outcomes told before the crash and {after} after it"
        );
        assert_eq!(count(&statuses, 429), 40 - after, "{point}: {statuses:?}");
        let path = format!(
            "type:fp%20AND%20user_id:{}",
            user_id(&node, &application.token, user).await
        );
        assert!(
            node.events(&application, &path).await >= all,
            "{point}: an outcome was told that is not in the database"
        );
        assert_eq!(
            node.login(&application, user, PASSWORD, HOME).await,
            Some(429),
            "{point}"
        );
    }
    node.kill();
    let node = deployment.start();
    for user in &users {
        assert_eq!(
            node.login(&application, user, PASSWORD, HOME).await,
            Some(429),
            "no block is lost: {user}"
        );
        assert_eq!(
            node.login(&application, user, PASSWORD, "192.0.2.2").await,
            Some(200)
        );
    }
}

/// Dies while hashes are being computed: each takes a good part of a second.
async fn dies_amid_hashes(engine: Engine) {
    let deployment = Deployment::new(engine);
    let slow = |command: &mut std::process::Command| {
        command
            .env("PORTCULLIS_ARGON2__MEMORY_KIB", "262144")
            .env("PORTCULLIS_ARGON2__PASSES", "2")
            // None is to be refused for want of a place, or the budget would not be spent in the end.
            .env("PORTCULLIS_HASHING__DEADLINE_MS", "60000");
    };
    let node = deployment.start_with(slow);
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    let before = tokio::select! {
        statuses = node.burst(&application, "ana@example.com", HOME, 20) => count(&statuses, 403),
        () = kill_after(node.pid(), Duration::from_millis(700)) => unreachable!("the burst ends when the process does"),
    };
    node.kill();

    tokio::time::sleep(LAPSE).await;
    let node = deployment.start_with(slow);
    let statuses = node.burst(&application, "ana@example.com", HOME, 40).await;
    let after = count(&statuses, 403);
    assert!(before < 10, "the process was to die amid the hashes");
    assert!(
        before + after <= 10,
        "{before} outcomes told before the crash and {after} after it"
    );
    assert_eq!(
        node.login(&application, "ana@example.com", PASSWORD, HOME)
            .await,
        Some(429)
    );
}

/// Dies six times at moments of a burst that a seed chooses.
async fn dies_at_random(engine: Engine) {
    let deployment = Deployment::new(engine);
    let node = deployment.start();
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    node.kill();

    let mut told = 0;
    for round in 0..6_u64 {
        let node = deployment.start();
        let moment = Duration::from_millis(5 + round.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 60);
        let burst = node.burst(&application, "ana@example.com", HOME, 40);
        let statuses = tokio::select! {
            statuses = burst => statuses,
            // Answers that arrived before this moment are lost to the count, so the moment is part of the burst.
            () = kill_after(node.pid(), moment) => unreachable!("the burst ends when the process does"),
        };
        told += count(&statuses, 403);
        node.kill();
    }
    tokio::time::sleep(LAPSE).await;
    let node = deployment.start();
    let statuses = node.burst(&application, "ana@example.com", HOME, 40).await;
    told += count(&statuses, 403);
    assert!(told <= 10, "{told} outcomes were told");
    assert_eq!(
        node.login(&application, "ana@example.com", PASSWORD, HOME)
            .await,
        Some(429)
    );
}

/// Kills the process, then waits for ever: the burst is what ends.
async fn kill_after(pid: u32, moment: Duration) {
    tokio::time::sleep(moment).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    std::future::pending().await
}

/// Dies while 1,000 right logins run: afterwards nobody is blocked.
async fn dies_amid_right_logins(engine: Engine) {
    let deployment = Deployment::new(engine);
    let node = deployment.start();
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    let logins = (0..1_000).map(|number| {
        let (node, application) = (&node, &application);
        async move {
            node.login(
                application,
                "ana@example.com",
                PASSWORD,
                &format!("192.0.2.{}", number % 50),
            )
            .await
        }
    });
    let statuses: Vec<u16> = tokio::select! {
        all = futures_util::future::join_all(logins) => all.into_iter().flatten().collect(),
        () = kill_after(node.pid(), Duration::from_millis(400)) => unreachable!("the burst ends when the process does"),
    };
    assert_eq!(
        count(&statuses, 429) + count(&statuses, 403),
        0,
        "{statuses:?}"
    );
    node.kill();

    tokio::time::sleep(LAPSE).await;
    let node = deployment.start();
    for source in 0..50 {
        let address = format!("192.0.2.{source}");
        for _ in 0..2 {
            assert_eq!(
                node.login(&application, "ana@example.com", PASSWORD, &address)
                    .await,
                Some(200),
                "{address}"
            );
        }
    }
}

async fn user_id(node: &crate::deployment::Node, token: &str, email: &str) -> String {
    let path = format!("/api/v2/users-by-email?email={email}");
    let found = node
        .call(reqwest::Method::GET, &path, Some(token), Value::Null)
        .await;
    found[0]["user_id"].as_str().unwrap().replace('|', "%7C")
}

on_both! {
    a_crash_at_any_step_gives_no_guess_away = dies_at_every_step;
    a_crash_amid_hashes_gives_no_guess_away = dies_amid_hashes;
    a_crash_at_any_moment_gives_no_guess_away = dies_at_random;
    a_crash_blocks_no_owner = dies_amid_right_logins;
}
