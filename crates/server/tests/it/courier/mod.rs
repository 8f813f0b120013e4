//! Mails from the queue to a server: nothing is lost, what is given up is told, what may go twice can be seen to be one.

#[path = "../../../../mail/tests/smtp/server.rs"]
#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the tests of mail"
)]
mod smtp_server;

mod provider;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use mail::{Outbox, TemplateName, Transport, next_try};
use model::{EventField, EventFilter, EventType, TicketKind, UserId};
use server::Clock as _;
use server::courier::{
    Addressee, Courier, LEASE, Link, Notice, Route, Way, queued, to_administrators,
};
use storage::{EventQuery, EventRange, Page, QueuedMail, Work};
use testkit::{World, on_both_engines};

use smtp_server::{Protection, Server};

fn by(transport: Transport) -> Route {
    let way = Way::from(transport);
    Arc::new(move |_| {
        let way = way.clone();
        Box::pin(async move { Ok(way) })
    })
}

fn no_way() -> Route {
    Arc::new(|_| Box::pin(async { Err("no provider".to_owned()) }))
}

fn letter(world: &World, to: &str) -> QueuedMail {
    let link = Link {
        kind: TicketKind::Unblock,
        token: "SECRET".to_owned(),
        document: serde_json::Map::new(),
        lifetime: None,
    };
    let to = Addressee::Address(to.to_owned());
    let notice = Notice {
        link: Some(link),
        ..Notice::template(TemplateName::BlockedAccount, to)
    };
    queued(&world.app, &world.tenant, &notice, world.clock.now())
}

async fn enqueue(world: &World, mail: &QueuedMail) {
    let mail = mail.clone();
    let rows = world.app.tenant(&world.tenant.id);
    rows.write(async move |work: &mut Work| work.enqueue_mail(&mail).await)
        .await
        .unwrap();
}

async fn depth(world: &World) -> u64 {
    world.app.store.count_queued_mails(100).await.unwrap()
}

async fn failures(world: &World) -> Vec<model::LogEvent> {
    let code = EventType::NotificationFailed.code().to_owned();
    let query = EventQuery {
        range: EventRange::NewestFirst(Page::numbered(0, 1_000)),
        filter: EventFilter::Is(EventField::Type, code),
    };
    world
        .app
        .tenant(&world.tenant.id)
        .list_events(&query)
        .await
        .unwrap()
        .items
}

fn message_ids(said: &[serde_json::Value]) -> Vec<&str> {
    let content = said
        .iter()
        .filter_map(|event| event["mail"]["content"].as_str());
    content
        .map(|content| {
            content
                .split_once("Message-ID: ")
                .unwrap()
                .1
                .lines()
                .next()
                .unwrap()
        })
        .collect()
}

