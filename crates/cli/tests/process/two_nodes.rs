//! Two processes on one PostgreSQL share one budget.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::deployment::{Deployment, Engine, PASSWORD, count};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_guesses_over_two_processes_tell_exactly_ten_outcomes() {
    let deployment = Deployment::new(Engine::Postgres);
    let (one, two) = (deployment.start(), deployment.start());
    let application = deployment.furnish(&one, &[ANA]).await;
    let before = one.hashes().await + two.hashes().await;

    let (left, right) = tokio::join!(
        one.burst(&application, ANA, HOME, 500),
        two.burst(&application, ANA, HOME, 500)
    );

    let all = [left, right].concat();
    assert_eq!(
        (count(&all, 403), count(&all, 429), all.len()),
        (10, 990, 1_000)
    );
    assert_eq!(one.hashes().await + two.hashes().await - before, 10);
    for node in [&one, &two] {
        assert_eq!(
            node.login(&application, ANA, PASSWORD, HOME).await,
            Some(429)
        );
    }
    let path = "/api/v2/user-blocks?identifier=ana@example.com";
    one.call(Method::DELETE, path, Some(&application.token), Value::Null)
        .await;
    assert_eq!(
        one.login(&application, ANA, PASSWORD, HOME).await,
        Some(200),
        "at once on the node that unblocked"
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        two.login(&application, ANA, PASSWORD, HOME).await,
        Some(200),
        "within a second on the other"
    );
}
