//! Pages, totals, projections, deletes that may be repeated.

use serde_json::json;
use testkit::{AUDIENCE, Backend, World, on_both_engines};

/// At least two of everything that has a list, and more events than a page holds.
async fn furnished(world: &World) -> Backend<'_> {
    let backend = world.backend(true).await;
    backend.add_user("ana@example.com").await;
    let admin = world.admin().await;
    admin
        .post("resource-servers", json!({"identifier": "urn:second"}))
        .await
        .expect(201);
    for audience in [AUDIENCE, "urn:second"] {
        let grant = json!({"client_id": backend.client_id, "audience": audience, "scope": []});
        admin.post("client-grants", grant).await.expect(201);
    }
    let directory = json!({"name": "Second", "strategy": "auth0"});
    admin.post("connections", directory).await.expect(201);
    for attempts in 1..=55 {
        let shield = json!({"max_attempts": attempts});
        admin
            .patch("attack-protection/brute-force-protection", shield)
            .await
            .expect(200);
    }
    backend
}

/// Where `fields` is taken, with a member that each answer has.
async fn everything_readable(world: &World) -> Vec<(String, &'static str)> {
    let backend = furnished(world).await;
    let admin = world.admin().await;
    let user = admin.get("users").await.expect(200).json()[0]["user_id"].clone();
    let user = user.as_str().unwrap().replace('|', "%7C");
    let event = admin.get("logs").await.expect(200).json()[0]["log_id"].clone();
    let event = event.as_str().unwrap().to_owned();
    // Checkpoints come after a little while, so that no late event is skipped.
    world.clock.advance(std::time::Duration::from_secs(60));
    [
        ("clients".to_owned(), "client_id"),
        (format!("clients/{}", backend.client_id), "client_secret"),
        ("resource-servers".to_owned(), "identifier"),
        ("resource-servers/urn%3Asecond".to_owned(), "token_lifetime"),
        ("connections".to_owned(), "name"),
        (format!("connections/{}", backend.connection_id), "options"),
        ("users".to_owned(), "email"),
        (
            "users?q=email%3A%22ana%40example.com%22".to_owned(),
            "identities",
        ),
        (format!("users/{user}"), "user_id"),
        ("users-by-email?email=ana%40example.com".to_owned(), "name"),
        ("logs".to_owned(), "type"),
        ("logs?from=&take=5".to_owned(), "log_id"),
        (format!("logs/{event}"), "date"),
        ("tenants/settings".to_owned(), "flags"),
        ("client-grants".to_owned(), "audience"),
    ]
    .into()
}

