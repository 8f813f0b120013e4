//! `portcullis logs export` and `logs tail` beside a running server, broken off and gone on with; and what a node that dies
//! while it counts leaves to the next one.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{ClientId, EventType, LogEvent, LogId, Tenant, UserId};
use reqwest::Method;
use serde_json::{Map, Value, json};
use server::{Clock, SystemClock};
use storage::{Database, Store, StoreSettings, Work};

use crate::deployment::{Deployment, Engine, PASSWORD};

const HOME: &str = "192.0.2.1";
/// What would clear a terminal, forge a line, turn text around, hide in it.
const HOSTILE: &str =
    "\u{1b}[2J\r\nforged\u{9b}31m\u{7f} \u{202e}moc\u{2066}\u{200b}\u{e0041} {{7*7}} \" \\ 名前";

/// So many seconds after the beginning of the log, which is noon some days ago: it is settled, and kept.
fn at(second: i64) -> Timestamp {
    static NOON: LazyLock<Timestamp> = LazyLock::new(|| {
        let today = SystemClock.now().as_second().div_euclid(86_400);
        Timestamp::from_second((today - 10) * 86_400 + 43_200).unwrap()
    });
    *NOON + SignedDuration::from_secs(second)
}

/// After all of these events, and before everything that the servers of the stories write.
fn until() -> String {
    at(5 * 86_400).to_string()
}

/// The event of that moment.
fn event(second: i64) -> LogEvent {
    let date = at(second);
    let text = |name: &str| Some(format!("{name}-{second}"));
    LogEvent {
        log_id: LogId::new(format!("{}{second:036}", LogId::first_of(date))),
        date,
        event_type: EventType::PasswordExchangeSucceeded,
        description: HOSTILE.to_owned(),
        client_id: Some(ClientId::new("client")),
        client_name: text("client"),
        connection: text("Users"),
        connection_id: None,
        ip: Some(HOME.to_owned()),
        client_ip: None,
        user_id: Some(UserId::new("auth0|1")),
        user_name: text("user"),
        user_agent: Some(HOSTILE.to_owned()),
        audience: None,
        scope: None,
        hostname: "login.example.com".to_owned(),
        details: Map::from_iter([("text".to_owned(), json!(HOSTILE))]),
        rest: Map::new(),
    }
}

impl Deployment {
    /// The database, opened by the test itself; on SQLite no node runs meanwhile.
    async fn store(&self) -> (Store, Vec<Tenant>) {
        let database = match &self.database {
            Some(url) => Database::Postgres {
                url: url.clone(),
                pooler: false,
                max_connections: 2,
            },
            None => Database::Sqlite {
                path: self.directory.path().join("portcullis.db"),
            },
        };
        let store = Store::open(&StoreSettings { database }).await.unwrap();
        let tenants = store.list_tenants().await.unwrap();
        (store, tenants)
    }

    /// Writes events into the log of the first tenant.
    async fn write_log(&self, seconds: std::ops::Range<i64>) {
        let (store, tenants) = self.store().await;
        let rows = store.tenant(&tenants[0].id);
        let events: Vec<LogEvent> = seconds.map(event).collect();
        let written = rows.write(async move |work: &mut Work| work.add_events(&events).await);
        written.await.unwrap();
    }

    fn export(&self, file: &Path, options: &[&str]) -> Output {
        let arguments = ["logs", "export", file.to_str().unwrap()];
        let mut command = self.command(&[&arguments[..], options].concat());
        command.output().unwrap()
    }
}

/// The seconds of an export's events, in its order.
#[track_caller]
fn seconds(text: &str) -> Vec<i64> {
    assert!(text.is_empty() || text.ends_with('\n'), "whole lines only");
    text.lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            let id = event["log_id"].as_str().unwrap();
            id[id.len() - 36..].parse().unwrap()
        })
        .collect()
}

#[track_caller]
fn done(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(output.status.success(), "{told}");
    told
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
}

