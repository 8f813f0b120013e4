//! Bad settings end in one clear line and a non-zero exit.

use std::process::{Command, Stdio};

use temporary_postgres::TemporaryPostgres;

use crate::deployment::{Deployment, Engine, binary};

/// Fails to start, with one line that holds all these words.
#[track_caller]
fn refused(command: &mut Command, words: &[&str]) {
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert!(!output.status.success(), "it started: {told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
}

#[test]
fn each_mistake_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let serve = || {
        let mut command = binary();
        command
            .args(["serve", "--data-dir"])
            .arg(empty.path())
            .args(["--listen", "127.0.0.1:0"]);
        command.env("PORTCULLIS_METRICS__LISTEN", "127.0.0.1:0");
        command
    };
    refused(&mut serve(), &["--tls-cert", "--tls-dev", "--no-tls"]);
    refused(
        serve()
            .arg("--no-tls")
            .env("PORTCULLIS_SERVER__LISTEN_ON", "x"),
        &["listen_on"],
    );
    refused(
        serve()
            .arg("--no-tls")
            .env("PORTCULLIS_SERVER__TRUSTED_PROXIES", "[0.0.0.0/0]"),
        &["trusted_proxies", "/0"],
    );
    refused(
        serve()
            .arg("--no-tls")
            .env("PORTCULLIS_SERVER__TRUSTED_PROXIES", "[010.0.0.0/8]"),
        &["TRUSTED_PROXIES", "010.0.0.0/8", "without leading zeros"],
    );
    refused(
        serve()
            .arg("--no-tls")
            .args(["--database-url", "postgres://127.0.0.1:1/x"]),
        &["root_key_file"],
    );
    refused(
        serve().arg("--no-tls").args(["--config", "nowhere.toml"]),
        &["nowhere.toml"],
    );
    for (variable, value, words) in [
        (
            "BREACH__ONLINE_URL",
            "http://api.example.com/range/",
            ["breach.online_url", "https"],
        ),
        (
            "BREACH__ONLINE_URL",
            "https://10.0.0.1/range/",
            ["breach.online_url", "outgoing.allow_private"],
        ),
        (
            "BREACH__ONLINE_TIMEOUT_MS",
            "60000",
            ["breach.online_timeout_ms", "5000"],
        ),
        (
            "OUTGOING__CA_FILE",
            "/nowhere.pem",
            ["outgoing.ca_file", "/nowhere.pem"],
        ),
    ] {
        let variable = format!("PORTCULLIS_{variable}");
        refused(serve().arg("--no-tls").env(variable, value), &words);
    }
    refused(
        serve()
            .arg("--no-tls")
            .args(["--public-url", "http://localhost/"]),
        &["public_url"],
    );
}

#[test]
fn another_root_key_is_refused() {
    let deployment = Deployment::new(Engine::Sqlite);
    let mut command = deployment.command(&["serve", "--no-tls", "--listen", "127.0.0.1:0"]);
    command.env(
        "PORTCULLIS_SERVER__ROOT_KEY",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    );
    command.env("PORTCULLIS_METRICS__LISTEN", "127.0.0.1:0");
    refused(&mut command, &["another root key"]);
}

#[test]
fn a_second_process_on_one_file_is_refused() {
    let deployment = Deployment::new(Engine::Sqlite);
    let _node = deployment.start();
    let mut command = deployment.command(&["serve", "--no-tls", "--listen", "127.0.0.1:0"]);
    command.env("PORTCULLIS_METRICS__LISTEN", "127.0.0.1:0");
    refused(&mut command, &["another process"]);
}

#[test]
fn a_database_that_may_forget_is_refused() {
    let deployment = Deployment::new(Engine::Postgres);
    let url = deployment.database.clone().unwrap();
    let name = url
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    TemporaryPostgres::shared().sql(
        &url,
        &format!("ALTER DATABASE \"{name}\" SET synchronous_commit = off"),
    );
    let mut command = deployment.command(&["serve", "--no-tls", "--listen", "127.0.0.1:0"]);
    command.env("PORTCULLIS_METRICS__LISTEN", "127.0.0.1:0");
    refused(&mut command, &["synchronous_commit"]);
}
