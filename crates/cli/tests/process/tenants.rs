//! `portcullis tenant`: made, named, shown and removed from the command line; each answers on its own host.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use temporary_postgres::TemporaryPostgres;

use crate::deployment::{Deployment, Engine, Node};

/// What a command about tenants prints, and whether it went well.
fn tenant(deployment: &Deployment, arguments: &[&str]) -> (bool, String) {
    let output = deployment
        .command_without_address(arguments)
        .output()
        .unwrap();
    let told = if output.status.success() {
        output.stdout
    } else {
        output.stderr
    };
    (output.status.success(), String::from_utf8(told).unwrap())
}

#[track_caller]
fn done(deployment: &Deployment, arguments: &[&str]) -> String {
    let (went_well, told) = tenant(deployment, arguments);
    assert!(went_well, "{arguments:?}: {told}");
    told
}

#[track_caller]
fn refused(deployment: &Deployment, arguments: &[&str], words: &[&str]) {
    let (went_well, told) = tenant(deployment, arguments);
    assert!(!went_well, "{arguments:?}: {told}");
    assert_eq!(told.trim().lines().count(), 1, "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
}

fn names(deployment: &Deployment) -> Vec<String> {
    let listed: Value =
        serde_json::from_str(&done(deployment, &["tenant", "list", "--json"])).unwrap();
    let names = listed.as_array().unwrap().iter();
    let mut names: Vec<String> = names
        .map(|tenant| tenant["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

const CREATE: [&str; 6] = [
    "tenant",
    "create",
    "--name",
    "shop",
    "--public-url",
    "https://shop.example.com/",
];

async fn token(node: &Node, host: &str, keys: &Value) -> u16 {
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "audience": keys["audience"],
    });
    let request = node
        .http
        .post(format!("{}/oauth/token", node.base))
        .header("host", host)
        .json(&body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_tenant_is_made_used_and_removed() {
    let deployment = Deployment::new(Engine::Sqlite);
    let told = done(
        &deployment,
        &[&CREATE[..], &["--alias", "SHOP.example.net:443"]].concat(),
    );
    assert!(
        told.contains("https://shop.example.com/") && told.contains("shop.example.net"),
        "{told}"
    );
    assert_eq!(names(&deployment), ["localhost", "shop"]);

    refused(&deployment, &CREATE, &["shop", "already"]);
    let again = [
        "tenant",
        "create",
        "--name",
        "other",
        "--public-url",
        "https://shop.example.net/",
    ];
    refused(&deployment, &again, &["shop.example.net", "`shop`"]);
    refused(
        &deployment,
        &[
            "tenant",
            "create",
            "--name",
            "A b",
            "--public-url",
            "https://x/",
        ],
        &["--name", "lower-case"],
    );
    refused(
        &deployment,
        &["tenant", "create", "--name", "x"],
        &["--public-url"],
    );
    refused(
        &deployment,
        &[
            "tenant",
            "create",
            "--name",
            "x",
            "--public-url",
            "http://x/",
        ],
        &["https://"],
    );
    refused(
        &deployment,
        &["admin", "create-client"],
        &["several tenants", "localhost, shop"],
    );
    refused(
        &deployment,
        &["admin", "create-client", "--tenant", "nobody"],
        &["nobody", "shop"],
    );

    let keys = done(
        &deployment,
        &["admin", "create-client", "--tenant", "shop", "--json"],
    );
    let keys: Value = serde_json::from_str(&keys).unwrap();
    assert_eq!(keys["audience"], "https://shop.example.com/api/v2/");
    let node = deployment.start();
    assert_eq!(token(&node, "shop.example.com", &keys).await, 200);
    assert_eq!(token(&node, "shop.example.net", &keys).await, 200);
    assert_eq!(token(&node, "localhost", &keys).await, 401);
    node.kill();

    let shown = done(
        &deployment,
        &["tenant", "show", "shop.example.net", "--json"],
    );
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["name"], &shown["applications"], &shown["users"]),
        (&json!("shop"), &json!(1), &json!(0))
    );
    refused(
        &deployment,
        &["tenant", "delete", "shop"],
        &["--yes", "for ever"],
    );
    refused(
        &deployment,
        &["tenant", "delete", "nobody", "--yes"],
        &["nobody"],
    );
    // The one that a node would make anew.
    let mut command = deployment.command(&["tenant", "delete", "localhost", "--yes"]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("server.public_url"), "{told}");
    let mut command =
        deployment.command_without_address(&["tenant", "delete", "localhost", "--yes"]);
    command.env("PORTCULLIS_SERVER__DEFAULT_TENANT", "localhost");
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(told.contains("server.default_tenant"), "{told}");
    assert_eq!(names(&deployment), ["localhost", "shop"]);
    let told = done(&deployment, &["tenant", "delete", "shop", "--yes"]);
    assert!(told.contains("`shop`"), "{told}");
    assert_eq!(names(&deployment), ["localhost"]);
    refused(
        &deployment,
        &["tenant", "delete", "localhost", "--yes"],
        &["only tenant"],
    );
    // The hosts are free again.
    done(&deployment, &CREATE);
}

/// The outcome of a deletion for which this line is typed.
fn delete_typing(deployment: &Deployment, typed: &str) -> bool {
    let mut command = deployment.command_without_address(&["tenant", "delete", "shop"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
    child.wait().unwrap().success()
}

#[test]
fn a_tenant_goes_when_its_name_is_typed() {
    let deployment = Deployment::new(Engine::Sqlite);
    done(&deployment, &CREATE);
    for other in ["", "y", "yes", "localhost", "shop.example.com"] {
        assert!(!delete_typing(&deployment, other), "{other}");
        assert_eq!(names(&deployment), ["localhost", "shop"]);
    }
    assert!(delete_typing(&deployment, "shop"));
    assert_eq!(names(&deployment), ["localhost"]);
}

#[test]
fn of_two_tenants_that_may_be_meant_none_is_removed() {
    let deployment = Deployment::new(Engine::Sqlite);
    done(&deployment, &CREATE);
    // Named like the other one's host.
    let mut create = CREATE;
    (create[3], create[5]) = ("twin", "https://shop/");
    done(&deployment, &create);
    refused(
        &deployment,
        &["tenant", "delete", "shop", "--yes"],
        &["shop.example.com", "the id"],
    );
    assert_eq!(names(&deployment), ["localhost", "shop", "twin"]);
    done(
        &deployment,
        &["tenant", "delete", "shop.example.com", "--yes"],
    );
    assert_eq!(names(&deployment), ["localhost", "twin"]);
}

#[test]
fn a_deletion_that_was_interrupted_can_be_given_again() {
    let deployment = Deployment::new(Engine::Postgres);
    done(&deployment, &CREATE);
    let mut command = deployment.command_without_address(&["tenant", "delete", "shop", "--yes"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // It says so once no host leads to the tenant, and waits.
    let mut told = String::new();
    let stderr = child.stderr.take().unwrap();
    BufReader::new(stderr).read_line(&mut told).unwrap();
    assert!(told.contains("the same command again"), "{told}");
    child.kill().unwrap();
    child.wait().unwrap();

    let url = deployment.database.as_deref().unwrap();
    let count = |table: &str| {
        let count = format!("SELECT COUNT(*) FROM {table}");
        TemporaryPostgres::shared().sql(url, &count)
    };
    assert_eq!(
        (count("tenant_hosts"), count("signing_keys")),
        ("1".to_owned(), "2".to_owned())
    );
    done(&deployment, &["tenant", "delete", "shop", "--yes"]);
    assert_eq!(
        (count("tenants"), count("signing_keys")),
        ("1".to_owned(), "1".to_owned())
    );
}

#[tokio::test]
async fn on_postgresql_a_running_node_serves_a_new_tenant() {
    let deployment = Deployment::new(Engine::Postgres);
    let node = deployment.start();
    done(&deployment, &CREATE);
    let keys = done(
        &deployment,
        &["admin", "create-client", "--tenant", "shop", "--json"],
    );
    let keys: Value = serde_json::from_str(&keys).unwrap();
    assert_eq!(token(&node, "shop.example.com", &keys).await, 200);
}