async fn exports_beside_a_server(engine: Engine) {
    let deployment = Deployment::new(engine);
    deployment.write_log(0..2_500).await;
    let node = deployment.start();
    let shop = deployment.furnish(&node, &[]).await;
    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("events.jsonl");
    let whole = || std::fs::read_to_string(&file).unwrap();
    let until = ["--to", &until()];

    let told = done(&deployment.export(&file, &until));
    assert!(told.contains("2500 events written"), "{told}");
    assert_eq!(seconds(&whole()), (0..2_500).collect::<Vec<_>>());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let line: Value = serde_json::from_str(whole().lines().nth(7).unwrap()).unwrap();
    let path = format!("/api/v2/logs/{}", event(7).log_id);
    let token = Some(&*shop.token);
    let shown = node.call(Method::GET, &path, token, Value::Null).await;
    assert_eq!(line, shown, "as the Management API shows it");

    let told = done(&deployment.export(&file, &until));
    assert!(told.contains("0 events written"), "{told}");
    assert_eq!(seconds(&whole()).len(), 2_500);

    let part = keep.path().join("part.jsonl");
    let after = event(9).log_id;
    let time = |second: i64| at(second).to_string();
    for (options, expected) in [
        (vec!["--from", &time(2_495), "--to", until[1]], 2_495..2_500),
        (vec!["--to", &time(4)], 0..4),
        (vec!["--after", after.as_str(), "--to", &time(12)], 10..12),
    ] {
        done(&deployment.export(&part, &options));
        let text = std::fs::read_to_string(&part).unwrap();
        assert_eq!(seconds(&text), expected.collect::<Vec<_>>(), "{options:?}");
        std::fs::remove_file(&part).unwrap();
    }
    let printed = deployment.export(Path::new("-"), &["--to", &time(3)]);
    done(&printed);
    assert_eq!(
        seconds(&String::from_utf8(printed.stdout).unwrap()),
        [0, 1, 2]
    );
    node.kill();

    deployment.write_log(2_500..2_600).await;
    done(&deployment.export(&file, &until));
    assert_eq!(
        seconds(&whole()),
        (0..2_600).collect::<Vec<_>>(),
        "with the server stopped, too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_beside_a_server_has_every_event_once_and_goes_on_where_it_ended_sqlite() {
    exports_beside_a_server(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_beside_a_server_has_every_event_once_and_goes_on_where_it_ended_postgres() {
    exports_beside_a_server(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_exported_is_said_and_nothing_is_touched() {
    let deployment = Deployment::new(Engine::Sqlite);
    deployment.write_log(0..3).await;
    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("events.jsonl");
    let text = "dear diary\n";
    std::fs::write(&file, text).unwrap();
    refused(
        &deployment.export(&file, &[]),
        &["events.jsonl", "no export"],
    );
    let of_another_log = format!("{{\"log_id\":\"{}1\"}}\n", event(1).log_id);
    std::fs::write(&file, &of_another_log).unwrap();
    refused(
        &deployment.export(&file, &[]),
        &["events.jsonl", "never had"],
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), of_another_log);

    let fresh = keep.path().join("fresh.jsonl");
    refused(
        &deployment.export(&fresh, &["--from", "yesterday"]),
        &["--from", "2026-01-31"],
    );
    let turned = ["--from", "2026-02-01", "--to", "2026-01-01"];
    refused(&deployment.export(&fresh, &turned), &["--from", "--to"]);
    let arguments = [
        "logs",
        "export",
        fresh.to_str().unwrap(),
        "--tenant",
        "nobody",
    ];
    let nobodys = deployment
        .command_without_address(&arguments)
        .output()
        .unwrap();
    refused(&nobodys, &["nobody", "there are: localhost"]);
    assert!(!fresh.exists());
    let nowhere = keep.path().join("missing/events.jsonl");
    refused(&deployment.export(&nowhere, &[]), &["missing/events.jsonl"]);
    let mut elsewhere = deployment.command(&["logs", "tail"]);
    let empty = keep.path().join("empty");
    elsewhere.arg("--data-dir").arg(&empty);
    let output = elsewhere.output().unwrap();
    assert!(!output.status.success());
    assert!(!empty.exists(), "nothing is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_goes_on_behind_what_was_dropped_and_says_so() {
    let deployment = Deployment::new(Engine::Sqlite);
    deployment.write_log(0..10).await;
    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("events.jsonl");
    let told = done(&deployment.export(&file, &["--to", &at(5).to_string()]));
    assert!(!told.contains("older"), "{told}");
    let drop_until = async |second: i64| {
        let (store, tenants) = deployment.store().await;
        let rows = store.tenant(&tenants[0].id);
        let dropped = rows.write(async move |work: &mut Work| {
            work.drop_events(&LogId::new(""), &event(second).log_id, &[])
                .await
        });
        dropped.await.unwrap();
    };
    drop_until(4).await;
    let told = done(&deployment.export(&file, &["--to", &at(6).to_string()]));
    assert!(!told.contains("older"), "it had come so far: {told}");
    drop_until(7).await;
    let told = done(&deployment.export(&file, &["--to", &until()]));
    assert!(told.contains("older than the tenant keeps them"), "{told}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(seconds(&text), [0, 1, 2, 3, 4, 5, 8, 9]);
}

/// Killed within a line, again and again; the same command ends it.
#[cfg(feature = "failpoints")]
async fn survives_kill_minus_nine(engine: Engine) {
    let deployment = Deployment::new(engine);
    deployment.write_log(0..5_500).await;
    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("events.jsonl");
    let mut sizes = vec![0];
    for point in [
        "export_half_written:3",
        "export_half_written:1",
        "export_half_written:2",
    ] {
        let arguments = ["logs", "export", file.to_str().unwrap(), "--to", &until()];
        let mut command = deployment.command(&arguments);
        let output = command.env("CRASH_AT", point).output().unwrap();
        assert!(!output.status.success(), "the process was to die");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(!text.ends_with('\n'), "it died within a line");
        sizes.push(text.len());
    }
    assert!(sizes.is_sorted() && sizes[1] > 0, "{sizes:?}");
    done(&deployment.export(&file, &["--to", &until()]));
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        seconds(&text),
        (0..5_500).collect::<Vec<_>>(),
        "each event exactly once"
    );
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_is_killed_goes_on_with_whole_lines_sqlite() {
    survives_kill_minus_nine(Engine::Sqlite).await;
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_is_killed_goes_on_with_whole_lines_postgres() {
    survives_kill_minus_nine(Engine::Postgres).await;
}

/// A running `logs tail`.
struct Tail {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Tail {
    fn start(deployment: &Deployment, options: &[&str]) -> Self {
        let mut command = deployment.command(&[&["logs", "tail"][..], options].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line, which must come.
    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// Stops it, and answers what it had still told.
    fn stop(mut self) -> Vec<String> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.lines.iter().collect()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tail_shows_what_happens_each_once_and_only_what_is_asked_for() {
    let deployment = Deployment::new(Engine::Sqlite);
    deployment.write_log(0..3).await;
    let node = deployment.start();
    let users = ["ana@example.com", "ben@example.com"];
    let shop = deployment.furnish(&node, &users).await;
    let day = at(0).to_string()[..10].to_owned();
    let from = ["--from", &day];
    let exchanges = ["--type", "sepft", "--type", "fp"];
    let logins = Tail::start(&deployment, &[&exchanges[..], &from].concat());
    let of_ben = ["--user", "BEN@example.com", "--type", "fepft", "--json"];
    let of_ben = Tail::start(&deployment, &[&exchanges[..], &of_ben, &from].concat());
    for second in 0..3 {
        let line = logins.line();
        assert!(
            line.starts_with(&format!("{day}T12:00:0{second}.000Z  sepft")),
            "{line}"
        );
        let controls: Vec<char> = line
            .chars()
            .filter(|c| c.is_control() || ('\u{200b}'..='\u{2069}').contains(c))
            .collect();
        assert!(
            controls.is_empty() && line.contains("{{7*7}} \" \\ 名前"),
            "{line}"
        );
    }
    assert_eq!(node.login(&shop, users[0], PASSWORD, HOME).await, Some(200));
    let line = logins.line();
    assert!(
        line.contains("sepft") && line.contains(users[0]) && line.contains(HOME),
        "{line}"
    );
    assert_eq!(node.login(&shop, users[1], "wrong", HOME).await, Some(403));
    let line = logins.line();
    assert!(
        line.contains("  fp ") && line.contains("Wrong email or password."),
        "{line}"
    );
    let told: Vec<Value> = (0..2)
        .map(|_| serde_json::from_str(&of_ben.line()).unwrap())
        .collect();
    let types: BTreeSet<&str> = told
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, BTreeSet::from(["fepft", "fp"]));
    assert!(told.iter().all(|event| event["user_name"] == users[1]));

    // A moment in which both look again and again.
    assert_eq!(node.login(&shop, users[1], PASSWORD, HOME).await, Some(200));
    assert!(logins.line().contains(users[1]));
    assert!(of_ben.line().contains("sepft"));
    assert_eq!(logins.stop(), Vec::<String>::new());
    assert_eq!(of_ben.stop(), Vec::<String>::new());

    let unknown = deployment
        .command(&["logs", "tail", "--type", "nonsense"])
        .output()
        .unwrap();
    refused(&unknown, &["nonsense", "limit_wc"]);

    // As `| head -1` does.
    let mut unread = deployment.command(&[&["logs", "tail"][..], &from].concat());
    let mut unread = unread.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut output = BufReader::new(unread.stdout.take().unwrap());
    output.read_line(&mut first).unwrap();
    drop(output);
    let login = node.login(&shop, users[0], PASSWORD, HOME).await;
    assert_eq!(login, Some(200));
    assert!(unread.wait().unwrap().success());
}

/// Dies within the unit that counts, and right after it; the next node counts what is left, once.
#[cfg(feature = "failpoints")]
async fn counts_once_through_crashes(engine: Engine) {
    let deployment = Deployment::new(engine);
    let node = deployment.start();
    let shop = deployment.furnish(&node, &[]).await;
    node.kill();
    deployment.write_log(0..3_500).await;
    for point in [
        "statistics_within:1",
        "statistics_within:2",
        "statistics_after:1",
    ] {
        let mut node = deployment.command(&["serve", "--no-tls", "--listen", "127.0.0.1:0"]);
        node.env("PORTCULLIS_METRICS__LISTEN", "127.0.0.1:0");
        node.stdout(Stdio::null());
        let status = node.env("CRASH_AT", point).status().unwrap();
        assert!(!status.success(), "{point}: the process was to die");
    }
    let (first, second) = match engine {
        Engine::Sqlite => (deployment.start(), None),
        Engine::Postgres => (deployment.start(), Some(deployment.start())),
    };
    let day = at(0).to_string()[..10].replace('-', "");
    let path = format!("/api/v2/stats/daily?from={day}&to={day}");
    let logins = async || {
        let token = Some(&*shop.token);
        let days = first.call(Method::GET, &path, token, Value::Null).await;
        days[0]["logins"].as_u64().unwrap_or_default()
    };
    let counted = async {
        while logins().await < 3_500 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(60), counted).await;
    assert!(counted.is_ok(), "{} of 3500", logins().await);
    assert_eq!(logins().await, 3_500);
    drop(second);
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_while_it_counts_counts_nothing_twice_sqlite() {
    counts_once_through_crashes(Engine::Sqlite).await;
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_while_it_counts_counts_nothing_twice_postgres() {
    counts_once_through_crashes(Engine::Postgres).await;
}
