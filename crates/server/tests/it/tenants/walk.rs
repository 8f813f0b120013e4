//! A walk over every path of the Management API with the ids of another tenant: nothing of it is shown or changed.
//!
//! The paths are read from the sources of the router, so that one that is added later is walked too.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use testkit::{AUDIENCE, Admin, PASSWORD, World, on_both_engines};

/// Where the paths are declared.
const SOURCES: [&str; 3] = [
    include_str!("../../../src/management/mod.rs"),
    include_str!("../../../src/management/fixed_settings.rs"),
    include_str!("../../../src/management/not_built.rs"),
];

/// Every path with a variable in it, and the others.
fn paths() -> BTreeSet<&'static str> {
    let literals = SOURCES
        .iter()
        .flat_map(|source| source.split('"').skip(1).step_by(2));
    literals.filter(|text| text.starts_with('/')).collect()
}

/// What stands in the other tenant: text that gives it away, and what to put into paths.
struct Furniture {
    /// No answer to a stranger holds one of these.
    marks: Vec<String>,
    ids: BTreeMap<&'static str, Vec<String>>,
    bodies: Vec<Value>,
}

const EMAIL: &str = "mark-of-a-user@example.com";

async fn furnish(other: &World) -> Furniture {
    let backend = other.backend(true).await;
    let admin = other.admin().await;
    let client = format!("clients/{}", backend.client_id);
    admin
        .patch(
            &client,
            json!({"name": "mark-of-a-client", "description": "mark-of-a-client"}),
        )
        .await
        .expect(200);
    let api = json!({"identifier": "urn:mark-of-an-api", "name": "mark-of-an-api", "signing_alg": "HS256"});
    let api = admin.post("resource-servers", api).await.expect(201);
    let grant =
        json!({"client_id": backend.client_id, "audience": AUDIENCE, "scope": ["read:orders"]});
    let grant = admin
        .post("client-grants", grant)
        .await
        .expect(201)
        .text_of("id");
    let connection = json!({"name": "mark-of-a-connection", "strategy": "auth0", "display_name": "mark-of-a-connection"});
    let connection = admin
        .post("connections", connection)
        .await
        .expect(201)
        .text_of("id");
    admin
        .patch(
            "tenants/settings",
            json!({"friendly_name": "mark-of-a-tenant"}),
        )
        .await
        .expect(200);
    let user = backend.add_user(EMAIL).await;
    for _ in 0..10 {
        backend.login_wrong(EMAIL, "192.0.2.66").await.expect(403);
    }
    let event = admin.events("limit_wc").await;
    let event = event
        .first()
        .map(|event| event["log_id"].as_str().unwrap().to_owned());

    let api_id = api.text_of("id");
    let ids = [
        user.clone(),
        backend.client_id.clone(),
        grant.clone(),
        connection.clone(),
        api_id.clone(),
        "urn:mark-of-an-api".to_owned(),
    ];
    let ids: Vec<String> = ids.into_iter().chain(event).collect();
    Furniture {
        marks: vec![
            "mark-of".to_owned(),
            api.text_of("signing_secret"),
            backend.client_secret.clone(),
        ],
        ids: BTreeMap::from([
            ("{id}", ids),
            ("{ip}", vec!["192.0.2.66".to_owned()]),
            (
                "{shield}",
                vec![
                    "brute-force-protection".to_owned(),
                    "suspicious-ip-throttling".to_owned(),
                ],
            ),
            ("{prompt}", vec!["login".to_owned()]),
            ("{language}", vec!["en".to_owned()]),
        ]),
        bodies: vec![
            json!({"name": "stolen"}),
            json!({"description": "stolen"}),
            json!({"display_name": "stolen"}),
            json!({"scope": []}),
            json!({"email": "eve@example.com"}),
            json!({"password": PASSWORD, "connection": "Users"}),
            json!({"blocked": true}),
            json!({"client_id": backend.client_id, "audience": "urn:mark-of-an-api", "scope": []}),
            json!([{"client_id": backend.client_id, "status": false}]),
        ],
    }
}

