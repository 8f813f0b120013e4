//! `log-streams` of the Management API: what is kept, given back and refused.

use serde_json::json;

use super::{Stage, on_both};

const AUTHORIZATION: &str = "Splunk 7b838bd0-very-secret";

on_both! {
    async fn a_stream_is_made_read_changed_and_removed(stage: Stage) {
        let admin = stage.world.admin().await;
        let sink = json!({
            "httpEndpoint": "https://siem.example.com/in",
            "httpContentFormat": "JSONARRAY",
            "httpContentType": "application/json",
            "httpAuthorization": AUTHORIZATION,
            "httpCustomHeaders": [{"header": "X-Tenant", "value": "shop"}],
        });
        let filters = json!([{"type": "category", "name": "user.fail"}, {"type": "category", "name": "other"}]);
        let body = json!({"name": "SIEM 2", "type": "http", "sink": sink, "filters": filters, "isPriority": true, "pii_config": null});
        let made = admin.post("log-streams", body).await.expect(200);
        let id = made.text_of("id");
        assert!(id.len() == 20 && id.strip_prefix("lst_").unwrap().bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        let expected = json!({"id": id, "name": "SIEM 2", "type": "http", "status": "active", "sink": sink, "filters": filters, "isPriority": true});
        assert_eq!(made.json(), expected);
        let path = format!("log-streams/{id}");
        assert_eq!(admin.get(&path).await.expect(200).json(), expected);
        let listed = admin.get("log-streams").await.expect(200).json();
        let listed = listed.as_array().unwrap();
        assert!(listed.len() == 2 && listed.contains(&expected), "{listed:?}");

        let minimal = admin.get(&format!("log-streams/{}", stage.stream)).await.expect(200).json();
        assert_eq!((&minimal["sink"]["httpContentFormat"], &minimal["sink"]["httpContentType"]), (&json!("JSONLINES"), &json!("application/json")));
        assert!(minimal["sink"].get("httpAuthorization").is_none());

        let change = json!({"status": "paused", "name": "SIEM 3", "filters": [], "isPriority": false, "sink": {"httpEndpoint": "https://siem.example.com/other"}});
        let changed = admin.patch(&path, change).await.expect(200).json();
        assert_eq!((&changed["status"], &changed["name"], &changed["filters"]), (&json!("paused"), &json!("SIEM 3"), &json!([])));
        assert_eq!(changed["sink"]["httpAuthorization"], AUTHORIZATION, "what is not sent stays, within one origin");
        assert_eq!(admin.get(&path).await.expect(200).json(), changed);
        let cleared = json!({"sink": {"httpEndpoint": "https://siem.example.com/", "httpAuthorization": null, "httpCustomHeaders": []}});
        let cleared = admin.patch(&path, cleared).await.expect(200).json();
        assert!(cleared["sink"].get("httpAuthorization").is_none() && cleared["sink"].get("httpCustomHeaders").is_none());

        admin.delete(&path).await.expect(204);
        admin.delete(&path).await.expect(204);
        for gone in [admin.get(&path).await, admin.patch(&path, json!({"name": "x"})).await] {
            let gone = gone.expect(404);
            assert_eq!((gone.text_of("message"), gone.json().get("errorCode")), ("The log stream does not exist.".to_owned(), None));
        }
        admin.get("portcullis/log-streams/lst_0000000000000000").await.expect(404);
    }

    async fn bad_input_names_the_field_and_changes_nothing(stage: Stage) {
        let admin = stage.world.admin().await;
        let before = admin.get("log-streams").await.expect(200).json();
        let sink = |member: &str, value: serde_json::Value| {
            let mut sink = json!({"httpEndpoint": "https://siem.example.com/"});
            sink[member] = value;
            json!({"sink": sink})
        };
        for (change, place) in [
            (json!({"type": "datadog", "sink": {"datadogRegion": "eu", "datadogApiKey": "x"}}), "property type"),
            (json!({"type": "eventbridge"}), "property type"),
            (json!({"pii_config": {"log_fields": ["email"], "method": "mask"}}), "pii_config"),
            (json!({"status": "stopped"}), "status"),
            (json!({"filters": [{"type": "category", "name": "auth.everything"}]}), "filters.name"),
            (json!({"filters": [{"type": "type", "name": "other"}]}), "filters.type"),
            (json!({"filters": [{"name": "other"}]}), "filters"),
            (json!({"unheard_of": true}), "unheard_of"),
            (json!({"sink": {}}), "sink.httpEndpoint"),
            (sink("httpEndpoint", json!("siem.example.com")), "sink.httpEndpoint"),
            (sink("httpEndpoint", json!("http://siem.example.com/")), "sink.httpEndpoint"),
            (sink("httpEndpoint", json!("ftp://siem.example.com/")), "sink.httpEndpoint"),
            (sink("httpEndpoint", json!("https://user:secret@siem.example.com/")), "sink.httpEndpoint"),
            (sink("httpContentFormat", json!("XML")), "sink.httpContentFormat"),
            (sink("httpContentType", json!("text/plain\r\nX-Evil: 1")), "sink.httpContentType"),
            (sink("httpAuthorization", json!("a\r\nHost: evil.example.com")), "sink.httpAuthorization"),
            (sink("httpAuthorization", json!("##SIEM_TOKEN##")), "sink.httpAuthorization"),
            (sink("httpAuthorization", json!("_VALUE_NOT_SHOWN_")), "sink.httpAuthorization"),
            (sink("httpCustomHeaders", json!([{"header": "Host", "value": "x"}])), "sink.httpCustomHeaders"),
            (sink("httpCustomHeaders", json!([{"header": "a b", "value": "x"}])), "sink.httpCustomHeaders"),
            (sink("httpCustomHeaders", json!([{"header": "X-A"}])), "sink.httpCustomHeaders"),
            (sink("httpCustomHeaders", json!([{"header": "X-A", "value": "1\n2"}])), "sink.httpCustomHeaders"),
            (sink("splunkToken", json!("x")), "sink.splunkToken"),
        ] {
            let mut body = json!({"name": "x", "type": "http", "sink": {"httpEndpoint": "https://siem.example.com/"}});
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            for refused in [admin.post("log-streams", body).await, admin.patch(&format!("log-streams/{}", stage.stream), change.clone()).await] {
                let refused = refused.expect(400);
                let told = refused.text_of("message");
                assert!(told.contains(place) && !told.contains("evil.example.com"), "{change}: {told}");
            }
        }
        for body in [json!({}), json!({"type": "http"}), json!({"sink": {"httpEndpoint": "https://siem.example.com/"}})] {
            admin.post("log-streams", body).await.expect(400);
        }
        let started = json!({"type": "http", "startFrom": "yesterday", "sink": {"httpEndpoint": "https://siem.example.com/"}});
        assert!(admin.post("log-streams", started).await.expect(400).text_of("message").contains("startFrom"));
        let stopped = json!({"type": "http", "status": "paused", "sink": {"httpEndpoint": "https://siem.example.com/"}});
        assert!(admin.post("log-streams", stopped).await.expect(400).text_of("message").contains("status"));
        for fixed in [json!({"type": "http"}), json!({"startFrom": "2026-01-01T00:00:00Z"}), json!({"status": "suspended"})] {
            admin.patch(&format!("log-streams/{}", stage.stream), fixed).await.expect(400);
        }
        assert_eq!(admin.get("log-streams").await.expect(200).json(), before);
    }

    async fn a_tenant_has_ten_streams_at_most(stage: Stage) {
        let admin = stage.world.admin().await;
        let body = json!({"type": "http", "sink": {"httpEndpoint": "https://siem.example.com/"}});
        for _ in 1..10 {
            admin.post("log-streams", body.clone()).await.expect(200);
        }
        admin.post("log-streams", body.clone()).await.expect(409);
        admin.delete(&format!("log-streams/{}", stage.stream)).await.expect(204);
        admin.post("log-streams", body).await.expect(200);
    }

    async fn secrets_are_in_no_log_and_not_in_clear_in_the_database(stage: Stage) {
        let admin = stage.world.admin().await;
        let header = "another-very-secret";
        let sink = json!({"httpEndpoint": stage.receiver.url(), "httpAuthorization": AUTHORIZATION, "httpCustomHeaders": [{"header": "X-Key", "value": header}]});
        stage.change(json!({"sink": sink})).await;
        super::super::fail(&stage.world, 0..1).await;
        stage.deliver().await;
        let received = stage.receiver.received();
        assert_eq!((received[0].headers["authorization"].as_str(), received[0].headers["x-key"].as_str()), (AUTHORIZATION, header));
        let log = admin.get("logs?per_page=100").await.expect(200).text;
        assert!(log.contains("Update a log stream") && !log.contains("very-secret"));
        let rows = crate::tenants::rows_of(&stage.world);
        assert!(rows.iter().any(|row| row.starts_with("log_streams ")));
        assert!(!rows.iter().any(|row| row.contains("very-secret")));
    }

    async fn kept_secrets_stay_with_the_receiver_they_were_given_for(stage: Stage) {
        let admin = stage.world.admin().await;
        let path = format!("log-streams/{}", stage.stream);
        let sink = json!({"httpEndpoint": "https://siem.example.com/in", "httpAuthorization": AUTHORIZATION, "httpCustomHeaders": [{"header": "X-Key", "value": "k"}]});
        admin.patch(&path, json!({"sink": sink})).await.expect(200);
        for (moved, place) in [
            (json!({"httpEndpoint": "https://evil.example.com/in"}), "httpAuthorization"),
            (json!({"httpEndpoint": "https://siem.example.com:444/in"}), "httpAuthorization"),
            (json!({"httpEndpoint": "https://evil.example.com/in", "httpAuthorization": "x"}), "httpCustomHeaders"),
        ] {
            let refused = admin.patch(&path, json!({"sink": moved})).await.expect(400);
            assert!(refused.text_of("message").contains(place), "{refused:?}");
        }
        let moved = json!({"httpEndpoint": "https://other.example.com/", "httpAuthorization": "x", "httpCustomHeaders": []});
        admin.patch(&path, json!({"sink": moved})).await.expect(200);
    }
}
