//! kill -9 while blocks, resets and sign-ups cause mails and while those are sent: whatever was told to have happened has
//! its mail, with one Message-ID however often it goes out, and only what was in flight goes twice.

#[path = "../../../mail/tests/smtp/server.rs"]
#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the tests of mail"
)]
mod smtp_server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use server::{Clock as _, SystemClock};
use storage::{Database, Store, StoreSettings, TenantStore};

use crate::deployment::{Application, Deployment, Engine, Node, PASSWORD, on_both};
use smtp_server::{Protection, Server};

/// Mails that one node has in flight for one tenant.
const IN_FLIGHT: usize = 4;
/// A courier looks each second, the first time after one.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// Reservations of a dead process run out after 30 s of the real clock.
const LAPSED_WITHIN: Duration = Duration::from_secs(90);
/// Where a node dies, at which hit: while the tenth wrong password makes a block, and while mails are sent.
const POINTS: [(&str, u32); 9] = [
    ("after_charge", 10),
    ("before_hash", 10),
    ("after_hash", 10),
    ("before_settle", 10),
    ("after_settle", 10),
    // Claims are few, so the first one is the one to die at.
    ("after_claim", 1),
    ("before_mail", 3),
    ("after_mail", 3),
    ("after_mail_settled", 3),
];
const HOME: &str = "192.0.2.1";

/// What puts a mail down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// Ten wrong passwords.
    Block,
    /// A forgotten password.
    Reset,
    SignUp,
}

/// Somebody to whom one thing happens, and so one mail is due.
#[derive(Clone, Debug)]
struct Person {
    email: String,
    cause: Cause,
}

impl Person {
    fn new(round: usize, number: usize, cause: Cause) -> Self {
        let email = format!("r{round}n{number}@example.com");
        Self { email, cause }
    }

    /// Makes it happen; whether the server told so before it died. A second time is as good as the first.
    async fn let_it_happen(&self, node: &Node, application: &Application) -> bool {
        match self.cause {
            Cause::Block => self.block(node, application).await,
            Cause::Reset => {
                let body = json!({"connection": "Users", "email": self.email, "client_id": application.client_id});
                asked(node, "/dbconnections/change_password", &body).await
            }
            Cause::SignUp => {
                let body = json!({
                    "connection": "Users",
                    "email": self.email,
                    "password": PASSWORD,
                    "client_id": application.client_id,
                });
                asked(node, "/dbconnections/signup", &body).await
            }
        }
    }

    /// Guesses until a refusal says that the block is there.
    async fn block(&self, node: &Node, application: &Application) -> bool {
        let begun = tokio::time::Instant::now();
        for guess in 0.. {
            let password = format!("guess-{guess}");
            match node.login(application, &self.email, &password, HOME).await {
                Some(429) => return true,
                Some(403) => {}
                // A reservation of the process that died has not run out yet.
                Some(503) if begun.elapsed() < LAPSED_WITHIN => {}
                Some(status) => panic!("{}: {status}", self.email),
                None => return false,
            }
        }
        unreachable!("guesses have no end")
    }
}

async fn asked(node: &Node, path: &str, body: &Value) -> bool {
    let request = node.http.post(format!("{}{path}", node.base)).json(body);
    let Ok(response) = request.send().await else {
        return false;
    };
    let status = response.status().as_u16();
    assert_eq!(status, 200, "{path}");
    // It is told only if the whole answer arrived.
    response.bytes().await.is_ok()
}

/// The deployment, its application, and a real SMTP server that its nodes send over.
struct Stage {
    deployment: Deployment,
    application: Application,
    server: Server,
    authority: PathBuf,
}

impl Stage {
    /// None where the SMTP server cannot be run; its first transactions behave as named, all others well.
    async fn set(engine: Engine, behaviours: &[&str]) -> Option<Self> {
        let server = Server::start(Protection::StartTls, behaviours)?;
        let deployment = Deployment::new(engine);
        let authority = deployment.directory.path().join("mail-ca.pem");
        std::fs::write(&authority, server.authority()).unwrap();
        let node = deployment.start();
        let application = deployment.furnish(&node, &[]).await;
        node.kill();
        Some(Self {
            deployment,
            application,
            server,
            authority,
        })
    }