on_both_engines! {
    async fn a_mail_goes_out_and_leaves_the_queue(world: World) {
        let outbox = Outbox::default();
        let courier = Courier::new(&world.app, by(Transport::Outbox(outbox.clone())));
        let mail = letter(&world, "ana@example.com");
        assert!(!String::from_utf8_lossy(&mail.sealed).contains("SECRET"));
        enqueue(&world, &mail).await;
        courier.deliver_due().await.unwrap();
        courier.deliver_due().await.unwrap();
        let sent = outbox.mails();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].message_id(), format!("<{}@login.example.com>", mail.mail_id));
        assert!(sent[0].text().contains("ticket=SECRET"));
        assert_eq!((depth(&world).await, failures(&world).await.len()), (0, 0));
    }

    async fn many_mails_of_many_tenants_go_out_once_each_from_two_couriers(world: World) {
        let other = world.neighbour("other").await;
        for number in 0..30 {
            let to = format!("u{number}@example.com");
            enqueue(&world, &letter(&world, &to)).await;
            enqueue(&other, &letter(&other, &to)).await;
        }
        let outbox = Outbox::default();
        let couriers = [(); 2].map(|()| Courier::new(&world.app, by(Transport::Outbox(outbox.clone()))));
        let (left, right) = tokio::join!(couriers[0].deliver_due(), couriers[1].deliver_due());
        left.unwrap();
        right.unwrap();
        // One courier may have found the last mails claimed while the other was still sending them.
        couriers[0].deliver_due().await.unwrap();
        let mut ids: Vec<String> = outbox.mails().iter().map(|mail| mail.message_id().to_owned()).collect();
        ids.sort_unstable();
        assert_eq!(ids.len(), 60);
        ids.dedup();
        assert_eq!(ids.len(), 60, "none twice");
        assert_eq!(depth(&world).await, 0);
    }

    async fn without_a_way_a_mail_waits_for_a_day_and_is_given_up_with_an_event(world: World) {
        let courier = Courier::new(&world.app, no_way());
        let mail = letter(&world, "ana@example.com");
        enqueue(&world, &mail).await;
        let mut attempts = 0;
        for wait in (1..).map_while(next_try) {
            courier.deliver_due().await.unwrap();
            attempts += 1;
            assert_eq!((depth(&world).await, failures(&world).await.len()), (1, 0), "attempt {attempts}");
            // Not before its time.
            world.clock.advance(wait - Duration::from_secs(1));
            assert!(world.app.store.list_tenants_with_due_mail(world.clock.now()).await.unwrap().is_empty());
            world.clock.advance(Duration::from_secs(1));
        }
        courier.deliver_due().await.unwrap();
        assert_eq!(depth(&world).await, 0);
        let events = failures(&world).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].description, "To: ana@example.com");
        assert_eq!(events[0].details["email_type"], "blocked_account");
        assert_eq!(events[0].details["error"]["message"], "no provider");
        assert_eq!(events[0].details["portcullis"]["message_id"], mail.message_id);
        assert_eq!(events[0].details["portcullis"]["attempts"], attempts + 1);
        assert_eq!(events[0].hostname, "login.example.com");
        assert!(!format!("{events:?}").contains("SECRET"));
    }

    async fn the_mail_of_a_node_that_died_goes_out_when_its_lease_ends(world: World) {
        let mail = letter(&world, "ana@example.com");
        enqueue(&world, &mail).await;
        let rows = world.app.tenant(&world.tenant.id);
        let now = world.clock.now();
        // A node claims, and is never heard of again.
        assert_eq!(rows.claim_mails(now, 9, now + LEASE).await.unwrap().len(), 1);
        let outbox = Outbox::default();
        let courier = Courier::new(&world.app, by(Transport::Outbox(outbox.clone())));
        world.clock.advance(LEASE - Duration::from_secs(1));
        courier.deliver_due().await.unwrap();
        assert_eq!(outbox.mails().len(), 0);
        world.clock.advance(Duration::from_secs(1));
        courier.deliver_due().await.unwrap();
        assert_eq!(outbox.mails()[0].message_id(), mail.message_id);
        assert_eq!(depth(&world).await, 0);
    }

    async fn the_event_of_a_mail_that_is_given_up_names_whom_it_was_for(world: World) {
        let backend = world.backend(true).await;
        let user = backend.add_user("ana@example.com").await;
        let notice = Notice::template(TemplateName::WelcomeEmail, Addressee::User(UserId::new(user)));
        let mail = queued(&world.app, &world.tenant, &notice, world.clock.now());
        assert_eq!(mail.recipient, "", "looked up when it is sent");
        enqueue(&world, &mail).await;
        let courier = Courier::new(&world.app, no_way());
        courier.deliver_due().await.unwrap();
        for wait in (1..).map_while(next_try) {
            world.clock.advance(wait);
            courier.deliver_due().await.unwrap();
        }
        assert_eq!(failures(&world).await[0].description, "To: ana@example.com");
    }

    async fn a_notice_goes_to_each_administrator_and_to_nobody_else(world: World) {
        let notices = |tenant| {
            let paragraphs = ["192.0.2.1 <script> was stopped.".to_owned()];
            to_administrators(&world.app, tenant, "An address was stopped", &paragraphs, world.clock.now())
        };
        assert!(notices(&world.tenant).is_empty(), "nobody is named");
        let mut tenant = world.tenant.clone();
        tenant.attack_protection.administrators = vec!["ana@example.com".to_owned(), "bo@example.com".to_owned()];
        for mail in notices(&tenant) {
            enqueue(&world, &mail).await;
        }
        let mails = world.mails().await;
        let mut to: Vec<&str> = mails.iter().map(|mail| mail.to().address()).collect();
        to.sort_unstable();
        assert_eq!(to, ["ana@example.com", "bo@example.com"]);
        assert_eq!(mails[0].subject(), "An address was stopped");
        assert!(mails[0].html().contains("192.0.2.1 &lt;script&gt; was stopped."), "{}", mails[0].html());
        assert_ne!(mails[0].message_id(), mails[1].message_id());
    }

    async fn a_mail_that_does_not_open_is_given_up_at_once(world: World) {
        let mail = QueuedMail { mail_id: "moved".to_owned(), ..letter(&world, "ana@example.com") };
        enqueue(&world, &mail).await;
        let outbox = Outbox::default();
        Courier::new(&world.app, by(Transport::Outbox(outbox.clone()))).deliver_due().await.unwrap();
        assert_eq!((outbox.mails().len(), depth(&world).await), (0, 0));
        let message = failures(&world).await[0].details["error"]["message"].clone();
        assert_eq!(message, "a sealed value does not open with this root key");
    }

    async fn a_real_server_that_fails_breaks_off_and_refuses_loses_nothing(world: World) {
        let Some(server) = Server::start(Protection::StartTls, &["451", "drop", "ok"]) else { return };
        let courier = Courier::new(&world.app, by(server.transport()));
        let mail = letter(&world, "ana@example.com");
        enqueue(&world, &mail).await;
        for _ in 0..3 {
            courier.deliver_due().await.unwrap();
            world.clock.advance(Duration::from_secs(60));
        }
        let said = server.rest();
        assert_eq!(said[0]["failed"], "451");
        assert_eq!(message_ids(&said), [mail.message_id.as_str(); 2], "twice, since the first was not answered");
        assert_eq!((depth(&world).await, failures(&world).await.len()), (0, 0));

        let refusing = Server::start(Protection::None, &["550"]).unwrap();
        enqueue(&world, &letter(&world, "nobody@example.com")).await;
        Courier::new(&world.app, by(refusing.transport())).deliver_due().await.unwrap();
        assert_eq!(depth(&world).await, 0, "no second try");
        let events = failures(&world).await;
        assert_eq!(events[0].description, "To: nobody@example.com");
        assert!(events[0].details["error"]["message"].as_str().unwrap().contains("550"), "{events:?}");
    }
}
