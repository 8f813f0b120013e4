//! The tenant's own settings.

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn settings_are_merged_and_null_removes(world: World) {
        let backend = world.backend(true).await;
        backend.add_user("ana@example.com").await;
        let admin = world.admin().await;
        let shown = admin.get("tenants/settings").await.expect(200).json();
        for member in ["flags", "enabled_locales", "sandbox_version", "sandbox_versions_available"] {
            assert!(!shown[member].is_null(), "{member}");
        }
        let changed = admin.patch("tenants/settings", json!({"friendly_name": "Shop", "flags": {"enable_sso": false}})).await.expect(200).json();
        assert!(changed.get("sandbox_versions_available").is_none());
        assert_eq!((changed["friendly_name"].as_str(), changed["default_directory"].as_str()), (Some("Shop"), Some("Users")));
        assert_eq!((&changed["flags"]["enable_sso"], &changed["flags"]["disable_impersonation"]), (&json!(false), &json!(true)));

        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        admin.patch("tenants/settings", json!({"default_directory": null})).await.expect(200);
        assert_ne!(backend.login_right("ana@example.com", "192.0.2.1").await.status, 200, "acts at once");
    }

    async fn changes_at_the_same_time_all_hold(world: World) {
        let admin = world.admin().await;
        for round in 1..=10 {
            let body = json!({"max_attempts": round});
            let (shield, own, settings) = tokio::join!(
                admin.patch("attack-protection/brute-force-protection", body.clone()),
                admin.patch("portcullis/attack-protection", json!({"same_user": body})),
                admin.patch("tenants/settings", json!({"friendly_name": format!("Shop {round}")})),
            );
            assert_eq!(shield.expect(200).json()["max_attempts"], round);
            assert_eq!(own.expect(200).json()["same_user"]["max_attempts"], round);
            settings.expect(200);
            assert_eq!(admin.get("attack-protection/brute-force-protection").await.expect(200).json()["max_attempts"], round);
            assert_eq!(admin.get("portcullis/attack-protection").await.expect(200).json()["same_user"]["max_attempts"], round);
            assert_eq!(admin.get("tenants/settings").await.expect(200).text_of("friendly_name"), format!("Shop {round}"));
        }
        assert_eq!(admin.events("sapi").await.len(), 30, "one event for each change, however often it was begun");
    }

    async fn lifetimes_sent_in_minutes_are_shown_in_hours(world: World) {
        let admin = world.admin().await;
        let minutes = json!({"session_lifetime_in_minutes": 10_080, "idle_session_lifetime_in_minutes": 181});
        let changed = admin.patch("tenants/settings", minutes).await.expect(200).json();
        assert_eq!((&changed["session_lifetime"], &changed["idle_session_lifetime"]), (&json!(168), &json!(3.0167)));
        assert!(changed.get("session_lifetime_in_minutes").is_none());
        for refused in [
            json!({"session_lifetime_in_minutes": 60, "session_lifetime": 1}),
            json!({"session_lifetime_in_minutes": 0}),
            json!({"sessions_in_minutes": 1}),
        ] {
            admin.patch("tenants/settings", refused).await.expect(400);
        }
        assert_eq!(admin.get("tenants/settings").await.expect(200).json()["session_lifetime"], 168);
    }

    async fn what_is_not_known_or_not_enforced_is_refused(world: World) {
        let admin = world.admin().await;
        let before = admin.get("tenants/settings").await.expect(200).json();
        for body in [
            json!({"unheard_of": true}),
            json!({"flags": {"unheard_of": true}}),
            json!({"flags": {"allow_legacy_ro_grant_types": true}}),
            json!({"allow_organization_name_in_authentication_api": true}),
            json!({"mtls": {"enable_endpoint_aliases": true}}),
            json!({"default_directory": "Nowhere"}),
            json!({"default_directory": 7}),
        ] {
            assert_eq!(admin.patch("tenants/settings", body.clone()).await.expect(400).text_of("errorCode"), "invalid_body", "{body}");
        }
        assert_eq!(admin.get("tenants/settings").await.expect(200).json(), before);
        for setting in ["client_id_metadata_document_supported", "skip_non_verifiable_callback_uri_confirmation_prompt"] {
            admin.patch("tenants/settings", json!({setting: true})).await.expect(400);
            admin.patch("tenants/settings", json!({setting: false})).await.expect(200);
        }
        for flag in ["require_pushed_authorization_requests", "allow_legacy_ro_grant_types", "enable_client_connections"] {
            admin.patch("tenants/settings", json!({"flags": {flag: false}})).await.expect(200);
        }
    }
}
