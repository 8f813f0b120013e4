//! A charge is on the disk before the hash, a settle before the answer: counted, not assumed.

use std::process::Command;

use temporary_postgres::TemporaryPostgres;

use crate::deployment::{Deployment, Engine, PASSWORD};

/// Attaches strace to a node and counts its syncs into a file.
fn traced(pid: u32, file: &std::path::Path) -> std::process::Child {
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=fdatasync,fsync", "-o"])
        .arg(file)
        .args(["-p", &pid.to_string()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("strace is installed (make setup)");
    // It says so once it is attached; only then does a count mean anything.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(strace.stderr.take().unwrap()));
    let line = lines.next().and_then(Result::ok).unwrap_or_default();
    assert!(line.contains("attached"), "strace: {line}");
    strace
}

fn syncs(file: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| line.contains("sync(")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_on_sqlite_syncs_twice() {
    let deployment = Deployment::new(Engine::Sqlite);
    let node = deployment.start();
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    let file = deployment.directory.path().join("strace");
    let mut strace = traced(node.pid(), &file);

    const LOGINS: usize = 20;
    for _ in 0..LOGINS {
        assert_eq!(
            node.login(&application, "ana@example.com", PASSWORD, "192.0.2.1")
                .await,
            Some(200)
        );
    }
    node.kill();
    strace.wait().unwrap();
    let counted = syncs(&file);
    println!("{counted} syncs for {LOGINS} logins, one after the other");
    assert!(counted >= 2 * LOGINS, "{counted} syncs for {LOGINS} logins");
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_charge_is_synced_before_the_hash() {
    let deployment = Deployment::new(Engine::Sqlite);
    let node = deployment.start();
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    node.kill();
    let node = deployment.start_armed("before_hash:1");
    let file = deployment.directory.path().join("strace");
    let mut strace = traced(node.pid(), &file);

    assert_eq!(
        node.login(&application, "ana@example.com", PASSWORD, "192.0.2.1")
            .await,
        None
    );
    strace.wait().unwrap();
    assert!(
        syncs(&file) >= 1,
        "the process died right before the hash and had synced nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_on_postgresql_commits_twice() {
    // A cluster of its own: nobody else moves the end of its log.
    let cluster = TemporaryPostgres::start().unwrap();
    let url = cluster.create_database();
    let deployment = Deployment::on(Some(url.clone()));
    let node = deployment.start();
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    let flushed = || -> u64 {
        cluster
            .sql(&url, "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")
            .trim()
            .parse()
            .unwrap()
    };

    let mut moved = 0;
    const LOGINS: usize = 20;
    for _ in 0..LOGINS {
        let before = flushed();
        assert_eq!(
            node.login(&application, "ana@example.com", PASSWORD, "192.0.2.1")
                .await,
            Some(200)
        );
        moved += usize::from(flushed() > before);
    }
    assert_eq!(
        moved, LOGINS,
        "every login had moved the flushed end of the log by the time it was answered"
    );
}
