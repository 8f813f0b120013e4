//! A tenant's own templates in the mails it sends: whose words, to where, for how long, or not at all.

use std::time::Duration;

use mail::TemplateName;
use model::{TicketKind, UserId};
use serde_json::{Value, json};
use server::Clock as _;
use server::courier::{Addressee, Link, Notice, queued};
use testkit::{World, on_both_engines};

use super::{depth, enqueue};

fn template(name: &str) -> Value {
    json!({
        "template": name,
        "body": "<p>Ours: {{ user.email }} at {{ application.name }} from {{ user.source_ip }} <a href=\"{{ url }}\">go on</a></p>",
        "from": "Shop <shop@example.com>",
        "subject": "From {{ friendly_name }}",
        "syntax": "liquid",
        "enabled": true,
    })
}

/// A mail with a link to a user of an application.
async fn send(world: &World, token: &str) {
    let backend = world.backend(true).await;
    let user = UserId::new(backend.add_user(&format!("{token}@example.com")).await);
    send_to(world, &backend.client_id, user, token).await;
}

async fn send_to(world: &World, client_id: &str, user: UserId, token: &str) {
    let link = Link {
        kind: TicketKind::EmailVerification,
        token: token.to_owned(),
        document: serde_json::Map::from_iter([("kept".to_owned(), "as it was".into())]),
        lifetime: None,
    };
    let notice = Notice {
        client_id: Some(model::ClientId::new(client_id)),
        source_ip: Some("192.0.2.1".to_owned()),
        link: Some(link),
        ..Notice::template(TemplateName::VerifyEmail, Addressee::User(user))
    };
    enqueue(
        world,
        &queued(&world.app, &world.tenant, &notice, world.clock.now()),
    )
    .await;
}

async fn ticket(world: &World, token: &str) -> Option<storage::TicketRecord> {
    let digest = keys::SecretDigest::of(token).to_bytes();
    let rows = world.app.tenant(&world.tenant.id);
    rows.find_ticket(TicketKind::EmailVerification, &digest, world.clock.now())
        .await
        .unwrap()
}

on_both_engines! {
    async fn a_mail_says_what_the_tenants_template_says(world: World) {
        let admin = world.admin().await;
        admin.post("email-templates", template("verify_email")).await.expect(200);
        admin.patch("tenants/settings", json!({"friendly_name": "The shop"})).await.expect(200);
        send(&world, "first").await;
        let mails = world.mails().await;
        assert_eq!(mails[0].subject(), "From The shop");
        assert_eq!(mails[0].from().to_string(), "Shop <shop@example.com>");
        let text = mails[0].text();
        assert!(text.starts_with("Ours: first@example.com at "), "{text}");
        assert!(text.contains("from 192.0.2.1"), "{text}");
        assert!(text.contains("https://login.example.com/u/email-verification?ticket=first"), "{text}");

        // Others stay as they are, and a change is in the next mail.
        admin.patch("email-templates/verify_email", json!({"subject": "Changed", "from": ""})).await.expect(200);
        let backend_user = world.app.tenant(&world.tenant.id).list_users(storage::Page::ALL, &storage::UserFilter::default()).await.unwrap();
        let user = backend_user.items[0].user.user_id.clone();
        send_to(&world, "nobody", user, "second").await;
        let mails = world.mails().await;
        assert_eq!(mails[1].subject(), "Changed");
        assert_eq!(mails[1].from().to_string(), "no-reply@login.example.com");
        assert_eq!(admin.events("w").await.len(), 0);
    }

    async fn a_link_lives_as_long_and_leads_where_the_template_says(world: World) {
        let admin = world.admin().await;
        let mut told = template("verify_email");
        told["urlLifetimeInSeconds"] = json!(600);
        told["resultUrl"] = json!("{{ application.callback_domain }}/done?c={{ application.clientID }}");
        told["includeEmailInRedirect"] = json!(true);
        admin.post("email-templates", told).await.expect(200);
        let backend = world.backend(true).await;
        let callbacks = json!({"callbacks": ["https://shop.example.com:8443/callback?x=1"]});
        admin.patch(&format!("clients/{}", backend.client_id), callbacks).await.expect(200);
        let user = UserId::new(backend.add_user("ana@example.com").await);
        send_to(&world, &backend.client_id, user, "first").await;
        world.mails().await;
        let kept = ticket(&world, "first").await.unwrap().document;
        let url = format!("https://shop.example.com:8443/done?c={}", backend.client_id);
        assert_eq!(Value::Object(kept), json!({"kept": "as it was", "result_url": url, "include_email": true}));
        world.clock.advance(Duration::from_secs(599));
        assert!(ticket(&world, "first").await.is_some());
        world.clock.advance(Duration::from_secs(1));
        assert!(ticket(&world, "first").await.is_none());
    }

    async fn a_mail_whose_template_is_disabled_is_not_sent(world: World) {
        let admin = world.admin().await;
        let mut off = template("verify_email");
        off["enabled"] = json!(false);
        admin.post("email-templates", off).await.expect(200);
        send(&world, "first").await;
        assert!(world.mails().await.is_empty());
        assert_eq!((depth(&world).await, admin.events("fn").await.len()), (0, 0));
        assert!(ticket(&world, "first").await.is_none());
    }

    async fn a_template_that_fails_on_a_value_gives_way_to_ours_and_is_told_once(world: World) {
        let admin = world.admin().await;
        let mut fragile = template("verify_email");
        fragile["body"] = json!("{{ user.user_metadata.about | upcase }}");
        admin.post("email-templates", fragile).await.expect(200);
        let backend = world.backend(true).await;
        let user = backend.add_user("ana@example.com").await;
        let about = json!({"user_metadata": {"about": "a".repeat(9_000)}});
        admin.patch(&format!("users/{}", user.replace('|', "%7C")), about).await.expect(200);
        send_to(&world, &backend.client_id, UserId::new(user), "first").await;
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].text().contains("ticket=first"), "ours has the link");
        let told = admin.events("w").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["details"]["email_type"], "verify_email");
        assert_eq!(told[0]["details"]["portcullis"]["message_id"], mails[0].message_id());
        let description = told[0]["description"].as_str().unwrap();
        assert!(description.contains("body of verify_email: "), "{description}");
        assert!(!description.contains("aaaa"), "{description}");
    }

    async fn a_sender_that_is_none_gives_way_to_ours(world: World) {
        let admin = world.admin().await;
        let mut fragile = template("verify_email");
        fragile["from"] = json!("{{ application.name }}@example.com");
        admin.post("email-templates", fragile).await.expect(200);
        let backend = world.backend(true).await;
        admin.patch(&format!("clients/{}", backend.client_id), json!({"name": "My shop, and more"})).await.expect(200);
        let user = UserId::new(backend.add_user("ana@example.com").await);
        send_to(&world, &backend.client_id, user, "first").await;
        let mails = world.mails().await;
        assert_eq!(mails[0].from().to_string(), "no-reply@login.example.com");
        assert_eq!(admin.events("w").await.len(), 1);
    }
}
