//! `portcullis backup` beside a running server, and what restoring it gives back (`docs/operate/restore.md`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::deployment::{Application, Deployment, Engine, Node, PASSWORD};

const SOURCE: &str = "203.0.113.7";

fn backup(deployment: &Deployment, file: &Path) -> Output {
    deployment
        .command(&["backup", file.to_str().unwrap()])
        .output()
        .unwrap()
}

/// The statuses of wrong guesses, one after the other.
async fn guesses(node: &Node, application: &Application, user: &str, count: usize) -> Vec<u16> {
    let mut told = Vec::new();
    for number in 0..count {
        let guess = format!("guess-{number}");
        let status = node.login(application, user, &guess, SOURCE).await;
        told.push(status.unwrap());
    }
    told
}

async fn set_password(node: &Node, application: &Application, email: &str, password: &str) {
    let token = Some(&*application.token);
    let path = format!("/api/v2/users-by-email?email={email}");
    let found = node.call(Method::GET, &path, token, Value::Null).await;
    let id = found[0]["user_id"].as_str().unwrap().replace('|', "%7C");
    let path = format!("/api/v2/users/{id}");
    node.call(
        Method::PATCH,
        &path,
        token,
        json!({ "password": password, "connection": "Users" }),
    )
    .await;
}

async fn set_threshold(node: &Node, application: &Application, max_attempts: u32) {
    let path = "/api/v2/attack-protection/brute-force-protection";
    let token = Some(&*application.token);
    node.call(
        Method::PATCH,
        path,
        token,
        json!({ "max_attempts": max_attempts }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_amid_logins_starts_again_as_of_its_moment() {
    let mut deployment = Deployment::new(Engine::Sqlite);
    let node = deployment.start();
    let users = ["ana@example.com", "ben@example.com"];
    let shop = deployment.furnish(&node, &users).await;
    assert_eq!(guesses(&node, &shop, users[0], 3).await, [403; 3]);

    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("monday.db");
    let logins = (0..30).map(|source| {
        let (node, shop) = (&node, &shop);
        async move {
            let address = format!("198.51.100.{source}");
            node.login(shop, users[1], PASSWORD, &address).await
        }
    });
    let copying = async { tokio::task::block_in_place(|| backup(&deployment, &file)) };
    let (logins, output) = futures_util::future::join(join_all(logins), copying).await;
    assert!(logins.iter().all(|login| *login == Some(200)), "{logins:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{:?}", output.stderr);
    assert!(told.contains("tenants (1), users (2)"), "{told}");
    assert!(told.contains("secrets/root.key"), "{told}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(keep.path()).unwrap().count(), 1);

    // What happens from here on is not in it.
    assert_eq!(
        guesses(&node, &shop, users[0], 8).await,
        [403, 403, 403, 403, 403, 403, 403, 429]
    );
    let changed = "Changed-Battery-8-Staple";
    set_password(&node, &shop, users[1], changed).await;
    assert_eq!(
        node.login(&shop, users[1], PASSWORD, "192.0.2.1").await,
        Some(403)
    );
    node.kill();

    let old = std::mem::replace(&mut deployment.directory, tempfile::tempdir().unwrap());
    let place = deployment.directory.path();
    fs::create_dir(place.join("secrets")).unwrap();
    fs::copy(&file, place.join("portcullis.db")).unwrap();
    let without_key = deployment.command(&["serve", "--no-tls"]).output().unwrap();
    let told = String::from_utf8(without_key.stderr).unwrap();
    assert!(told.contains("restore the key"), "{told}");
    fs::copy(
        old.path().join("secrets/root.key"),
        place.join("secrets/root.key"),
    )
    .unwrap();

    let node = deployment.start();
    // The block is gone with what led to it: three failures are left of the ten.
    assert_eq!(
        node.login(&shop, users[0], PASSWORD, "192.0.2.1").await,
        Some(200)
    );
    assert_eq!(guesses(&node, &shop, users[0], 2).await, [403; 2]);
    // Lowered, the threshold holds at once; raised again, the rest of the budget is there.
    set_threshold(&node, &shop, 5).await;
    assert_eq!(guesses(&node, &shop, users[0], 2).await, [429; 2]);
    set_threshold(&node, &shop, 10).await;
    assert_eq!(
        guesses(&node, &shop, users[0], 6).await,
        [403, 403, 403, 403, 403, 429]
    );
    // The old password is back, and the new one is not known.
    assert_eq!(
        node.login(&shop, users[1], changed, "192.0.2.2").await,
        Some(403)
    );
    assert_eq!(
        node.login(&shop, users[1], PASSWORD, "192.0.2.2").await,
        Some(200)
    );
}

#[tokio::test]
async fn a_stopped_or_killed_server_can_be_backed_up_too() {
    let deployment = Deployment::new(Engine::Sqlite);
    let keep = tempfile::tempdir().unwrap();
    let stopped = backup(&deployment, &keep.path().join("stopped.db"));
    assert!(stopped.status.success(), "{:?}", stopped.stderr);
    let node = deployment.start();
    deployment.furnish(&node, &["ana@example.com"]).await;
    node.kill();
    let killed = backup(&deployment, &keep.path().join("killed.db"));
    let told = String::from_utf8_lossy(&killed.stdout);
    assert!(told.contains("tenants (1), users (1)"), "{told}");
}

#[test]
fn a_file_that_exists_is_never_overwritten() {
    let deployment = Deployment::new(Engine::Sqlite);
    let keep = tempfile::tempdir().unwrap();
    let file = keep.path().join("monday.db");
    fs::write(&file, "precious").unwrap();
    let refused = backup(&deployment, &file);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(told.contains("monday.db exists"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn what_cannot_be_backed_up_leaves_nothing_and_says_what_to_do() {
    let deployment = Deployment::new(Engine::Sqlite);
    let keep = tempfile::tempdir().unwrap();
    // A log that was not yet moved into the file would bring it back.
    for log in ["portcullis.db-wal", "portcullis.db-shm"] {
        let _ = fs::remove_file(deployment.directory.path().join(log));
    }
    fs::write(
        deployment.directory.path().join("portcullis.db"),
        "Dear reader, ".repeat(1_000),
    )
    .unwrap();
    let refused = backup(&deployment, &keep.path().join("letter.db"));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("portcullis.db"), "{told}");
    fs::remove_file(deployment.directory.path().join("portcullis.db")).unwrap();
    let refused = backup(&deployment, &keep.path().join("none.db"));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("--data-dir"), "{told}");
    assert_eq!(fs::read_dir(keep.path()).unwrap().count(), 0);
}

#[test]
fn postgresql_is_left_to_its_own_programs() {
    let deployment = Deployment::new(Engine::Postgres);
    let keep = tempfile::tempdir().unwrap();
    let refused = backup(&deployment, &keep.path().join("monday.dump"));
    let told = String::from_utf8(refused.stderr).unwrap();
    for word in [
        "pg_dump --format=custom --file=",
        "monday.dump",
        "pg_basebackup",
        "server.root_key",
    ] {
        assert!(told.contains(word), "{told}");
    }
    let password = deployment.database.as_deref().unwrap();
    assert!(!told.contains(password), "{told}");
}
