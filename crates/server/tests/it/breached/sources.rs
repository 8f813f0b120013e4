//! The operator's list: asked where it lies, followed when it is replaced, and never silently missing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use breached::{Build, Coverage, Existing, Kind};
use serde_json::json;
use server::breach::BreachSettings;
use tempfile::TempDir;
use testkit::{Engine, PASSWORD, World, WorldSettings};
use tokio::time::Instant;

use super::support::{ANA, HOME, LEAKED, add_user, log_in, shield};

/// In the list alone.
const LISTED: &str = "Listed-Horse-7-Battery";
const LISTED_LATER: &str = "Later-Horse-7-Battery";

/// Writes a list of these passwords under another name and renames it, as one replaces a list.
fn make(directory: &TempDir, passwords: &[&str]) {
    let hash = |password: &&str| {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let hex: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        format!("{hex}:1\n")
    };
    let mut lines: Vec<String> = passwords.iter().map(hash).collect();
    lines.sort_unstable();
    let corpus = directory.path().join("corpus");
    fs::write(&corpus, lines.concat()).unwrap();
    let options = Build {
        from: &corpus,
        kind: Kind::Sha1,
        out: &directory.path().join("list"),
        min_count: 1,
        coverage: Coverage::Part,
        existing: Existing::Replace,
        made_at: jiff::Timestamp::UNIX_EPOCH,
    };
    breached::build(&options, |_| {}).unwrap();
}

fn replace(list: &Path, content: &[u8]) {
    let beside = list.with_extension("new");
    fs::write(&beside, content).unwrap();
    fs::rename(beside, list).unwrap();
}

async fn start(list: &Path, built_in: bool) -> World {
    let settings = WorldSettings {
        breach: BreachSettings {
            built_in,
            list_file: Some(list.to_owned()),
            ..BreachSettings::default()
        },
        ..WorldSettings::default()
    };
    let world = World::start_with(Engine::Sqlite, settings).await;
    world.backend(true).await;
    shield(&world, json!(["block"])).await;
    add_user(&world, ANA, LISTED).await;
    world
}

/// A later look at the file, which comes by itself every minute.
async fn look(world: &World, minutes: u64) {
    let sources = Arc::clone(&world.app.settings.breach);
    let then = (Instant::now() + Duration::from_secs(60 * minutes)).into_std();
    let looked = tokio::task::spawn_blocking(move || sources.renew(then));
    looked.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_asked_and_followed_and_a_bad_file_leaves_it_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list");
    make(&directory, &[LISTED]);
    let world = start(&list, true).await;
    let backend = world.backend(true).await;
    let ben = "ben@example.com";
    add_user(&world, ben, LISTED_LATER).await;
    log_in(&backend, ANA, LISTED, HOME).await.expect(401);
    log_in(&backend, ben, LISTED_LATER, HOME).await.expect(200);

    // Cut short, foreign, empty, gone: refused, and the list before it stays in use.
    let good = fs::read(&list).unwrap();
    for (round, bad) in [&good[..good.len() - 1], b"another file", b""]
        .into_iter()
        .enumerate()
    {
        replace(&list, bad);
        look(&world, 2 * (1 + round as u64)).await;
        log_in(&backend, ANA, LISTED, HOME).await.expect(401);
    }
    fs::remove_file(&list).unwrap();
    look(&world, 10).await;
    log_in(&backend, ANA, LISTED, HOME).await.expect(401);
    assert!(world.admin().await.events("w").await.is_empty());

    make(&directory, &[LISTED, LISTED_LATER]);
    look(&world, 12).await;
    log_in(&backend, ben, LISTED_LATER, HOME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_list_logins_go_on_and_administrators_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list");
    let world = start(&list, true).await;
    let backend = world.backend(true).await;
    for _ in 0..3 {
        log_in(&backend, ANA, LISTED, HOME).await.expect(200);
    }
    let admin = world.admin().await;
    let warnings = admin.events("w").await;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0]["description"]
            .as_str()
            .unwrap()
            .contains("the list"),
        "{warnings:?}"
    );
    assert_eq!(warnings[0].get("user_name"), None);
    // The other sources are asked.
    add_user(&world, "ben@example.com", LEAKED).await;
    log_in(&backend, "ben@example.com", LEAKED, HOME)
        .await
        .expect(401);

    make(&directory, &[LISTED]);
    look(&world, 2).await;
    log_in(&backend, ANA, LISTED, HOME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mix_is_the_operators_and_the_test_passwords_count_in_each() {
    let directory = tempfile::tempdir().unwrap();
    make(&directory, &[LISTED]);
    let list = directory.path().join("list");
    for (built_in, common) in [(true, 401), (false, 200)] {
        let world = start(&list, built_in).await;
        let backend = world.backend(true).await;
        for (name, password, status) in [
            ("a@example.com", "Password1", common),
            ("b@example.com", "Paaf213XXYYZZ", 401),
            ("c@example.com", LEAKED, 401),
            ("d@example.com", LISTED, 401),
            ("e@example.com", PASSWORD, 200),
        ] {
            add_user(&world, name, password).await;
            let answer = log_in(&backend, name, password, HOME).await;
            assert_eq!(answer.status, status, "{password}, built in: {built_in}");
        }
    }
}
