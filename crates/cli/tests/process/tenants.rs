//! `portcullis tenant`: made, named, shown and removed from the command line; each answers on its own host.

use serde_json::{Value, json};

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
