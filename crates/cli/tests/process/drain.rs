//! SIGTERM: what was begun is answered, then the process ends with 0.

use crate::deployment::{Deployment, Engine, PASSWORD};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_are_answered_before_the_process_ends() {
    let deployment = Deployment::new(Engine::Sqlite);
    // One hash takes a good part of a second, so that the signal arrives amid it.
    let node = deployment.start_with(|command| {
        command
            .env("PORTCULLIS_ARGON2__MEMORY_KIB", "524288")
            .env("PORTCULLIS_ARGON2__PASSES", "2");
    });
    let application = deployment.furnish(&node, &["ana@example.com"]).await;
    let before = node.hashes().await;

    let mut login = Box::pin(node.login(&application, "ana@example.com", PASSWORD, "192.0.2.1"));
    let early = tokio::time::timeout(std::time::Duration::from_millis(150), &mut login).await;
    assert!(early.is_err(), "the login was to be in flight");
    assert_eq!(node.hashes().await, before);
    node.terminate();

    assert_eq!(login.as_mut().await, Some(200));
    drop(login);
    assert!(node.wait().success());
}