    fn start(&self, crash_at: Option<String>) -> Node {
        self.deployment.start_with(|command| {
            self.sends_over_the_server(command);
            if let Some(point) = crash_at {
                command.env("CRASH_AT", point);
            }
        })
    }

    fn sends_over_the_server(&self, command: &mut Command) {
        command
            .env("PORTCULLIS_MAIL__SMTP_HOST", "localhost")
            .env("PORTCULLIS_MAIL__SMTP_PORT", self.server.port().to_string())
            .env("PORTCULLIS_MAIL__SMTP_USER", "shop")
            .env("PORTCULLIS_MAIL__SMTP_PASS", "correct horse")
            .env("PORTCULLIS_MAIL__FROM", "Login <login@example.com>")
            .env("PORTCULLIS_MAIL__CA_FILE", &self.authority);
    }

    /// Those who have an account before anything happens; none of them gets a mail for that.
    async fn people(&self, people: &[Person]) {
        let node = self.deployment.start();
        for person in people.iter().filter(|person| person.cause != Cause::SignUp) {
            let user = json!({
                "connection": "Users",
                "email": person.email,
                "password": PASSWORD,
                "verify_email": false,
            });
            let token = Some(self.application.token.as_str());
            node.call(Method::POST, "/api/v2/users", token, user).await;
        }
        node.kill();
    }

    /// The rows of the tenant, while no node runs on SQLite.
    async fn rows(&self) -> TenantStore {
        let database = match &self.deployment.database {
            Some(url) => Database::Postgres {
                url: url.clone(),
                pooler: false,
                max_connections: 2,
            },
            None => Database::Sqlite {
                path: self.deployment.directory.path().join("portcullis.db"),
            },
        };
        let store = Store::open(&StoreSettings { database }).await.unwrap();
        let tenant = store.list_tenants().await.unwrap().remove(0);
        store.tenant(&tenant.id)
    }

    /// Makes everything due at once, as the end of a dead node's lease or of a wait would; how many mails there are.
    async fn make_all_due(&self) -> usize {
        let tomorrow = now() + Duration::from_secs(86_400);
        let claimed = self.rows().await.claim_mails(tomorrow, 1_000, now()).await;
        claimed.unwrap().len()
    }

