use jiff::ToSpan;
use server::{Clock, SystemClock};
use temporary_postgres::TemporaryPostgres;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn settings(url: &str) -> Settings {
    let mut settings = Settings::default();
    settings.database.url = Some(url.to_owned());
    settings
}

async fn migrated() -> (Settings, String) {
    let url = tokio::task::spawn_blocking(|| TemporaryPostgres::shared().create_database());
    let url = url.await.unwrap();
    let settings = settings(&url);
    open::store(&settings)
        .await
        .unwrap()
        .migrate()
        .await
        .unwrap();
    (settings, url)
}

/// The lines of what is not ok.
async fn complaints(settings: &Settings, now: Timestamp) -> Vec<String> {
    let findings = database(settings, now).await.findings;
    assert_eq!(findings.len(), 5, "{findings:?}");
    let complaints = findings
        .iter()
        .filter(|finding| matches!(finding.1, Outcome::Warn(_) | Outcome::Fail(_)));
    complaints.map(Finding::line).collect()
}

#[track_caller]
fn only(complaints: &[String], words: &[&str]) {
    let [line] = complaints else {
        panic!("{complaints:?}");
    };
    for word in words {
        assert!(line.contains(word), "`{word}` is not in: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_postgresql_has_nothing_to_complain_of() {
    let (settings, _) = migrated().await;
    let now = SystemClock.now();
    assert_eq!(complaints(&settings, now).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_away_fails_as_readiness_does() {
    let (settings, _) = migrated().await;
    for away in [-60, 60] {
        let now = SystemClock.now() + away.seconds();
        only(
            &complaints(&settings, now).await,
            &["FAIL", "clock", "s away"],
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_lose_commits_fail_as_the_start_does() {
    for setting in ["synchronous_commit", "full_page_writes", "fsync"] {
        // Two of them belong to the whole server.
        let cluster = tokio::task::spawn_blocking(TemporaryPostgres::start);
        let cluster = cluster.await.unwrap().unwrap();
        let url = cluster.create_database();
        let settings = settings(&url);
        let store = open::store(&settings).await.unwrap();
        store.migrate().await.unwrap();
        drop(store);
        cluster.sql(&url, &format!("ALTER SYSTEM SET {setting} = off"));
        cluster.crash_and_restart();
        let complaints = complaints(&settings, SystemClock.now()).await;
        only(&complaints, &["FAIL", "durability", setting, "turn"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_schema_and_a_server_that_does_not_answer_are_named() {
    let url = tokio::task::spawn_blocking(|| TemporaryPostgres::shared().create_database());
    let settings_of_empty = settings(&url.await.unwrap());
    let now = SystemClock.now();
    let reached = database(&settings_of_empty, now).await;
    assert!(reached.store.is_none());
    only(
        &complaints(&settings_of_empty, now).await,
        &["FAIL", "schema", "portcullis migrate"],
    );
    let nowhere = settings("postgresql://nobody:hush@127.0.0.1:1/none");
    let complaints = complaints(&nowhere, now).await;
    only(&complaints, &["FAIL", "database", "cannot be reached"]);
    assert!(!complaints[0].contains("hush"), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_between_is_seen_by_its_port() {
    let (_, url) = migrated().await;
    let (host, name) = url.rsplit_once('/').unwrap();
    let (user, address) = host.rsplit_once('@').unwrap();
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = between.local_addr().unwrap().port();
    let behind = address.to_owned();
    let forwarding = async {
        let mut forwarded = tokio::task::JoinSet::new();
        loop {
            let (mut here, _) = between.accept().await.unwrap();
            let behind = behind.clone();
            forwarded.spawn(async move {
                let mut there = TcpStream::connect(behind).await.unwrap();
                copy_bidirectional(&mut here, &mut there).await
            });
        }
    };
    let mut settings = settings(&format!("{user}@127.0.0.1:{port}/{name}"));
    let story = async {
        let now = SystemClock.now();
        only(
            &complaints(&settings, now).await,
            &["warn", "pooler", "stands between", "database.pooler = true"],
        );
        settings.database.pooler = true;
        assert_eq!(complaints(&settings, now).await, Vec::<String>::new());
    };
    tokio::select! {
        () = forwarding => unreachable!("it forwards until the story is told"),
        () = story => {}
    }
}
