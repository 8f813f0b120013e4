//! Wrong client secrets are counted by application and address: exactly, and to nobody else's account.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{AUDIENCE, Answer, Attacker, Backend, Engine, PASSWORD, World, on_both_engines};

use crate::tenants::rows::rows;

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.77";
/// Wrong secrets of one application that one address is told of.
const POOL: usize = 100;

async fn guess(backend: &Backend<'_>, number: usize, from: &str) -> Answer {
    let call = backend.login(ANA, PASSWORD).from(from);
    let call = call.with("client_secret", format!("guess-{number}"));
    call.send().await
}

async fn guesses(backend: &Backend<'_>, count: usize, from: &str) -> HashMap<u16, usize> {
    let mut counts = HashMap::new();
    for number in 0..count {
        *counts
            .entry(guess(backend, number, from).await.status)
            .or_default() += 1;
    }
    counts
}

/// The application speaks for itself.
async fn own_token(backend: &Backend<'_>, from: &str) -> Answer {
    let call = backend
        .login("", "")
        .with("grant_type", "client_credentials");
    call.with("scope", Value::Null).from(from).send().await
}

async fn grant(world: &World, backend: &Backend<'_>) {
    let grant = json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": []});
    world
        .admin()
        .await
        .post("client-grants", grant)
        .await
        .expect(201);
}

/// What the caller can compare: all but the id of the request.
fn told(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, answer.text.clone(), headers)
}