    /// Runs nodes that nothing happens to until no mail waits.
    async fn send_the_rest(&self) {
        loop {
            let waiting = self.make_all_due().await as u64;
            if waiting == 0 {
                return;
            }
            let node = self.start(None);
            while node.counted("portcullis_mails_total", |_| true).await < waiting {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            node.terminate();
            assert!(node.wait().success());
        }
    }

    /// Everybody has his mail, and nobody any other; of each Message-ID one and the same mail went out.
    fn everybody_has_his_mail(self, people: &[Person], kills: usize) {
        let mut mails: BTreeMap<String, (String, usize)> = BTreeMap::new();
        let mut had: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for taken in self
            .server
            .rest()
            .iter()
            .filter_map(|said| said.get("mail"))
        {
            let to = taken["to"][0].as_str().unwrap();
            let (id, text) = read(taken["content"].as_str().unwrap());
            let (first, copies) = mails.entry(id.clone()).or_insert((text.clone(), 0));
            assert_eq!(*first, text, "{id} is always the same mail");
            *copies += 1;
            had.entry(to.to_owned()).or_default().insert(id);
        }
        for Person { email, cause } in people {
            let ids = had.remove(email).unwrap_or_default();
            assert!(!ids.is_empty(), "{email} has no mail about his {cause:?}");
            // Who asked again because nothing was told may have two; a block, and an address, is one in any case.
            let most = if *cause == Cause::Block { 1 } else { 2 };
            assert!(ids.len() <= most, "{email}, {cause:?}: {ids:?}");
        }
        assert!(had.is_empty(), "mails to others: {had:?}");
        let again: usize = mails.values().map(|(_, copies)| copies - 1).sum();
        assert!(
            again <= kills * IN_FLIGHT,
            "{again} went out again after {kills} kills"
        );
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// The Message-ID of a mail, and all of it but the marks that part its alternatives, which are random.
fn read(content: &str) -> (String, String) {
    let header = |name: &str| {
        let (_, after) = content.split_once(name)?;
        after.lines().next().map(|value| value.trim().to_owned())
    };
    let id = header("Message-ID: ").unwrap();
    let mark = content.split_once("boundary=\"").map(|(_, after)| {
        let (mark, _) = after.split_once('"').unwrap();
        mark
    });
    let text = mark.map_or_else(|| content.to_owned(), |mark| content.replace(mark, "MARK"));
    (id, text)
}

/// A node dies at each step of causing and of sending mails, each time amid two blocks, two resets and a sign-up.
/// The server of mails is out of order for a while, too.
async fn dies_at_every_step(engine: Engine) {
    const FAILS: [&str; 4] = ["451", "data452", "421", "ok"];
    let Some(stage) = Stage::set(engine, &FAILS).await else {
        return;
    };
    let causes = [
        Cause::Block,
        Cause::Reset,
        Cause::Block,
        Cause::SignUp,
        Cause::Reset,
    ];
    let rounds: Vec<Vec<Person>> = (0..POINTS.len())
        .map(|round| {
            let people = causes.iter().enumerate();
            let person = |(number, cause): (usize, &Cause)| Person::new(round, number, *cause);
            people.map(person).collect()
        })
        .collect();
    let everybody = rounds.concat();
    stage.people(&everybody).await;
    let mut untold = Vec::new();
    for ((point, hit), people) in POINTS.iter().zip(&rounds) {
        let node = stage.start(Some(format!("{point}:{hit}")));
        for person in people {
            if !person.let_it_happen(&node, &stage.application).await {
                untold.push(person.clone());
            }
        }
        assert!(!node.wait().success(), "{point}: the process was to die");
    }
    // What nobody was told of is asked for again; all the rest must have been kept.
    let node = stage.start(None);
    for person in &untold {
        assert!(person.let_it_happen(&node, &stage.application).await);
    }
    node.terminate();
    assert!(node.wait().success());
    stage.send_the_rest().await;
    stage.everybody_has_his_mail(&everybody, POINTS.len());
}

/// A node dies at moments that a seed chooses, amid twenty causes at once and their mails.
async fn dies_at_random(engine: Engine) {
    const ROUNDS: usize = 5;
    let Some(stage) = Stage::set(engine, &["ok"]).await else {
        return;
    };
    let cause = |number| match number % 4 {
        0 => Cause::Block,
        1 => Cause::Reset,
        _ => Cause::SignUp,
    };
    let rounds: Vec<Vec<Person>> = (0..ROUNDS)
        .map(|round| {
            let people = 0..12;
            people
                .map(|number| Person::new(round, number, cause(number)))
                .collect()
        })
        .collect();
    let everybody = rounds.concat();
    stage.people(&everybody).await;
    let mut untold = Vec::new();
    for (round, people) in rounds.iter().enumerate() {
        stage.make_all_due().await;
        let node = stage.start(None);
        let moment = (round as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 700;
        let happening = join_all(
            people
                .iter()
                .map(|person| person.let_it_happen(&node, &stage.application)),
        );
        let pid = node.pid();
        let (told, ()) = tokio::join!(happening, async {
            tokio::time::sleep(FIRST_LOOK / 2 + Duration::from_millis(moment)).await;
            kill(pid);
        });
        assert!(!node.wait().success());
        let left = people.iter().zip(told).filter(|(_, told)| !told);
        untold.extend(left.map(|(person, _)| person.clone()));
    }
    let node = stage.start(None);
    for person in &untold {
        assert!(person.let_it_happen(&node, &stage.application).await);
    }
    node.terminate();
    assert!(node.wait().success());
    stage.send_the_rest().await;
    stage.everybody_has_his_mail(&everybody, ROUNDS);
}

/// A stop is no crash: what was claimed is brought to its end.
async fn stops(engine: Engine) {
    let Some(stage) = Stage::set(engine, &["ok"]).await else {
        return;
    };
    let everybody: Vec<Person> = (0..30)
        .map(|number| Person::new(0, number, Cause::Reset))
        .collect();
    stage.people(&everybody).await;
    let node = stage.start(None);
    for person in &everybody {
        assert!(person.let_it_happen(&node, &stage.application).await);
    }
    while node.counted("portcullis_mails_total", |_| true).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.terminate();
    assert!(node.wait().success());
    stage.send_the_rest().await;
    stage.everybody_has_his_mail(&everybody, 0);
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

on_both! {
    a_crash_at_any_step_loses_no_mail = dies_at_every_step;
    a_crash_at_any_moment_loses_no_mail = dies_at_random;
    a_stop_sends_no_mail_twice = stops;
}
