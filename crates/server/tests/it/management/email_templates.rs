//! `/api/v2/email-templates`: what a mail says is judged when it is saved.

use serde_json::{Value, json};
use testkit::{World, on_both_engines};

const NAMES: [&str; 14] = [
    "verify_email",
    "verify_email_by_code",
    "auth_email_by_code",
    "reset_email",
    "reset_email_by_code",
    "welcome_email",
    "blocked_account",
    "stolen_credentials",
    "enrollment_email",
    "mfa_oob_code",
    "user_invitation",
    "async_approval",
    "change_password",
    "password_reset",
];

fn template(name: &str) -> Value {
    json!({
        "template": name,
        "body": "<p>Hello {{ user.name }}, <a href=\"{{ url }}\">go on</a></p>",
        "from": "{{ friendly_name }} <shop@example.com>",
        "subject": "A mail of {{ application.name }}",
        "syntax": "liquid",
        "enabled": true,
    })
}

on_both_engines! {
    async fn every_documented_name_can_be_kept_read_and_changed(world: World) {
        let admin = world.admin().await;
        for name in NAMES {
            let path = format!("email-templates/{name}");
            let none = admin.get(&path).await.expect(404);
            assert_eq!(none.text_of("errorCode"), "inexistent_email_template");
            assert_eq!(none.text_of("message"), "The template does not exist.");
            admin.patch(&path, json!({"enabled": true})).await.expect(404);
            admin.put(&path, template(name)).await.expect(404);

            let made = admin.post("email-templates", template(name)).await.expect(200).json();
            assert_eq!(made, template(name));
            assert_eq!(admin.get(&path).await.expect(200).json(), made);
            let twice = admin.post("email-templates", template(name)).await.expect(409);
            assert_eq!(twice.text_of("message"), format!("Template {name} already exists."));
        }
    }

    async fn patch_changes_what_it_says_and_put_forgets_the_rest(world: World) {
        let admin = world.admin().await;
        admin.post("email-templates", template("verify_email")).await.expect(200);
        let path = "email-templates/verify_email";
        let more = json!({
            "resultUrl": "{{ application.callback_domain }}/done",
            "urlLifetimeInSeconds": 3_600,
            "includeEmailInRedirect": true,
            "template": "verify_email",
        });
        let changed = admin.patch(path, more.clone()).await.expect(200).json();
        let mut expected = template("verify_email");
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(changed, expected);
        assert_eq!(admin.patch(path, expected.clone()).await.expect(200).json(), expected);
        let some = admin.get("email-templates/verify_email?fields=enabled").await.expect(200).json();
        assert_eq!(some, json!({"enabled": true}));

        let cleared = json!({"resultUrl": null, "urlLifetimeInSeconds": 0, "from": null});
        let cleared = admin.patch(path, cleared).await.expect(200).json();
        assert!(cleared.get("resultUrl").is_none() && cleared.get("urlLifetimeInSeconds").is_none(), "{cleared}");
        assert_eq!((&cleared["from"], &cleared["includeEmailInRedirect"]), (&json!(""), &json!(true)));
        assert_eq!(admin.put(path, template("verify_email")).await.expect(200).json(), template("verify_email"));
        let told = admin.events("sapi").await;
        assert!(told.iter().any(|event| event["details"]["request"]["method"] == "put"), "{told:?}");
    }

    async fn what_could_not_be_sent_is_refused_with_its_place(world: World) {
        let admin = world.admin().await;
        let path = "email-templates/verify_email";
        admin.post("email-templates", template("verify_email")).await.expect(200);
        for (change, place) in [
            (json!({"body": "<p>\n  {{ user.name | shout }}"}), "body of verify_email, line 2, column"),
            (json!({"body": "{% for user in users %}{% endfor %}"}), "body of verify_email, line 1"),
            (json!({"body": "{{ user.name"}), "body of verify_email, line 1, column 1"),
            (json!({"subject": "{% if x %}"}), "subject of verify_email"),
            (json!({"from": "{{ x"}), "from of verify_email"),
            (json!({"from": "nobody"}), "property from"),
            (json!({"from": "a@example.com\r\nBcc: b@example.com"}), "property from"),
            (json!({"subject": ""}), "property subject"),
            (json!({"body": null}), "property body"),
            (json!({"syntax": "html"}), "property syntax"),
            (json!({"enabled": null}), "property enabled"),
            (json!({"resultUrl": "javascript:alert(1)"}), "resultUrl of verify_email"),
            (json!({"resultUrl": "https://{{ user.email }}/"}), "resultUrl of verify_email"),
            (json!({"urlLifetimeInSeconds": -1}), "urlLifetimeInSeconds"),
            (json!({"urlLifetimeInSeconds": 31_536_001}), "urlLifetimeInSeconds"),
            (json!({"includeEmailInRedirect": "yes"}), "includeEmailInRedirect"),
            (json!({"template": "reset_email"}), "property template"),
            (json!({"unheard_of": 1}), "unheard_of"),
        ] {
            let refused = admin.patch(path, change.clone()).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_body", "{change}");
            assert!(refused.text_of("message").contains(place), "{change}: {}", refused.text);
            assert_eq!(admin.get(path).await.expect(200).json(), template("verify_email"), "{change}");
        }
        let unknown = admin.post("email-templates", template("goodbye_email")).await.expect(400);
        assert!(unknown.text_of("message").contains("send one of verify_email, "), "{}", unknown.text);
        admin.get("email-templates/goodbye_email").await.expect(404);
        for name in ["template", "body", "from", "subject", "syntax", "enabled"] {
            let mut body = template("welcome_email");
            body.as_object_mut().unwrap().remove(name);
            let refused = admin.post("email-templates", body).await.expect(400);
            assert!(refused.text_of("message").contains(name), "{}", refused.text);
        }
        // A mail that is never sent may say nothing.
        let mut empty = template("welcome_email");
        empty["body"] = json!("");
        empty["enabled"] = json!(false);
        admin.post("email-templates", empty).await.expect(200);
    }
}
