//! The cluster answers, keeps its default durability, and ends with its process, however that ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use temporary_postgres::TemporaryPostgres;

#[test]
fn databases_are_new_and_the_server_is_durable() {
    let postgres = TemporaryPostgres::shared();
    let (first, second) = (postgres.create_database(), postgres.create_database());
    assert_ne!(first, second);
    postgres.sql(&first, "CREATE TABLE only_here (a INT)");
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'only_here'";
    assert_eq!(postgres.sql(&first, tables), "1");
    assert_eq!(postgres.sql(&second, tables), "0");
    let copy = postgres.copy_database(&first);
    assert_eq!(postgres.sql(&copy, tables), "1");
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(
            postgres.sql(&first, &format!("SHOW {setting}")),
            "on",
            "{setting}"
        );
    }
    assert_eq!(postgres.sql(&first, "SHOW max_connections"), "200");
}

#[test]
fn it_comes_back_from_a_crash_with_what_was_committed() {
    let postgres = TemporaryPostgres::start().unwrap();
    let url = postgres.create_database();
    postgres.sql(
        &url,
        "CREATE TABLE kept (a INT); INSERT INTO kept VALUES (7)",
    );
    let before = postgres.server_pid();
    postgres.crash_and_restart();
    assert_ne!(postgres.server_pid(), before);
    assert_eq!(postgres.sql(&url, "SELECT a FROM kept"), "7");
}

#[test]
fn it_ends_when_it_is_dropped() {
    let postgres = TemporaryPostgres::start().unwrap();
    let server = postgres.server_pid();
    drop(postgres);
    assert!(!runs(server));
}

/// Run in a process of its own by the test below: starts a cluster, tells its process id, and waits to be killed.
#[test]
#[ignore = "started by the_server_ends_when_its_process_is_killed"]
fn a_process_that_will_be_killed() {
    println!("\nserver {}", TemporaryPostgres::shared().server_pid());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn the_server_ends_when_its_process_is_killed() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "a_process_that_will_be_killed",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap());
    let server: u32 = told
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("server ")?.parse().ok())
        .expect("the child tells the server's process id");
    assert!(runs(server));
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..6_000 {
        if !runs(server) {
            return;
        }
        // The kernel tells nobody of the end of a process that is not a child: looking again is the only way.
        #[expect(
            clippy::disallowed_methods,
            reason = "a pause between looks, not a wait for a fixed time"
        )]
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the server still runs a minute after its process was killed");
}

/// Zombies do not count: whoever should collect them may be slow.
fn runs(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim_start().chars().next());
    state != Some('Z')
}
