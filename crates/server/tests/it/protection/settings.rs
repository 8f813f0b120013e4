//! The shields' settings, and the switch that only authenticated applications may have.

use serde_json::json;
use testkit::{World, on_both_engines};

const FLAG_TEXT: &str = "The flag is_token_endpoint_ip_header_trusted can only be set true on clients that require \
                         authentication (i.e. token_endpoint_auth_method is set to 'client_sec";

on_both_engines! {
    async fn the_switch_needs_an_application_that_authenticates(world: World) {
        let admin = world.admin().await;
        for method in [json!("none"), serde_json::Value::Null] {
            let mut client = json!({"name": "App", "is_token_endpoint_ip_header_trusted": true});
            if !method.is_null() {
                client["token_endpoint_auth_method"] = method;
                client["grant_types"] = json!(["password"]);
            }
            let refused = admin.post("clients", client).await.expect(400);
            assert!(refused.text_of("message").starts_with(FLAG_TEXT), "{}", refused.text);
        }

        let backend = world.backend(true).await;
        let path = format!("clients/{}", backend.client_id);
        let public = json!({"token_endpoint_auth_method": "none", "grant_types": ["password"]});
        admin.patch(&path, public).await.expect(400);
        let both = json!({
            "token_endpoint_auth_method": "none",
            "grant_types": ["password"],
            "is_token_endpoint_ip_header_trusted": false,
        });
        admin.patch(&path, both).await.expect(200);
        admin.patch(&path, json!({"is_token_endpoint_ip_header_trusted": true})).await.expect(400);
    }

    async fn settings_out_of_range_are_refused_and_change_nothing(world: World) {
        let admin = world.admin().await;
        for (path, body) in [
            ("brute-force-protection", json!({"max_attempts": 0})),
            ("brute-force-protection", json!({"max_attempts": 101})),
            ("brute-force-protection", json!({"mode": "never"})),
            ("brute-force-protection", json!({"shields": ["block", "pray"]})),
            ("brute-force-protection", json!({"allowlist": ["not an address"]})),
            ("brute-force-protection", json!({"unknown": true})),
            ("suspicious-ip-throttling", json!({"stage": {"pre-login": {"max_attempts": 0, "rate": 864_000}}})),
            ("suspicious-ip-throttling", json!({"stage": {"pre-login": {"max_attempts": 100, "rate": 1}}})),
            ("suspicious-ip-throttling", json!({"allowlist": vec!["192.0.2.1"; 101]})),
            ("breached-password-detection", json!({"enabled": "true"})),
            ("breached-password-detection", json!({"shields": ["block", "pray"]})),
            ("breached-password-detection", json!({"admin_notification_frequency": ["hourly"]})),
            ("breached-password-detection", json!({"method": "enhanced"})),
            ("breached-password-detection", json!({"method": "magic"})),
            ("breached-password-detection", json!({"stage": {"pre-login": {"shields": []}}})),
            ("breached-password-detection", json!({"stage": {"pre-user-registration": {"shields": ["user_notification"]}}})),
            ("breached-password-detection", json!({"stage": {"pre-change-password": {"shields": ["user_notification"]}}})),
            ("bot-detection", json!({"monitoring_mode_enabled": true})),
        ] {
            let path = format!("attack-protection/{path}");
            let before = admin.get(&path).await.expect(200).json();
            let refused = admin.patch(&path, body.clone()).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_body", "{body}");
            assert_eq!(admin.get(&path).await.expect(200).json(), before, "{body}");
        }
    }

    async fn defaults_are_the_documented_ones(world: World) {
        let admin = world.admin().await;
        let brute_force = admin.get("attack-protection/brute-force-protection").await.expect(200).json();
        assert_eq!(
            brute_force,
            json!({
                "enabled": true,
                "shields": ["block", "user_notification"],
                "mode": "count_per_identifier_and_ip",
                "allowlist": [],
                "max_attempts": 10,
            })
        );
        let own = admin.get("portcullis/attack-protection").await.expect(200).json();
        assert_eq!(
            own,
            json!({
                "same_user": {"enabled": true, "max_attempts": 20, "rate": 6_000},
                "confirmations": {"max_attempts": 20, "rate": 3_600_000},
                "administrators": [],
                "sign_up": {"existing_account": "conceal"},
            })
        );
    }

    async fn administrators_are_addresses_that_mail_can_go_to(world: World) {
        let admin = world.admin().await;
        let path = "portcullis/attack-protection";
        let sent = json!({"administrators": ["ana@example.com", "on-call@example.org"], "confirmations": {"max_attempts": 5}});
        let changed = admin.patch(path, sent).await.expect(200).json();
        assert_eq!(changed["administrators"], json!(["ana@example.com", "on-call@example.org"]));
        assert_eq!(changed["confirmations"], json!({"max_attempts": 5, "rate": 3_600_000}));
        assert_eq!(changed["same_user"]["max_attempts"], 20);
        for (body, place) in [
            (json!({"administrators": ["ana"]}), "administrators[0]"),
            (json!({"administrators": ["ana@example.com", "Bo <bo@example.com>"]}), "administrators[1]"),
            (json!({"administrators": ["ana@example.com", "Ana@Example.com"]}), "administrators[1]"),
            (json!({"administrators": ["ana@example.com\nBcc: eve@example.com"]}), "administrators[0]"),
            (json!({"administrators": vec!["ana@example.com"; 21]}), "administrators"),
            (json!({"administrators": "ana@example.com"}), "administrators"),
            (json!({"administrators": null}), "administrators"),
            (json!({"confirmations": {"max_attempts": 0}}), "confirmations.max_attempts"),
            (json!({"confirmations": {"rate": 0}}), "confirmations.rate"),
        ] {
            let refused = admin.patch(path, body.clone()).await.expect(400);
            assert!(refused.text_of("message").contains(place), "{body}: {}", refused.text);
            assert_eq!(admin.get(path).await.expect(200).json(), changed, "{body}");
        }
        assert_eq!(admin.patch(path, json!({"administrators": []})).await.expect(200).json()["administrators"], json!([]));
    }
}
