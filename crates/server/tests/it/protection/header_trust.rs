//! How far one application's header is believed, and what administrators are told when it goes wrong.

use std::time::Duration;

use serde_json::json;
use testkit::{Admin, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

async fn warnings(admin: &Admin<'_>) -> Vec<String> {
    let events = admin.events("w").await;
    let texts = events
        .iter()
        .map(|event| event["description"].as_str().unwrap().to_owned());
    texts.collect()
}

on_both_engines! {
    async fn the_header_counts_only_from_the_backends_own_networks(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let path = format!("portcullis/clients/{}", backend.client_id);
        assert_eq!(admin.get(&path).await.expect(200).json(), json!({"header_trust": {"networks": []}}));
        backend.login_right(ANA, HOME).await.expect(200);

        let limits = json!({"header_trust": {"networks": ["203.0.113.0/24", "2001:db8::7"]}});
        let shown = admin.patch(&path, limits).await.expect(200).json();
        assert_eq!(shown, json!({"header_trust": {"networks": ["203.0.113.0/24", "2001:db8::7/128"]}}));
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(admin.events("sepft").await[0]["ip"], HOME);

        world.clock.advance(Duration::from_secs(1));
        let stolen = backend.login(ANA, testkit::PASSWORD).end_user(HOME).from("198.51.100.99");
        stolen.send().await.expect(200);
        let event = admin.events("sepft").await.remove(0);
        assert_eq!(event["ip"], "198.51.100.99");
        assert_eq!(event["details"]["portcullis"]["source"], "ignored: foreign network");
        let told = warnings(&admin).await;
        assert!(told.len() == 1 && told[0].contains("rotate"), "{told:?}");

        // A change of the compatible object keeps the limit.
        admin.patch(&format!("clients/{}", backend.client_id), json!({"description": "x"})).await.expect(200);
        assert_eq!(admin.get(&path).await.expect(200).json(), shown);
    }

    async fn a_foreign_call_guesses_on_its_own_account_and_reaches_no_allowlist(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let allow = json!({"allowlist": ["198.51.100.99"]});
        admin.patch("attack-protection/brute-force-protection", allow).await.expect(200);
        let limits = json!({"header_trust": {"networks": ["203.0.113.0/24"]}});
        admin.patch(&format!("portcullis/clients/{}", backend.client_id), limits).await.expect(200);
        for number in 0..10 {
            let guess = backend.login(ANA, "wrong").end_user(&format!("192.0.2.{number}")).from("198.51.100.99");
            guess.send().await.expect(403);
        }
        let guess = backend.login(ANA, testkit::PASSWORD).end_user("192.0.2.200").from("198.51.100.99");
        guess.send().await.expect(429);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn what_is_no_network_is_refused_by_name(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("portcullis/clients/{}", backend.client_id);
        for bad in [json!(["203.0.113.0/33"]), json!(["example.com"]), json!([7]), json!("203.0.113.0/24"), json!(null)] {
            let refused = admin.patch(&path, json!({"header_trust": {"networks": bad}})).await.expect(400);
            assert!(refused.text_of("message").contains("header_trust.networks"), "{refused:?}");
        }
        admin.patch(&path, json!({"networks": []})).await.expect(400);
        admin.get("portcullis/clients/nobody").await.expect(404);
        admin.patch("portcullis/clients/nobody", json!({})).await.expect(404);
        assert_eq!(admin.get(&path).await.expect(200).json(), json!({"header_trust": {"networks": []}}));
    }

    async fn administrators_hear_of_a_header_that_goes_wrong(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let login = || backend.login(ANA, testkit::PASSWORD);
        login().send().await.expect(200);
        assert!(warnings(&admin).await.is_empty(), "it never sent the header");

        backend.login_right(ANA, HOME).await.expect(200);
        for (header, word) in [(None, "stopped sending"), (Some("192.0.2.1, 10.0.0.1"), "not exactly one"), (Some("10.0.0.1"), "private")] {
            let before = warnings(&admin).await.len();
            for _ in 0..2 {
                world.clock.advance(Duration::from_secs(10));
                match header {
                    None => login().send().await.expect(200),
                    Some(value) => login().end_user(value).send().await.expect(200),
                };
            }
            let told = warnings(&admin).await;
            assert_eq!(told.len(), before + 1, "once an hour: {told:?}");
            assert!(told[0].contains(word), "{told:?}");
        }

        // A public application cannot authenticate, so its word is never taken.
        let public = world.backend(true).await;
        let admin = world.admin().await;
        let none = json!({
            "token_endpoint_auth_method": "none",
            "is_token_endpoint_ip_header_trusted": false,
            "grant_types": ["password"],
        });
        admin.patch(&format!("clients/{}", public.client_id), none).await.expect(200);
        let login = public.login(ANA, testkit::PASSWORD).with("client_secret", serde_json::Value::Null).end_user(HOME);
        login.send().await.expect(200);
        // Events of one instant have no order among them.
        let mut events = admin.events("w").await.into_iter();
        let event = events.find(|event| event["client_id"] == public.client_id.as_str()).unwrap();
        assert!(event["description"].as_str().unwrap().contains("was not authenticated"), "{event}");
        assert_eq!(event["details"]["portcullis"]["source"], "ignored: not authenticated");

        let untrusted = world.backend(false).await;
        untrusted.login_right(ANA, HOME).await.expect(200);
        let mut events = admin.events("w").await.into_iter();
        let event = events.find(|event| event["client_id"] == untrusted.client_id.as_str()).unwrap();
        assert!(event["description"].as_str().unwrap().contains("Trust Token Endpoint IP Header"));
    }
}
