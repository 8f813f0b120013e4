//! Two processes on one PostgreSQL: this binary starts itself again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use futures_util::future::join_all;
use model::TenantId;
use storage::{Database, Store, StoreSettings};

use crate::racing::charge;
use crate::stage::{Engine, Stage};

const KEY: [u8; 32] = [7; 32];
const BUDGET: u32 = 10;

/// A process that waits for a line of input, races, and tells how many of its charges passed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by two_processes_together_pass_exactly_the_budget"]
async fn a_process_that_races() {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let database = Database::Postgres {
        url,
        pooler: false,
        max_connections: 8,
    };
    let store = Store::open(&StoreSettings { database }).await.unwrap();
    let rows = store.tenant(&TenantId::new("ten_one"));
    println!("\nready");
    assert_eq!(lines.next().as_deref(), Some("go"));
    let charges = join_all((0..50).map(|_| charge(&rows, vec![KEY], BUDGET))).await;
    let passed = charges
        .into_iter()
        .filter(|charge| charge.clone().unwrap())
        .count();
    println!("\npassed {passed}");
}

#[tokio::test]
async fn two_processes_together_pass_exactly_the_budget() {
    let stage = Stage::open(Engine::Postgres).await;
    let mut racers: Vec<Racer> = (0..2).map(|_| Racer::start(stage.url())).collect();
    for racer in &mut racers {
        assert_eq!(racer.told("ready"), "");
    }
    for racer in &mut racers {
        racer.tell("go");
    }
    let passed: Vec<u32> = racers
        .iter_mut()
        .map(|racer| racer.told("passed ").parse().unwrap())
        .collect();
    for mut racer in racers {
        assert!(racer.child.wait().unwrap().success());
    }
    assert_eq!(passed.iter().sum::<u32>(), BUDGET, "{passed:?}");
    let meters = stage.rows.list_meters_of_account(&[1; 32]).await.unwrap();
    assert_eq!(meters[0].row.charged, BUDGET);
}

struct Racer {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl Racer {
    fn start(url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "processes::a_process_that_races",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let mut racer = Self { child, told };
        racer.tell(url);
        racer
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The rest of the next line that begins so.
    fn told(&mut self, start: &str) -> String {
        let mut line = String::new();
        while self.told.read_line(&mut line).unwrap() > 0 {
            if let Some(rest) = line.trim_end().strip_prefix(start) {
                return rest.to_owned();
            }
            line.clear();
        }
        panic!("the process ended before it told {start}");
    }
}
