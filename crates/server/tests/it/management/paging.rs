//! Walks by checkpoint: each item once, whatever is added and removed meanwhile.

use serde_json::{Value, json};
use testkit::{AUDIENCE, Admin, World, on_both_engines};

/// The ids told by a whole walk; `between` runs after the first page.
async fn walk(
    admin: &Admin<'_>,
    path: &str,
    list: &str,
    id: &str,
    between: impl AsyncFn(&[String]),
) -> Vec<String> {
    let mut told = Vec::new();
    let mut from = String::new();
    loop {
        let page = admin
            .get(&format!("{path}?take=2{from}"))
            .await
            .expect(200)
            .json();
        let items = page[list].as_array().unwrap().iter();
        let items: Vec<String> = items
            .map(|item| item[id].as_str().unwrap().to_owned())
            .collect();
        let is_first = told.is_empty();
        told.extend(items);
        if is_first {
            between(&told).await;
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => from = format!("&from={next}"),
            None => return told,
        }
    }
}

on_both_engines! {
    async fn a_walk_tells_each_application_connection_and_grant_once(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        let mut clients = Vec::new();
        for number in 0..6 {
            let client = admin.post("clients", json!({"name": format!("client {number}")})).await.expect(201).text_of("client_id");
            admin.post("client-grants", json!({"client_id": client, "audience": AUDIENCE, "scope": []})).await.expect(201);
            admin.post("connections", json!({"name": format!("connection-{number}"), "strategy": "auth0"})).await.expect(201);
            clients.push(client);
        }
        for (path, list, id) in [("client-grants", "client_grants", "id"), ("connections", "connections", "id"), ("clients", "clients", "client_id")] {
            let all = admin.get(&format!("{path}?per_page=100")).await.expect(200).json();
            let mut all: Vec<String> = all.as_array().unwrap().iter().map(|item| item[id].as_str().unwrap().to_owned()).collect();
            all.sort();
            assert_eq!(walk(&admin, path, list, id, async |_| {}).await, all, "{path}");

            // What was told already is removed, which moves nothing of the rest.
            let told = walk(&admin, path, list, id, async |told| {
                for id in told {
                    admin.delete(&format!("{path}/{id}")).await;
                }
            });
            assert_eq!(told.await, all, "{path}");
        }
    }

    async fn a_page_says_whether_there_is_another(world: World) {
        world.backend(true).await;
        let admin = world.admin().await;
        for number in 0..3 {
            admin.post("connections", json!({"name": format!("connection-{number}"), "strategy": "auth0"})).await.expect(201);
        }
        let page = admin.get("connections?take=4").await.expect(200).json();
        assert_eq!((page["connections"].as_array().unwrap().len(), page.get("next")), (4, None));
        let page = admin.get("connections?take=3").await.expect(200).json();
        assert_eq!(page["next"], page["connections"][2]["id"]);
        let short = admin.get("connections?take=3&fields=name").await.expect(200).json();
        assert_eq!(short["next"], page["next"], "the checkpoint does not depend on the fields that are told");
    }
}
