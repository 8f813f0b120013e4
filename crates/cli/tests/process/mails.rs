//! kill -9 while mails are queued and sent: each goes out, with its own Message-ID, and only what was in flight goes twice.

#[path = "../../../mail/tests/smtp/server.rs"]
#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the tests of mail"
)]
mod smtp_server;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use keys::{Binding, RootKey, SystemEntropy};
use mail::TemplateName;
use model::TicketKind;
use serde_json::{Map, Value};
use server::courier::{Addressee, Link, Notice};
use server::{Clock as _, Secrets, SystemClock};
use storage::{Database, QueuedMail, Store, StoreSettings, TenantStore, Work};

use crate::deployment::{Deployment, Engine};
use smtp_server::{Protection, Server};

/// Mails that one node has in flight for one tenant.
const IN_FLIGHT: usize = 4;
/// A courier looks each second, the first time after one.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const POINTS: [&str; 4] = [
    "after_claim",
    "before_mail",
    "after_mail",
    "after_mail_settled",
];

/// The rows of the deployment's one tenant, while no node runs on SQLite.
struct Beside {
    rows: TenantStore,
    root: RootKey,
}

impl Beside {
    async fn of(deployment: &Deployment) -> Self {
        let directory = deployment.directory.path();
        let (database, line) = match &deployment.database {
            Some(url) => {
                let database = Database::Postgres {
                    url: url.clone(),
                    pooler: false,
                    max_connections: 2,
                };
                (database, deployment.root_key.clone())
            }
            None => {
                let path = directory.join("portcullis.db");
                let key = std::fs::read_to_string(directory.join("secrets/root.key")).unwrap();
                (Database::Sqlite { path }, key)
            }
        };
        let store = Store::open(&StoreSettings { database }).await.unwrap();
        let tenant = store.list_tenants().await.unwrap().remove(0);
        Self {
            rows: store.tenant(&tenant.id),
            root: RootKey::from_base64_line(&line).unwrap(),
        }
    }

    /// Puts mails down as their causes do.
    async fn enqueue(&self, mails: impl Iterator<Item = usize>) {
        for number in mails {
            let mail = self.mail(number);
            self.rows
                .write(async move |work: &mut Work| work.enqueue_mail(&mail).await)
                .await
                .unwrap();
        }
    }

    fn mail(&self, number: usize) -> QueuedMail {
        let mail_id = format!("mail-{number:03}");
        let recipient = format!("u{number}@example.com");
        let notice = Notice {
            link: Some(Link {
                kind: TicketKind::Unblock,
                token: format!("ticket-{number}"),
                document: Map::new(),
                lifetime: None,
            }),
            ..Notice::template(
                TemplateName::BlockedAccount,
                Addressee::Address(recipient.clone()),
            )
        };
        let binding = Binding {
            tenant: self.rows.tenant_id().as_str(),
            row: &mail_id,
            field: "mail",
        };
        let clear = serde_json::to_vec(&notice).unwrap();
        let sealer = Secrets::of(&self.root).sealer;
        QueuedMail {
            kind: "blocked_account".to_owned(),
            recipient,
            message_id: message_id(number),
            sealed: sealer.seal(&binding, &clear, &SystemEntropy),
            created_at: now(),
            next_try_at: now(),
            mail_id,
        }
    }

