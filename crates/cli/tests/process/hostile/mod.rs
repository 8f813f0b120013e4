//! Malformed and hostile input at the real listener, as bytes: each kind gets a clear 4xx or a closed connection,
//! costs no hash, repeats no secret, and leaves the next honest login alone.
//!
//! Connections that are held open are told in `connections`.

mod bodies;
mod connections;
mod framing;
mod headers;
mod logins;
mod management;
mod wire;

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::deployment::{AUDIENCE, Application, Deployment, Engine, Node, PASSWORD};
use wire::{Kind, exchange, judge};

const ANA: &str = "ana@example.com";

/// The least size of the table: a kind that goes missing is noticed.
const KINDS: usize = 600;

/// Short patience, for a node that is made to wait.
fn impatient(command: &mut std::process::Command) {
    for step in ["HANDSHAKE", "HEADER", "BODY", "WRITE"] {
        command.env(format!("PORTCULLIS_SERVER__{step}_TIMEOUT_SECONDS"), "3");
    }
}

/// Such a node with one user.
async fn furnished(deployment: &Deployment) -> (Node, Application) {
    furnished_with(deployment, impatient).await
}

/// A changed node, and a client that never reuses a connection the node may just close.
async fn furnished_with(
    deployment: &Deployment,
    change: impl FnOnce(&mut std::process::Command),
) -> (Node, Application) {
    let mut node = deployment.start_with(change);
    let single = Client::builder().pool_max_idle_per_host(0);
    node.http = single.build().unwrap();
    let application = deployment.furnish(&node, &[ANA]).await;
    (node, application)
}

/// Every kind of a topic at once; the complaints.
async fn run(node: &Node, topic: &str, kinds: &[Kind]) -> Vec<String> {
    let told = join_all(kinds.iter().map(|kind| async {
        let heard = exchange(node.address(), &kind.bytes).await;
        let complaint = judge(kind, &heard).err()?;
        Some(format!("{topic}: {}: {complaint}", kind.name))
    }));
    told.await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_refused_clearly_and_costs_no_hash() {
    let deployment = Deployment::new(Engine::Sqlite);
    let (node, application) = furnished(&deployment).await;
    let keys = node
        .call(Method::GET, "/.well-known/jwks.json", None, Value::Null)
        .await;
    let login = json!({
        "grant_type": "password", "username": ANA, "password": PASSWORD, "audience": AUDIENCE,
        "client_id": application.client_id, "client_secret": application.client_secret,
    });
    let foreign = node.call(Method::POST, "/oauth/token", None, login).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = &application.token;
    let topics = [
        ("framing", framing::kinds()),
        ("headers", headers::kinds()),
        ("media types", bodies::media_types()),
        ("forms", bodies::forms()),
        ("documents", bodies::documents()),
        ("tokens", management::tokens(token, &keys, &foreign)),
        ("addresses", management::addresses(token)),
        ("management bodies", management::bodies(token)),
        ("methods", management::methods(token)),
        ("userinfo", management::userinfo(token)),
    ];

    let mut complaints = Vec::new();
    let mut names = std::collections::HashSet::new();
    for (topic, kinds) in &topics {
        let before = node.hashes().await;
        complaints.extend(run(&node, topic, kinds).await);
        if node.hashes().await != before {
            complaints.push(format!("{topic}: a hash was run"));
        }
        let honest = node.login(&application, ANA, PASSWORD, "192.0.2.1").await;
        if honest != Some(200) {
            complaints.push(format!("{topic}: the honest login after it got {honest:?}"));
        }
        for kind in kinds {
            assert!(
                names.insert(format!("{topic}: {}", kind.name)),
                "{topic}: two kinds are `{}`",
                kind.name
            );
        }
    }
    println!("{} kinds of hostile input", names.len());
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    assert!(names.len() >= KINDS, "only {} kinds", names.len());
}
