//! `/api/v2/emails/provider`: one a tenant, its password never shown and never sent to another server.

use serde_json::{Value, json};
use testkit::{World, on_both_engines};

const PATH: &str = "emails/provider";

fn provider() -> Value {
    json!({
        "name": "smtp",
        "enabled": true,
        "default_from_address": "Shop <shop@example.com>",
        "credentials": {
            "smtp_host": "mail.example.com",
            "smtp_port": 465,
            "smtp_user": "shop",
            "smtp_pass": "hunter2-of-the-mail-server",
        },
    })
}

fn shown() -> Value {
    let mut shown = provider();
    shown["credentials"]
        .as_object_mut()
        .unwrap()
        .remove("smtp_pass");
    shown
}

on_both_engines! {
    async fn a_provider_is_made_read_changed_and_removed(world: World) {
        let admin = world.admin().await;
        let none = admin.get(PATH).await.expect(404);
        assert_eq!(none.text_of("errorCode"), "inexistent_email_provider");
        assert_eq!(none.text_of("message"), "There is not a configured email provider");
        admin.patch(PATH, json!({"enabled": false})).await.expect(404);
        admin.delete(PATH).await.expect(204);

        assert_eq!(admin.post(PATH, provider()).await.expect(201).json(), shown());
        assert_eq!(admin.get(PATH).await.expect(200).json(), shown());
        admin.post(PATH, provider()).await.expect(409);
        let some = admin.get("emails/provider?fields=name,enabled&include_fields=true").await.expect(200).json();
        assert_eq!(some, json!({"name": "smtp", "enabled": true}));

        let changed = admin.patch(PATH, json!({"enabled": false, "default_from_address": "", "settings": {}})).await.expect(200).json();
        let mut expected = shown();
        expected["enabled"] = json!(false);
        expected["settings"] = json!({});
        expected.as_object_mut().unwrap().remove("default_from_address");
        assert_eq!(changed, expected);
        // As it was read, without the password: nothing changes.
        assert_eq!(admin.patch(PATH, expected.clone()).await.expect(200).json(), expected);
        let user = json!({"credentials": {"smtp_user": null}});
        let changed = admin.patch(PATH, user).await.expect(200).json();
        assert_eq!(changed["credentials"], json!({"smtp_host": "mail.example.com", "smtp_port": 465}));

        admin.delete(PATH).await.expect(204);
        admin.get(PATH).await.expect(404);
        admin.post(PATH, provider()).await.expect(201);
    }

    async fn the_password_is_in_no_answer_no_event_and_not_in_clear_in_the_database(world: World) {
        let admin = world.admin().await;
        let made = admin.post(PATH, provider()).await.expect(201);
        let changed = admin.patch(PATH, provider()).await.expect(200);
        let read = admin.get(PATH).await.expect(200);
        let events = json!(admin.events("sapi").await).to_string();
        assert!(events.contains("emails/provider"));
        for text in [made.text, changed.text, read.text, events] {
            assert!(!text.contains("hunter2"), "{text}");
        }
        let rows = world.app.tenant(&world.tenant.id);
        let kept = rows.find_email_provider().await.unwrap().unwrap();
        assert!(!format!("{:?}", kept.provider).contains("hunter2"));
        let sealed = kept.password_sealed.unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    }

    async fn the_kept_password_never_goes_to_another_server(world: World) {
        let admin = world.admin().await;
        admin.post(PATH, provider()).await.expect(201);
        let before = admin.get(PATH).await.expect(200).json();
        for credentials in [
            json!({"smtp_host": "mail.evil.example.com"}),
            json!({"smtp_port": 587}),
            json!({"smtp_host": "mail.evil.example.com", "smtp_user": "eve"}),
        ] {
            let refused = admin.patch(PATH, json!({"credentials": credentials})).await.expect(400);
            assert!(refused.text_of("message").contains("credentials.smtp_pass"), "{}", refused.text);
            assert_eq!(admin.get(PATH).await.expect(200).json(), before);
        }
        let moved = json!({"credentials": {"smtp_host": "mail2.example.com", "smtp_pass": "another"}});
        let moved = admin.patch(PATH, moved).await.expect(200).json();
        assert_eq!(moved["credentials"]["smtp_host"], "mail2.example.com");
    }

    async fn what_could_not_send_is_refused_by_name(world: World) {
        let admin = world.admin().await;
        type Spoil = fn(&mut Value);
        let cases: [(Spoil, &str); 16] = [
            (|body| body["name"] = json!("sendgrid"), "property name"),
            (|body| *body = json!({"name": "mailgun", "credentials": {"api_key": "k", "domain": "d"}}), "property name"),
            (|body| body["name"] = json!(7), "property name"),
            (|body| body["enabled"] = json!("yes"), "enabled"),
            (|body| body["default_from_address"] = json!("shop"), "default_from_address"),
            (|body| body["default_from_address"] = json!("a@example.com\r\nBcc: b@example.com"), "default_from_address"),
            (|body| body["credentials"]["smtp_host"] = json!("mail.example.com\r\nRCPT"), "smtp_host"),
            (|body| body["credentials"]["smtp_host"] = json!(""), "smtp_host"),
            (|body| body["credentials"]["smtp_port"] = json!(0), "smtp_port"),
            (|body| body["credentials"]["smtp_port"] = json!("587"), "smtp_port"),
            (|body| body["credentials"]["smtp_pass"] = json!(null), "smtp_pass"),
            (|body| body["credentials"]["smtp_user"] = json!(null), "smtp_user"),
            (|body| body["credentials"]["smtp_pass"] = json!("##SMTP_PASS##"), "smtp_pass"),
            (|body| body["credentials"]["api_key"] = json!("x"), "credentials.api_key"),
            (|body| body["settings"] = json!({"headers": {"X-Tag": "a"}}), "settings"),
            (|body| { body.as_object_mut().unwrap().remove("credentials"); }, "credentials"),
        ];
        for (spoil, place) in cases {
            let mut body = provider();
            spoil(&mut body);
            let refused = admin.post(PATH, body.clone()).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_body", "{body}");
            assert!(refused.text_of("message").contains(place), "{body}: {}", refused.text);
            assert!(!refused.text.contains("hunter2"));
            admin.get(PATH).await.expect(404);
        }
        let told = admin.post(PATH, json!({"name": "ses"})).await.expect(400);
        assert!(told.text_of("message").contains("send smtp"), "{}", told.text);
        for path in ["branding/phone/providers", "guardian/factors/sms/providers/twilio", "guardian/factors/sms"] {
            let mut sent = vec![admin.post(path, json!({"name": "twilio"})).await];
            sent.push(admin.put(path, json!({"enabled": true})).await);
            assert!(sent.iter().all(|answer| answer.status == 404), "text messages are not built: {path}");
        }
    }
}
