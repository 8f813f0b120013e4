//! What this server does not have: empty lists for whoever reads a whole tenant, and settings that stay as they are.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn nothing_of_these_kinds_exists_and_nothing_can_be_made(world: World) {
        let admin = world.admin().await;
        for (path, list) in [
            ("rules", json!([])),
            ("rules?page=0&per_page=100&include_totals=true", json!({"start": 0, "limit": 100, "total": 0, "rules": []})),
            ("rules-configs", json!([])),
            ("actions/actions", json!({"total": 0, "page": 0, "per_page": 50, "actions": []})),
            ("custom-domains", json!([])),
            ("custom-domains?take=10", json!({"custom_domains": []})),
            ("event-streams?take=50", json!({"eventStreams": []})),
            ("flows/vault/connections?include_totals=true", json!({"start": 0, "limit": 50, "total": 0, "connections": []})),
            ("branding/phone/providers", json!({"providers": []})),
            ("prompts/login/custom-text/en", json!({})),
        ] {
            assert_eq!(admin.get(path).await.expect(200).json(), list, "{path}");
            admin.post(path, json!({"name": "one"})).await.expect(404);
        }
        for path in ["rules/rul_1", "actions/actions/1", "roles", "unheard-of"] {
            admin.get(path).await.expect(404);
        }
        admin.get("forms?per_page=101").await.expect(400);
    }

    async fn there_is_no_login_page_for_all_applications(world: World) {
        let admin = world.admin().await;
        let global = admin.get("clients?is_global=true").await.expect(200).json();
        assert_eq!((&global[0]["global"], &global[0]["custom_login_page_on"]), (&json!(true), &json!(false)));
        assert!(global[0].get("client_id").is_none() && global[1].is_null(), "{global}");
        let others = admin.get("clients").await.expect(200).json();
        assert!(others.as_array().unwrap().iter().all(|client| client["global"] != true));
        assert_eq!(admin.get("clients?is_global=true&page=1").await.expect(200).json(), json!([]));
    }

    async fn settings_of_what_is_not_built_can_be_written_as_they_are(world: World) {
        let admin = world.admin().await;
        let before = admin.get("logs?per_page=100").await.expect(200).json();
        for path in ["prompts", "risk-assessments/settings", "risk-assessments/settings/new-device", "supplemental-signals", "attack-protection/bot-detection", "attack-protection/captcha"] {
            let settings = admin.get(path).await.expect(200).json();
            assert_eq!(admin.patch(path, settings.clone()).await.expect(200).json(), settings, "{path}");
        }
        assert_eq!(admin.get("guardian/policies").await.expect(200).json(), json!([]));
        admin.put("guardian/policies", json!([])).await.expect(200);
        admin.patch("attack-protection/captcha", json!({"active_provider_id": null})).await.expect(200);

        for (path, change, place) in [
            ("prompts", json!({"identifier_first": true}), "identifier_first"),
            ("risk-assessments/settings", json!({"enabled": true}), "enabled"),
            ("supplemental-signals", json!({"unheard_of": true}), "unheard_of"),
            ("attack-protection/captcha", json!({"active_provider_id": "arkose"}), "active_provider_id"),
            ("attack-protection/captcha", json!({"arkose": {"fail_open": true}}), "arkose.fail_open"),
        ] {
            let refused = admin.patch(path, change).await.expect(400);
            assert!(refused.text_of("message").contains(place), "{path}");
        }
        admin.put("guardian/policies", json!(["all-applications"])).await.expect(400);
        assert_eq!(admin.get("guardian/policies").await.expect(200).json(), json!([]));
        assert_eq!(admin.get("logs?per_page=100").await.expect(200).json(), before);
    }

    async fn without_a_token_not_even_nothing_is_shown(world: World) {
        let stranger = world.admin().await.with_token("not-a-token");
        for path in ["rules", "prompts", "prompts/login/partials"] {
            stranger.get(path).await.expect(401);
        }
        stranger.patch("prompts", json!({})).await.expect(401);
    }
}
