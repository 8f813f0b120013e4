//! What a token with few scopes sees and changes: no more than those scopes say.

use serde_json::{Value, json};
use testkit::{Admin, Backend, World, on_both_engines};

/// A token with these scopes and no others.
pub(super) async fn with_scopes<'w>(
    world: &'w World,
    backend: &Backend<'w>,
    scopes: &[&str],
) -> Admin<'w> {
    let admin = world.admin().await;
    let audience = "https://login.example.com/api/v2/";
    let known = admin
        .get(&format!("client-grants?client_id={}", backend.client_id))
        .await
        .expect(200)
        .json();
    for grant in known.as_array().unwrap() {
        admin
            .delete(&format!("client-grants/{}", grant["id"].as_str().unwrap()))
            .await
            .expect(204);
    }
    let grant = json!({"client_id": backend.client_id, "audience": audience, "scope": scopes});
    admin.post("client-grants", grant).await.expect(201);
    let token = backend
        .login("", "")
        .with("grant_type", "client_credentials")
        .with("audience", audience)
        .with("scope", Value::Null)
        .send()
        .await
        .expect(200)
        .text_of("access_token");
    admin.with_token(token)
}

on_both_engines! {
    async fn only_readers_of_client_keys_see_secrets(world: World) {
        let backend = world.backend(true).await;
        let path = format!("clients/{}", backend.client_id);
        for scopes in [&["read:clients"][..], &["read:clients", "create:clients", "update:clients", "update:client_keys"]] {
            let reader = with_scopes(&world, &backend, scopes).await;
            let shown = reader.get(&path).await.expect(200).json();
            assert_eq!(shown["is_token_endpoint_ip_header_trusted"], true);
            assert!(shown.get("client_secret").is_none(), "{scopes:?}");
            let listed = reader.get("clients").await.expect(200);
            assert!(!listed.text.contains("\"client_secret\""), "{scopes:?}");
        }
        let keys = with_scopes(&world, &backend, &["read:client_keys"]).await;
        assert_eq!(keys.get(&path).await.expect(200).text_of("client_secret"), backend.client_secret);
        let summary = with_scopes(&world, &backend, &["read:client_summary"]).await;
        let shown = summary.get(&path).await.expect(200).json();
        let mut names: Vec<&String> = shown.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["app_type", "client_id", "name"]);
    }

    async fn a_secret_and_the_rest_of_an_application_have_scopes_of_their_own(world: World) {
        let backend = world.backend(true).await;
        let path = format!("clients/{}", backend.client_id);
        let secret = json!({"client_secret": "a-secret-of-an-administrator-of-at-least-32"});
        let keys = with_scopes(&world, &backend, &["update:client_keys"]).await;
        for body in [json!({"callbacks": ["https://evil.example.com/"]}), json!({"is_token_endpoint_ip_header_trusted": false})] {
            let refused = keys.patch(&path, body).await.expect(403);
            assert_eq!(refused.text_of("message"), "Insufficient scope, expected any of: update:clients");
        }
        let clients = with_scopes(&world, &backend, &["update:clients"]).await;
        clients.patch(&path, secret).await.expect(403);
        clients.patch(&path, json!({"description": "A shop"})).await.expect(200);
    }

    async fn a_tenant_of_an_older_version_gets_the_scopes_that_are_new(world: World) {
        let admin = world.admin().await;
        let identifier = world.tenant.management_audience();
        let of_system = async || {
            let apis = admin.get("resource-servers").await.expect(200).json();
            let apis = apis.as_array().unwrap().iter();
            let system = apis.clone().find(|api| api["identifier"] == json!(identifier)).unwrap();
            system["scopes"].as_array().unwrap().iter().map(|scope| scope["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = of_system().await;
        let (rows, now) = (world.app.tenant(&world.tenant.id), server::Clock::now(&*world.clock));
        let mut older = rows.find_resource_server_by_identifier(&identifier).await.unwrap().unwrap();
        older.resource_server.scopes.retain(|scope| !scope.value.contains("email_templates"));
        let set = async move |work: &mut storage::Work| work.set_resource_server(&older).await;
        rows.write(set).await.unwrap();
        world.app.forget_cached();
        assert_eq!(of_system().await.len(), all.len() - 3);

        let store = &world.app.store;
        assert_eq!(server::bootstrap::add_missing_scopes(store, now).await, Ok(1));
        assert_eq!(server::bootstrap::add_missing_scopes(store, now).await, Ok(0));
        world.app.forget_cached();
        let mut then = of_system().await;
        let mut expected = all;
        then.sort_unstable();
        expected.sort_unstable();
        assert_eq!(then, expected);
    }

    async fn who_may_change_app_metadata_may_not_take_accounts_over(world: World) {
        let backend = world.backend(true).await;
        let path = format!("users/{}", backend.add_user("ana@example.com").await.replace('|', "%7C"));
        let limited = with_scopes(&world, &backend, &["update:users_app_metadata"]).await;
        for body in [
            json!({"password": "Another-Horse-8", "connection": "Users"}),
            json!({"email": "eve@example.com"}),
            json!({"blocked": true}),
            json!({"app_metadata": {"plan": "gold"}, "email_verified": true}),
        ] {
            let refused = limited.patch(&path, body.clone()).await.expect(403);
            assert_eq!(refused.text_of("message"), "Insufficient scope, expected any of: update:users", "{body}");
        }
        let changed = limited.patch(&path, json!({"app_metadata": {"plan": "gold"}})).await.expect(200).json();
        assert_eq!(changed["app_metadata"]["plan"], "gold");
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
    }
}
