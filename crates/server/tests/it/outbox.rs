//! The outbox of demo and development: there only where mails stay on the node, and only for who sits at it.

use axum::body::Body;
use http::Request;
use mail::{Smtp, SmtpSettings, TemplateName};
use model::TicketKind;
use serde_json::Map;
use server::Clock as _;
use server::courier::{Addressee, DefaultWay, Link, Notice, queued};
use storage::Work;
use testkit::{Answer, Engine, World, WorldSettings};

async fn get(world: &World, from: &str, path: &str) -> Answer {
    let request = Request::get(path).header("host", world.domain());
    world.send(from, request.body(Body::empty()).unwrap()).await
}

async fn with_a_mail(settings: WorldSettings) -> World {
    let world = World::start_with(Engine::Sqlite, settings).await;
    let link = Link {
        kind: TicketKind::Unblock,
        token: "SECRET".to_owned(),
        document: Map::new(),
        lifetime: None,
    };
    let to = Addressee::Address("\"<b>\" <ana@example.com>".to_owned());
    let notice = Notice {
        link: Some(link),
        ..Notice::template(TemplateName::BlockedAccount, to)
    };
    let mail = queued(&world.app, &world.tenant, &notice, world.clock.now());
    let rows = world.app.tenant(&world.tenant.id);
    rows.write(async move |work: &mut Work| work.enqueue_mail(&mail).await)
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn who_sits_at_the_machine_reads_the_mails_and_follows_their_links() {
    let world = with_a_mail(WorldSettings::default()).await;
    assert_eq!(world.mails().await.len(), 1);
    for from in ["127.0.0.1", "::1"] {
        let page = get(&world, from, "/outbox").await.expect(200);
        assert!(
            page.text.contains(
                "href=\"https://login.example.com/u/brute-force-protection-unblock?ticket=SECRET\""
            ),
            "{}",
            page.text
        );
        assert!(!page.text.contains("<b>"), "{}", page.text);
        let list = get(&world, from, "/outbox.json").await.expect(200).json();
        assert_eq!(list[0]["to"], "ana@example.com");
        assert_eq!(
            list[0]["links"][0],
            "https://login.example.com/u/brute-force-protection-unblock?ticket=SECRET"
        );
        assert!(list[1].is_null());
    }
}

#[tokio::test]
async fn nobody_else_learns_that_there_is_one() {
    let proxied = WorldSettings {
        trusted_proxies: vec!["127.0.0.0/8"],
        ..WorldSettings::default()
    };
    let world = with_a_mail(proxied).await;
    world.mails().await;
    for path in ["/outbox", "/outbox.json"] {
        let unknown = get(&world, "192.0.2.1", "/unheard-of").await.expect(404);
        assert_eq!(
            get(&world, "192.0.2.1", path).await.expect(404).text,
            unknown.text
        );
        // Through a proxy on this machine, the caller is who the proxy says.
        let request = Request::get(path)
            .header("host", world.domain())
            .header("x-forwarded-for", "192.0.2.1");
        world
            .send("127.0.0.1", request.body(Body::empty()).unwrap())
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn a_server_that_sends_has_none() {
    let smtp = Smtp::new(SmtpSettings {
        host: "mail.example.com".to_owned(),
        port: 465,
        security: mail::Security::Tls(mail::Roots::System),
        credentials: None,
        hello: "login.example.com".to_owned(),
        timeout: std::time::Duration::from_secs(1),
    });
    let sends = DefaultWay::Smtp {
        smtp: smtp.unwrap(),
        from: "login@example.com".to_owned(),
    };
    for way in [sends, DefaultWay::None] {
        let settings = WorldSettings {
            default_way: Some(way),
            ..WorldSettings::default()
        };
        let world = World::start_with(Engine::Sqlite, settings).await;
        for path in ["/outbox", "/outbox.json"] {
            get(&world, "127.0.0.1", path).await.expect(404);
        }
    }
}
