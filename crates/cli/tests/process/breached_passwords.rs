//! A list that the operator made, named in the settings of a running server: asked, and told in the metrics.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::deployment::{Application, Deployment, Engine, Node, binary};

/// Good enough for the directory's policy, and its SHA-1.
const PASSWORD: &str = "P@ssw0rd";
const LISTED: &str = "21BD12DC183F740EE76F27B78EB39C8AD972A757:1\n";
const ENTRIES: &str = "portcullis_breach_list_entries";

fn make(directory: &Path) {
    let corpus = directory.join("corpus");
    fs::write(&corpus, LISTED).unwrap();
    let mut command = binary();
    command.args([
        "breach-list",
        "build",
        "--kind",
        "sha1",
        "--partial",
        "--from",
    ]);
    command
        .arg(&corpus)
        .arg("--out")
        .arg(directory.join("list"));
    let made = command.output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn start(deployment: &Deployment, list: &Path) -> Node {
    deployment.start_with(|command| {
        command.env("PORTCULLIS_BREACH__LIST_FILE", list);
        command.env("PORTCULLIS_BREACH__BUILT_IN", "false");
    })
}

async fn furnish(deployment: &Deployment, node: &Node) -> Application {
    let application = deployment.furnish(node, &[]).await;
    let token = Some(application.token.as_str());
    let user = json!({"connection": "Users", "email": "ana@example.com", "password": PASSWORD});
    let shield = json!({"enabled": true, "shields": ["block"]});
    let call = async |method: Method, path: &str, body: Value| {
        node.call(method, &format!("/api/v2/{path}"), token, body)
            .await
    };
    call(Method::POST, "users", user).await;
    call(
        Method::PATCH,
        "attack-protection/breached-password-detection",
        shield,
    )
    .await;
    application
}

#[tokio::test]
async fn the_list_of_the_settings_is_asked_and_counted() {
    let deployment = Deployment::new(Engine::Sqlite);
    let list = deployment.directory.path().join("list");
    make(deployment.directory.path());
    let node = start(&deployment, &list);
    assert_eq!(node.counted(ENTRIES, |_| true).await, 1);
    let application = furnish(&deployment, &node).await;
    let told = node
        .login(&application, "ana@example.com", PASSWORD, "192.0.2.1")
        .await;
    assert_eq!(told, Some(401));
    let found = |labels: &str| labels.contains("list") && labels.contains("\"found\"");
    assert_eq!(
        node.counted("portcullis_breach_lookups_total", found).await,
        1
    );
    drop(node);

    // A list that is no list does not keep the server from starting, and is told.
    fs::write(&list, "another file").unwrap();
    let node = start(&deployment, &list);
    assert_eq!(node.counted(ENTRIES, |_| true).await, 0);
    let told = node
        .login(&application, "ana@example.com", PASSWORD, "192.0.2.1")
        .await;
    assert_eq!(told, Some(200));
    let failed = |labels: &str| labels.contains("\"failed\"");
    assert_eq!(
        node.counted("portcullis_breach_lookups_total", failed)
            .await,
        1
    );
}