on_both_engines! {
    async fn lists_have_pages_and_totals(world: World) {
        let admin = world.admin().await;
        for number in 0..5 {
            admin.post("clients", json!({"name": format!("App {number}")})).await.expect(201);
        }
        let bare = admin.get("clients?per_page=2&page=1").await.expect(200).json();
        assert_eq!(bare.as_array().unwrap().len(), 2);
        let totals = admin.get("clients?per_page=2&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((totals["start"].as_u64(), totals["limit"].as_u64(), totals["total"].as_u64()), (Some(2), Some(2), Some(6)));
        assert_eq!(admin.get("clients?page=99").await.expect(200).json(), json!([]));
        let mut seen = Vec::new();
        let mut from = String::new();
        loop {
            let page = admin.get(&format!("clients?take=2&include_totals=true{from}")).await.expect(200).json();
            assert!(page.get("total").is_none(), "take wins over totals");
            seen.extend(page["clients"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => from = format!("&from={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 6);
        let names = admin.get("clients?fields=name&include_fields=true").await.expect(200).json();
        assert_eq!(names[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["name"]);
        admin.get("clients?per_page=101").await.expect(400);
    }

    async fn deletes_may_be_repeated(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user("ana@example.com").await.replace('|', "%7C");
        let admin = world.admin().await;
        for path in [format!("users/{user}"), format!("clients/{}", backend.client_id), "resource-servers/https%3A%2F%2Fapi.example.com%2F".to_owned()] {
            admin.delete(&path).await.expect(204);
            admin.delete(&path).await.expect(204);
            admin.get(&path).await.expect(404);
        }
        let connection = format!("connections/{}", backend.connection_id);
        assert!(!admin.delete(&connection).await.expect(202).text_of("deleted_at").is_empty());
        admin.delete(&connection).await.expect(204);
    }

    async fn fields_are_told_or_left_out_everywhere(world: World) {
        let admin = world.admin().await;
        for (path, kept) in everything_readable(&world).await {
            let sign = if path.contains('?') { '&' } else { '?' };
            let told = |query: String| {
                let (admin, path) = (admin.clone(), path.clone());
                async move {
                    let document = admin.get(&format!("{path}{sign}{query}")).await.expect(200).json();
                    let object = if document.is_array() { document[0].clone() } else { document };
                    object.as_object().unwrap_or_else(|| panic!("{path}: {object}")).clone()
                }
            };
            let whole = told("fields=".to_owned()).await;
            assert!(whole.len() > 1 && whole.contains_key(kept), "{path}: {whole:?}");
            for query in [format!("fields={kept}"), format!("fields={kept}&include_fields=true"), format!("fields=%20{kept}%20,nothing")] {
                let names: Vec<String> = told(query.clone()).await.keys().cloned().collect();
                assert_eq!(names, [kept], "{path} {query}");
            }
            let mut rest = whole;
            rest.remove(kept);
            assert_eq!(told(format!("fields={kept}&include_fields=false")).await, rest, "{path}");
        }
    }

    async fn totals_have_the_recorded_members_and_count_everything(world: World) {
        let backend = furnished(&world).await;
        let admin = world.admin().await;
        let user = backend.add_user("ben@example.com").await.replace('|', "%7C");
        for (path, list, has_length) in [
            ("clients".to_owned(), "clients", false),
            ("client-grants".to_owned(), "client_grants", false),
            ("resource-servers".to_owned(), "resource_servers", false),
            ("connections".to_owned(), "connections", false),
            ("users".to_owned(), "users", true),
            ("logs".to_owned(), "logs", true),
            (format!("users/{user}/logs"), "logs", true),
        ] {
            backend.login_right("ben@example.com", "192.0.2.1").await.expect(200);
            backend.login_right("ben@example.com", "192.0.2.1").await.expect(200);
            let all = admin.get(&format!("{path}?per_page=100")).await.expect(200).json();
            let all = all.as_array().unwrap().len();
            assert!(all >= 2, "{path} has {all}");
            for (query, start, limit, told) in [
                ("include_totals=true".to_owned(), 0, 50, all.min(50)),
                ("include_totals=true&per_page=1&page=1".to_owned(), 1, 1, 1),
                ("include_totals=true&per_page=1&page=9000".to_owned(), 9_000, 1, 0),
                (format!("include_totals=true&per_page={all}"), 0, all, all),
            ] {
                let page = admin.get(&format!("{path}?{query}")).await.expect(200).json();
                let mut members = page.as_object().unwrap().clone();
                let items = members.remove(list).unwrap_or_else(|| panic!("{path}: {page}"));
                assert_eq!(items.as_array().unwrap().len(), told, "{path} {query}");
                let mut expected = json!({"start": start, "limit": limit, "total": all});
                if has_length {
                    expected["length"] = json!(told);
                }
                assert_eq!(json!(members), expected, "{path} {query}");
            }
            let bare = admin.get(&format!("{path}?include_totals=false&per_page=1")).await.expect(200).json();
            assert_eq!(bare.as_array().unwrap().len(), 1, "{path}");
        }
    }

    async fn every_change_may_be_sent_as_a_form(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let form = async |method: &str, path: &str, body: &str| {
            let request = http::Request::builder().method(method).uri(format!("/api/v2/{path}")).header("host", world.domain());
            let request = request.header("authorization", format!("Bearer {}", admin.token()));
            let request = request.header("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
            world.send("192.0.2.1", request.body(axum::body::Body::from(body.to_owned())).unwrap()).await
        };
        let made = form("POST", "users", "connection=Users&email=ben%40example.com&password=Correct-Horse-7&email_verified=true").await.expect(201).json();
        assert_eq!((&made["email"], &made["email_verified"]), (&json!("ben@example.com"), &json!(true)));
        let client = form("PATCH", &format!("clients/{}", backend.client_id), "is_first_party=false&callbacks=https%3A%2F%2Fa%2F&callbacks=https%3A%2F%2Fb%2F").await;
        let client = client.expect(200).json();
        assert_eq!((&client["is_first_party"], &client["callbacks"]), (&json!(false), &json!(["https://a/", "https://b/"])));
        let shield = form("PATCH", "attack-protection/brute-force-protection", "max_attempts=7").await.expect(200).json();
        assert_eq!(shield["max_attempts"], 7);
        let api = form("POST", "resource-servers", "identifier=urn%3Aform&token_lifetime=60").await.expect(201).json();
        assert_eq!(api["token_lifetime"], 60);
        let grant = form("POST", "client-grants", &format!("client_id={}&audience=urn%3Aform&scope=a&scope=b", backend.client_id)).await;
        assert_eq!(grant.expect(201).json()["scope"], json!(["a", "b"]));
        let settings = form("PATCH", "tenants/settings", "friendly_name=Shop").await.expect(200).json();
        assert_eq!(settings["friendly_name"], "Shop");
        form("PATCH", "tenants/settings", "unheard_of=1").await.expect(400);
    }

    async fn the_system_api_cannot_be_changed(world: World) {
        let admin = world.admin().await;
        let path = "resource-servers/https%3A%2F%2Flogin.example.com%2Fapi%2Fv2%2F";
        assert_eq!(admin.get(path).await.expect(200).json()["is_system"], true);
        admin.patch(path, json!({"name": "Mine"})).await.expect(400);
        admin.delete(path).await.expect(400);
    }

    async fn what_is_not_enforced_is_refused(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        for body in [
            json!({"identifier": "urn:x", "signing_alg": "PS256"}),
            json!({"identifier": "urn:x", "token_encryption": {"format": "compact-nested-jwe"}}),
            json!({"identifier": "urn:x", "consent_policy": "transactional-authorization-with-mfa"}),
            json!({"identifier": "urn:x", "proof_of_possession": {"mechanism": "dpop", "required": true}}),
            json!({"identifier": "urn:x", "scopes": [{"value": "two words"}]}),
            json!({"identifier": "urn:x", "signing_secret": "a-secret-without-an-algorithm"}),
        ] {
            admin.post("resource-servers", body.clone()).await.expect(400);
        }
        let flags = json!({"flags": {"enable_dynamic_client_registration": true}});
        admin.patch("tenants/settings", flags).await.expect(400);
        admin.patch("tenants/settings", json!({"default_directory": "Nowhere"})).await.expect(400);
        let connection = format!("connections/{}", backend.connection_id);
        for options in [json!({"import_mode": true}), json!({"customScripts": {"login": "function"}}), json!({"attributes": {"email": {"signup": {"status": "required"}}}})] {
            admin.patch(&connection, json!({"options": options})).await.expect(400);
        }
    }
}