/// Every path with every id in it, as they stand below `/api/v2/`.
fn filled(furniture: &Furniture) -> Vec<String> {
    let mut filled: Vec<String> = Vec::new();
    for path in paths() {
        let mut forms = vec![path.trim_start_matches('/').to_owned()];
        for (variable, values) in &furniture.ids {
            if path.contains(variable) {
                let escaped = values
                    .iter()
                    .map(|value| value.replace('|', "%7C").replace(':', "%3A"));
                let escaped: Vec<String> = escaped.collect();
                forms = forms
                    .iter()
                    .flat_map(|form| escaped.iter().map(|value| form.replace(variable, value)))
                    .collect();
            }
        }
        assert!(
            forms.iter().all(|form| !form.contains('{')),
            "nothing to put into {path}"
        );
        filled.extend(forms);
    }
    for query in [
        "users?q=email%3Amark-of-a-user%40example.com",
        "users-by-email?email=mark-of-a-user%40example.com",
        "user-blocks?identifier=mark-of-a-user%40example.com",
        "connections?name=mark-of-a-connection",
        "client-grants?audience=urn%3Amark-of-an-api",
        "resource-servers?identifiers=urn%3Amark-of-an-api",
        "logs?q=type%3Alimit_wc",
    ] {
        filled.push(query.to_owned());
    }
    filled
}

/// All that a tenant's administrator sees.
async fn seen(admin: &Admin<'_>) -> Vec<Value> {
    let mut seen = Vec::new();
    for list in [
        "clients",
        "client-grants",
        "connections",
        "resource-servers",
        "users",
        "logs",
        "tenants/settings",
        "attack-protection/brute-force-protection",
        "user-blocks?identifier=mark-of-a-user%40example.com",
    ] {
        let sign = if list.contains('?') { '&' } else { '?' };
        seen.push(
            admin
                .get(&format!("{list}{sign}per_page=100"))
                .await
                .expect(200)
                .json(),
        );
    }
    seen
}

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PATCH,
    Method::PUT,
    Method::DELETE,
];

on_both_engines! {
    async fn no_path_leads_to_another_tenant(world: World) {
        let other = world.neighbour("other").await;
        let furniture = furnish(&other).await;
        world.backend(true).await;
        let (ours, theirs) = (world.admin().await, other.admin().await);
        let before = seen(&theirs).await;
        let paths = filled(&furniture);
        assert!(paths.len() > 60, "{}", paths.len());
        for path in &paths {
            for method in METHODS {
                let bodies = match method {
                    Method::GET | Method::DELETE => vec![None],
                    _ => furniture.bodies.iter().cloned().map(Some).collect(),
                };
                for body in bodies {
                    let answer = ours.send(method.clone(), path, body).await;
                    assert!(answer.status < 500, "{method} {path}: {answer:?}");
                    for mark in &furniture.marks {
                        // What was asked for by name may be named in the refusal.
                        let told = answer.text.replace("urn:mark-of-an-api", "").replace("mark-of-a-user@example.com", "");
                        assert!(!told.contains(mark), "{method} {path} shows {mark}: {told}");
                    }
                }
            }
        }
        assert_eq!(seen(&theirs).await, before);
    }

    async fn no_token_of_another_tenant_is_taken(world: World) {
        let other = world.neighbour("other").await;
        let furniture = furnish(&other).await;
        let (ours, theirs) = (world.admin().await, other.admin().await);
        let before = seen(&theirs).await;
        for path in filled(&furniture) {
            for method in METHODS {
                let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
                let status = ours.at(&other).send(method.clone(), &path, body.clone()).await.status;
                let nobodys = theirs.with_token("never.issued.token").send(method.clone(), &path, body).await.status;
                assert!(matches!((status, nobodys), (401, 401) | (404, 404)), "{method} {path}: {status}, nobody {nobodys}");
            }
        }
        assert_eq!(seen(&theirs).await, before);
    }
}

#[test]
fn the_walk_knows_the_routers_paths() {
    let known = paths();
    for path in [
        "/clients/{id}",
        "/users/{id}/logs",
        "/anomaly/blocks/ips/{ip}",
        "/prompts",
        "/actions/actions",
    ] {
        assert!(known.contains(path), "{path}");
    }
    assert!(known.len() > 40, "{known:?}");
}