    /// Ends the leases of a node that died, as ten minutes would, and tells how many mails wait.
    async fn end_leases(&self) -> usize {
        let tomorrow = now() + Duration::from_secs(86_400);
        let claimed = self.rows.claim_mails(tomorrow, 1_000, now()).await;
        claimed.unwrap().len()
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn message_id(number: usize) -> String {
    format!("<mail-{number:03}@localhost>")
}

/// Lets a node send over this server.
fn sends_over(command: &mut std::process::Command, server: &Server, authority: &std::path::Path) {
    command
        .env("PORTCULLIS_MAIL__SMTP_HOST", "localhost")
        .env("PORTCULLIS_MAIL__SMTP_PORT", server.port().to_string())
        .env("PORTCULLIS_MAIL__SMTP_USER", "shop")
        .env("PORTCULLIS_MAIL__SMTP_PASS", "correct horse")
        .env("PORTCULLIS_MAIL__FROM", "Login <login@example.com>")
        .env("PORTCULLIS_MAIL__CA_FILE", authority);
}

/// How often each mail arrived, by its Message-ID.
fn arrivals(said: &[Value]) -> BTreeMap<String, usize> {
    let mut arrivals = BTreeMap::new();
    for event in said {
        let content = event["mail"]["content"].as_str().unwrap();
        let (_, after) = content.split_once("Message-ID: ").unwrap();
        let id = after.lines().next().unwrap().trim().to_owned();
        let number = id
            .strip_prefix("<mail-")
            .unwrap()
            .split('@')
            .next()
            .unwrap();
        let number: usize = number.parse().unwrap();
        assert_eq!(
            event["mail"]["to"],
            serde_json::json!([format!("u{number}@example.com")])
        );
        *arrivals.entry(id).or_insert(0) += 1;
    }
    arrivals
}

fn each_arrived(said: &[Value], mails: usize, kills: usize) {
    let arrivals = arrivals(said);
    let expected: Vec<String> = (0..mails).map(message_id).collect();
    let arrived: Vec<&String> = arrivals.keys().collect();
    assert_eq!(
        arrived,
        expected.iter().collect::<Vec<_>>(),
        "every mail, and no other"
    );
    let again: usize = arrivals.values().map(|times| times - 1).sum();
    assert!(
        again <= kills * IN_FLIGHT,
        "{again} were sent again after {kills} kills: {arrivals:?}"
    );
}

/// Runs a node until nothing waits.
async fn send_the_rest(
    deployment: &Deployment,
    beside: Beside,
    change: impl Fn(&mut std::process::Command),
) {
    let mut beside = beside;
    loop {
        let waiting = beside.end_leases().await;
        drop(beside);
        if waiting == 0 {
            return;
        }
        let node = deployment.start_with(&change);
        while node.counted("portcullis_mails_total", |_| true).await < waiting as u64 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        node.terminate();
        assert!(node.wait().success());
        beside = Beside::of(deployment).await;
    }
}

async fn dies_at_every_step_of_sending(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let deployment = Deployment::new(engine);
    let authority = deployment.directory.path().join("mail-ca.pem");
    std::fs::write(&authority, server.authority()).unwrap();
    let over = |command: &mut std::process::Command| sends_over(command, &server, &authority);
    let mails = POINTS.len() * 6;
    for (round, point) in POINTS.iter().enumerate() {
        let beside = Beside::of(&deployment).await;
        beside.end_leases().await;
        beside.enqueue(round * 6..(round + 1) * 6).await;
        drop(beside);
        let node = deployment.start_with(|command| {
            over(command);
            // Claims are few, so the first one is the one to die at.
            let hit = if *point == "after_claim" { 1 } else { 3 };
            command.env("CRASH_AT", format!("{point}:{hit}"));
        });
        assert!(!node.wait().success(), "{point}: the process was to die");
    }
    send_the_rest(&deployment, Beside::of(&deployment).await, over).await;
    each_arrived(&server.rest(), mails, POINTS.len());
}

async fn dies_at_random_while_sending(engine: Engine) {
    const ROUNDS: usize = 5;
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let deployment = Deployment::new(engine);
    let authority = deployment.directory.path().join("mail-ca.pem");
    std::fs::write(&authority, server.authority()).unwrap();
    let over = |command: &mut std::process::Command| sends_over(command, &server, &authority);
    for round in 0..ROUNDS {
        let beside = Beside::of(&deployment).await;
        beside.end_leases().await;
        beside.enqueue(round * 20..(round + 1) * 20).await;
        drop(beside);
        let node = deployment.start_with(over);
        let moment = 20 + (round as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 400;
        tokio::time::sleep(FIRST_LOOK + Duration::from_millis(moment)).await;
        node.kill();
    }
    send_the_rest(&deployment, Beside::of(&deployment).await, over).await;
    each_arrived(&server.rest(), ROUNDS * 20, ROUNDS);
}

/// A stop is no crash: what was claimed is brought to its end.
async fn a_stop_sends_nothing_twice(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let deployment = Deployment::new(engine);
    let authority = deployment.directory.path().join("mail-ca.pem");
    std::fs::write(&authority, server.authority()).unwrap();
    let over = |command: &mut std::process::Command| sends_over(command, &server, &authority);
    let beside = Beside::of(&deployment).await;
    beside.enqueue(0..30).await;
    drop(beside);
    let node = deployment.start_with(over);
    tokio::time::sleep(FIRST_LOOK + Duration::from_millis(150)).await;
    node.terminate();
    assert!(node.wait().success());
    send_the_rest(&deployment, Beside::of(&deployment).await, over).await;
    each_arrived(&server.rest(), 30, 0);
}

macro_rules! on_both {
    ($($name:ident = $story:ident;)+) => {$(
        mod $name {
            use crate::deployment::Engine;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$story(Engine::Postgres).await;
            }
        }
    )+};
}

on_both! {
    a_crash_at_any_step_loses_no_mail = dies_at_every_step_of_sending;
    a_crash_at_any_moment_loses_no_mail = dies_at_random_while_sending;
    a_stop_sends_no_mail_twice = a_stop_sends_nothing_twice;
}
