//! Each documented way a block ends (auth0-wire-facts §5.1), and what the log says of it.

use serde_json::{Value, json};
use testkit::{Attacker, Backend, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// Ana, blocked from home; her user id.
async fn blocked_ana(backend: &Backend<'_>) -> String {
    let user_id = backend.add_user(ANA).await;
    Attacker::at(backend, HOME).guesses(ANA, 10).await;
    backend.login_right(ANA, HOME).await.expect(429);
    user_id
}

fn escaped(user_id: &str) -> String {
    user_id.replace('|', "%7C")
}

/// The only event of a block that was lifted.
async fn lifted(world: &World) -> Value {
    let mut events = world.admin().await.events("portcullis_block_lifted").await;
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn how(event: &Value) -> &Value {
    &event["details"]["portcullis"]["block"]["lifted_by"]["how"]
}

on_both_engines! {
    async fn an_administrator_lifts_by_user_id_identifier_or_address(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let paths = [
            format!("user-blocks/{}", escaped(&user_id)),
            "user-blocks?identifier=ana%40example.com".to_owned(),
            format!("anomaly/blocks/ips/{HOME}"),
        ];
        for (number, path) in paths.iter().enumerate() {
            admin.delete(path).await.expect(204);
            backend.login_right(ANA, HOME).await.expect(200);
            let events = admin.events("portcullis_block_lifted").await;
            assert_eq!(events.len(), number + 1, "{path}");
            assert_eq!(how(&events[0]), "administrator", "{path}");
            let by = &events[0]["details"]["portcullis"]["block"]["lifted_by"];
            assert!(by["client_id"].is_string() && by["subject"].is_string(), "{by}");
            assert_eq!((&events[0]["user_name"], &events[0]["ip"]), (&json!(ANA), &json!(HOME)), "{path}");
            assert_eq!(admin.events("sapi").await[0]["details"]["request"]["method"], "delete");
            // A second time there is nothing to lift, and nothing to tell.
            admin.delete(path).await.expect(204);
            assert_eq!(admin.events("portcullis_block_lifted").await.len(), number + 1, "{path}");
            Attacker::at(&backend, HOME).guesses(ANA, 10).await;
            backend.login_right(ANA, HOME).await.expect(429);
        }
    }

    async fn a_new_password_ends_all_blocks_of_the_account_and_of_nobody_else(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ben@example.com").await;
        Attacker::at(&backend, HOME).guesses("ben@example.com", 10).await;
        let user_id = blocked_ana(&backend).await;
        Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
        let admin = world.admin().await;
        let changed = json!({"password": "Another-Horse-8-Battery", "connection": "Users"});
        admin.patch(&format!("users/{}", escaped(&user_id)), changed).await.expect(200);

        for address in [HOME, ELSEWHERE] {
            let login = backend.login(ANA, "Another-Horse-8-Battery").end_user(address);
            login.send().await.expect(200);
        }
        backend.login_right("ben@example.com", HOME).await.expect(429);
        let events = admin.events("portcullis_block_lifted").await;
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| how(event) == "password_change" && event["user_id"] == json!(user_id)));
    }

    async fn other_changes_of_a_user_end_no_block(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let path = format!("users/{}", escaped(&user_id));
        for change in [json!({"name": "Ana"}), json!({"blocked": false}), json!({"email_verified": true})] {
            admin.patch(&path, change).await.expect(200);
        }
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(admin.events("portcullis_block_lifted").await, Vec::<Value>::new());
    }

    async fn an_administrators_own_block_is_lifted_by_none_of_this(world: World) {
        let backend = world.backend(true).await;
        let user_id = blocked_ana(&backend).await;
        let admin = world.admin().await;
        let path = format!("users/{}", escaped(&user_id));
        admin.patch(&path, json!({"blocked": true})).await.expect(200);
        admin.delete(&format!("user-blocks/{}", escaped(&user_id))).await.expect(204);
        admin.patch(&path, json!({"password": PASSWORD, "connection": "Users"})).await.expect(200);
        let answer = backend.login_right(ANA, HOME).await;
        assert_eq!((answer.status, answer.description().as_str()), (403, "user is blocked"));
    }

    async fn a_new_user_of_a_blocked_identifier_begins_without_the_block(world: World) {
        let backend = world.backend(true).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        let user_id = backend.add_user(ANA).await;
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(lifted(&world).await["user_id"], json!(user_id));
    }
}
