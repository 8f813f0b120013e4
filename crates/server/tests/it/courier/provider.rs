//! Mails over the tenant's own provider, as it is set through the Management API, to a real SMTP server.

use std::time::Duration;

use mail::{Smtp, SmtpSettings};
use serde_json::{Value, json};
use server::courier::{Courier, DefaultWay, route};
use storage::Work;
use testkit::{Engine, World, WorldSettings};

use super::smtp_server::{Protection, Server};
use super::{depth, enqueue, failures, letter, message_ids};

/// A world that trusts this server's authority.
async fn world(engine: Engine, server: &Server) -> World {
    let settings = WorldSettings {
        mail_roots: server.roots(),
        ..WorldSettings::default()
    };
    World::start_with(engine, settings).await
}

fn provider(server: &Server) -> Value {
    json!({
        "name": "smtp",
        "default_from_address": "Shop <shop@example.com>",
        "credentials": {
            "smtp_host": "localhost",
            "smtp_port": server.port(),
            "smtp_user": "shop",
            "smtp_pass": "correct horse",
        },
    })
}

async fn deliver(world: &World) {
    let courier = Courier::new(&world.app, route(&world.app));
    courier.deliver_due().await.unwrap();
}

async fn a_mail_goes_over_the_provider_under_tls_and_its_users_name(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let world = world(engine, &server).await;
    let admin = world.admin().await;
    admin
        .post("emails/provider", provider(&server))
        .await
        .expect(201);
    let mail = letter(&world, "ana@example.com");
    enqueue(&world, &mail).await;
    deliver(&world).await;
    assert!(world.mails().await.is_empty(), "nothing went another way");
    assert_eq!(depth(&world).await, 0);

    // Off, it is as if there were none.
    admin
        .patch("emails/provider", json!({"enabled": false}))
        .await
        .expect(200);
    enqueue(&world, &letter(&world, "bo@example.com")).await;
    assert_eq!(world.mails().await.len(), 1);

    let said = server.rest();
    assert_eq!(said.len(), 1);
    assert_eq!(message_ids(&said), [mail.message_id.as_str()]);
    let sent = &said[0]["mail"];
    assert_eq!(
        (&sent["tls"], &sent["user"]),
        (&json!(true), &json!("shop"))
    );
    assert_eq!(sent["from"], "shop@example.com");
}

async fn a_wrong_password_keeps_the_mail_until_it_is_mended(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let world = world(engine, &server).await;
    let admin = world.admin().await;
    let mut wrong = provider(&server);
    wrong["credentials"]["smtp_pass"] = json!("hunter2");
    admin.post("emails/provider", wrong).await.expect(201);
    enqueue(&world, &letter(&world, "ana@example.com")).await;
    deliver(&world).await;
    assert_eq!((depth(&world).await, failures(&world).await.len()), (1, 0));
    world.clock.advance(Duration::from_secs(10));
    let right = json!({"credentials": {"smtp_pass": "correct horse"}});
    admin.patch("emails/provider", right).await.expect(200);
    deliver(&world).await;
    assert_eq!(depth(&world).await, 0);
    let said = server.rest();
    assert_eq!(message_ids(&said).len(), 1);
    assert!(!json!(said).to_string().contains("hunter2"));
}

async fn nothing_goes_to_a_provider_that_nobody_vouches_for(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let other = Server::start(Protection::StartTls, &["ok"]).unwrap();
    let world = world(engine, &other).await;
    let admin = world.admin().await;
    admin
        .post("emails/provider", provider(&server))
        .await
        .expect(201);
    enqueue(&world, &letter(&world, "ana@example.com")).await;
    deliver(&world).await;
    assert_eq!(depth(&world).await, 1);
    assert_eq!(server.rest(), Vec::<Value>::new());
}

async fn over_the_operators_server_no_tenant_chooses_the_sender(engine: Engine) {
    let Some(server) = Server::start(Protection::None, &["ok"]) else {
        return;
    };
    let smtp = Smtp::new(SmtpSettings {
        credentials: None,
        ..server.settings()
    });
    let settings = WorldSettings {
        default_way: Some(DefaultWay::Smtp {
            smtp: smtp.unwrap(),
            from: "Login <login@operator.example.com>".to_owned(),
        }),
        ..WorldSettings::default()
    };
    let world = World::start_with(engine, settings).await;
    let admin = world.admin().await;
    let template = json!({
        "template": "blocked_account",
        "body": "Ours",
        "from": "Boss <boss@bank.example.com>",
        "subject": "Ours",
        "syntax": "liquid",
        "enabled": true,
    });
    admin.post("email-templates", template).await.expect(200);
    enqueue(&world, &letter(&world, "ana@example.com")).await;
    deliver(&world).await;
    let said = server.rest();
    let sent = &said[0]["mail"];
    assert_eq!(sent["from"], "login@operator.example.com");
    let content = sent["content"].as_str().unwrap();
    assert!(
        content.contains("Subject: Ours") && !content.contains("bank.example.com"),
        "{content}"
    );
}

/// The provider's password is sealed for its place: a row that is put elsewhere opens nothing.
async fn a_provider_copied_to_another_tenant_sends_nothing(engine: Engine) {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let world = world(engine, &server).await;
    let other = world.neighbour("other").await;
    let admin = world.admin().await;
    admin
        .post("emails/provider", provider(&server))
        .await
        .expect(201);
    let rows = world.app.tenant(&world.tenant.id);
    let record = rows.find_email_provider().await.unwrap().unwrap();
    let theirs = other.app.tenant(&other.tenant.id);
    theirs
        .write(async move |work: &mut Work| work.add_email_provider(&record).await)
        .await
        .unwrap();
    enqueue(&other, &letter(&other, "ana@example.com")).await;
    deliver(&other).await;
    assert_eq!(depth(&world).await, 1);
    assert_eq!(server.rest(), Vec::<Value>::new());
}

macro_rules! on_both {
    ($($story:ident,)+) => {
        mod sqlite {
            use testkit::Engine;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(Engine::Sqlite).await;
            })+
        }

        mod postgres {
            use testkit::Engine;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(Engine::Postgres).await;
            })+
        }
    };
}

on_both! {
    a_mail_goes_over_the_provider_under_tls_and_its_users_name,
    a_wrong_password_keeps_the_mail_until_it_is_mended,
    nothing_goes_to_a_provider_that_nobody_vouches_for,
    over_the_operators_server_no_tenant_chooses_the_sender,
    a_provider_copied_to_another_tenant_sends_nothing,
}