on_both_engines! {
    async fn a_full_pool_answers_right_and_wrong_secrets_alike(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        grant(&world, &backend).await;
        assert_eq!(guesses(&backend, POOL, ELSEWHERE).await, HashMap::from([(401, POOL)]));

        let wrong = guess(&backend, 1_000, ELSEWHERE).await.expect(429);
        assert_eq!(wrong.error(), "too_many_requests");
        assert_eq!(wrong.headers["retry-after"], "60");
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            wrong.headers[name].to_str().unwrap().parse::<i64>().unwrap();
        }
        for fresh in [false, true] {
            let forget = || if fresh { world.app.forget_cached() };
            let login = |username: &str, password: &str| backend.login(username, password).from(ELSEWHERE);
            let rights = [
                login(ANA, PASSWORD),
                login(ANA, PASSWORD).end_user(HOME),
                login(ANA, "wrong").end_user(HOME),
                login("nobody@example.com", "wrong"),
                login(ANA, PASSWORD).with("audience", "urn:no-api"),
                login(ANA, PASSWORD).with("grant_type", "http://auth0.com/oauth/grant-type/password-realm").with("realm", "None"),
                login(ANA, PASSWORD).with("grant_type", "client_credentials"),
                login(ANA, PASSWORD).with("grant_type", "client_credentials").with("audience", "urn:no-api"),
            ];
            for call in rights {
                forget();
                let right = told(&call.clone().send().await);
                forget();
                let wrong = told(&call.with("client_secret", "guessed").send().await);
                assert_eq!(right, wrong, "fresh: {fresh}");
                assert_eq!(right.0, 429, "{right:?}");
            }
        }
        assert_eq!(world.hashes().verified(), 0, "no password was looked at");
        // The backend itself is somewhere else, and goes on.
        backend.login_right(ANA, HOME).await.expect(200);
        own_token(&backend, &backend.address).await.expect(200);
    }

    async fn the_pool_drains_one_a_minute_and_is_no_windfall(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        guesses(&backend, POOL + 5, ELSEWHERE).await;
        world.clock.advance(Duration::from_secs(59));
        world.app.forget_cached();
        guess(&backend, 0, ELSEWHERE).await.expect(429);
        world.clock.advance(Duration::from_secs(1));
        world.app.forget_cached();
        backend.login_right(ANA, HOME).await.expect(200);
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(200);
        guess(&backend, 0, ELSEWHERE).await.expect(401);
        guess(&backend, 0, ELSEWHERE).await.expect(429);
        world.clock.advance(Duration::from_secs(300));
        world.app.forget_cached();
        assert_eq!(guesses(&backend, 8, ELSEWHERE).await, HashMap::from([(401, 5), (429, 3)]));
    }

    async fn each_application_and_each_address_has_a_pool_of_its_own(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let other = world.backend(true).await;
        guesses(&backend, POOL, ELSEWHERE).await;
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(429);
        other.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(200);
        guess(&other, 0, ELSEWHERE).await.expect(401);
        backend.login(ANA, PASSWORD).from("198.51.100.78").send().await.expect(200);
        guess(&backend, 0, "198.51.100.78").await.expect(401);
        // One IPv6 network is one address.
        for number in 0..POOL {
            guess(&backend, number, &format!("2001:db8::{number:x}")).await.expect(401);
        }
        guess(&backend, 0, "2001:db8::ffff").await.expect(429);
    }

    async fn an_unknown_application_is_counted_like_a_known_one(world: World) {
        let known = world.backend(true).await;
        let mut unknown = known.clone();
        unknown.client_id = "n0b0dysAppl1cat10n".to_owned();
        let mut told_of = Vec::new();
        for backend in [&known, &unknown] {
            let mut answers = Vec::new();
            for number in 0..POOL + 3 {
                answers.push(told(&guess(backend, number, ELSEWHERE).await));
            }
            told_of.push(answers);
        }
        assert_eq!(told_of[0], told_of[1]);
        // Without a secret nothing is guessed, and nothing counted.
        let bare = known.login(ANA, PASSWORD).with("client_secret", Value::Null).from(HOME);
        for _ in 0..POOL + 3 {
            bare.clone().send().await.expect(401);
        }
        known.add_user(ANA).await;
        known.login(ANA, PASSWORD).from(HOME).send().await.expect(200);
    }

    async fn ever_new_names_of_applications_share_one_pool_which_refuses_no_application_there_is(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let invent = |name: String| {
            let mut invented = backend.clone();
            invented.client_id = name;
            invented
        };
        let meters = || rows(&world).iter().filter(|row| row.starts_with("meters ")).count();
        let before = meters();
        let mut counts = HashMap::new();
        for number in 0..3 * POOL {
            let invented = invent(format!("invented-{number}"));
            *counts.entry(guess(&invented, number, ELSEWHERE).await.status).or_default() += 1;
        }
        assert_eq!(counts, HashMap::from([(401, POOL), (429, 2 * POOL)]));
        assert_eq!(meters() - before, 1, "rows of 300 names");
        let warnings = world.admin().await.events("w").await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0]["description"].as_str().unwrap().contains("do not exist"), "{warnings:?}");
        assert_eq!((warnings[0].get("client_id"), &warnings[0]["details"]["portcullis"]["decision"]["reason"]), (None, &json!("client_secrets")));

        // From that very address, an application that exists has all of its own pool, and its right secret.
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(200);
        assert_eq!(guesses(&backend, POOL, ELSEWHERE).await, HashMap::from([(401, POOL)]));
        guess(&backend, 0, ELSEWHERE).await.expect(429);
        // Elsewhere nothing was spent, and here it drains like any pool.
        guess(&invent("invented".to_owned()), 0, HOME).await.expect(401);
        world.clock.advance(Duration::from_secs(60));
        world.app.forget_cached();
        let invented = invent("once more".to_owned());
        guess(&invented, 0, ELSEWHERE).await.expect(401);
        guess(&invented, 1, ELSEWHERE).await.expect(429);
        // A secret right for another application is nothing here.
        invented.login(ANA, PASSWORD).from(HOME).send().await.expect(401);
    }

    async fn a_thousand_parallel_wrong_secrets_tell_exactly_the_pool(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let burst = (0..1_000).map(|number| guess(&backend, number, ELSEWHERE));
        let answers = join_all(burst).await;
        let counts = answers.iter().fold(HashMap::new(), |mut counts, answer| {
            *counts.entry(answer.status).or_insert(0) += 1;
            counts
        });
        assert_eq!(counts, HashMap::from([(401, POOL), (429, 1_000 - POOL)]));
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(429);
        assert_eq!(world.hashes().verified(), 0);
    }

    async fn administrators_hear_of_it_once_an_hour_and_can_end_it(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        guesses(&backend, POOL + 20, ELSEWHERE).await;
        let admin = world.admin().await;
        assert!(!admin.events("fepft").await.is_empty());
        let warnings = admin.events("w").await;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let warning = &warnings[0];
        assert_eq!((&warning["client_id"], &warning["ip"]), (&json!(backend.client_id), &json!(ELSEWHERE)));
        let decision = &warning["details"]["portcullis"]["decision"];
        assert_eq!((&decision["reason"], &decision["refused"]), (&json!("client_secrets"), &json!(true)));
        let meter = &decision["meters"][0];
        assert_eq!((&meter["counted"], &meter["limit"], &meter["says"]), (&json!(100), &json!(100), &json!("refuse")));

        world.clock.advance(Duration::from_secs(3_600));
        guesses(&backend, POOL + 20, ELSEWHERE).await;
        assert_eq!(world.admin().await.events("w").await.len(), 2);
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(429);
        world.admin().await.delete(&format!("anomaly/blocks/ips/{ELSEWHERE}")).await.expect(204);
        backend.login(ANA, PASSWORD).from(ELSEWHERE).send().await.expect(200);
    }

    async fn a_known_refusal_says_nothing_of_the_secret(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        let call = || backend.login(ANA, "wrong").end_user(HOME);
        // Whether or not this node remembers it, and whatever else happens: right and wrong secrets are never told apart
        // by anything that was not counted.
        let mut refusals = 0;
        for number in 0..POOL + 10 {
            let right = call().send().await.expect(429);
            let wrong = call().with("client_secret", format!("guess-{number}")).send().await;
            match wrong.status {
                429 => assert_eq!(told(&right).1, told(&wrong).1, "the same question got the same answer"),
                401 => refusals += 1,
                other => panic!("{other}: {}", wrong.text),
            }
        }
        assert!(refusals <= POOL, "{refusals}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_one_pool_and_agree_on_right_secrets() {
    let one = World::start(Engine::Postgres).await;
    let backend_of_one = one.backend(true).await;
    backend_of_one.add_user(ANA).await;
    grant(&one, &backend_of_one).await;
    let two = one.second_node().await;
    let mut backend_of_two = backend_of_one.clone();
    backend_of_two.world = &two;
    // Both nodes remember the application, and that it gets its tokens from here.
    for backend in [&backend_of_one, &backend_of_two] {
        own_token(backend, ELSEWHERE).await.expect(200);
    }

    let left = (0..500).map(|number| guess(&backend_of_one, number, ELSEWHERE));
    let right = (500..1_000).map(|number| guess(&backend_of_two, number, ELSEWHERE));
    let (left, right) = tokio::join!(join_all(left), join_all(right));
    let told = left
        .iter()
        .chain(&right)
        .filter(|answer| answer.status == 401);
    assert_eq!(told.count(), POOL);
    assert!(
        left.iter()
            .chain(&right)
            .all(|answer| matches!(answer.status, 401 | 429))
    );
    for backend in [&backend_of_one, &backend_of_two] {
        own_token(backend, ELSEWHERE).await.expect(429);
        backend
            .login(ANA, PASSWORD)
            .from(ELSEWHERE)
            .send()
            .await
            .expect(429);
        own_token(backend, &backend.address).await.expect(200);
    }
}

/// The pool fills at one node; the other learns it with the very next right secret, which it would else answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_fills_at_another_node_is_full_at_once() {
    let one = World::start(Engine::Postgres).await;
    let backend_of_one = one.backend(true).await;
    backend_of_one.add_user(ANA).await;
    let two = one.second_node().await;
    let mut backend_of_two = backend_of_one.clone();
    backend_of_two.world = &two;
    for number in 0..POOL {
        guess(&backend_of_one, number, ELSEWHERE).await.expect(401);
    }
    let right = backend_of_two.login(ANA, PASSWORD).from(ELSEWHERE);
    right.send().await.expect(429);
    let early = backend_of_two.login(ANA, PASSWORD).from(ELSEWHERE);
    early
        .with("audience", "urn:no-api")
        .send()
        .await
        .expect(429);
}
