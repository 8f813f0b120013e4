//! Mails to a real SMTP server that takes them, refuses them, fails for a while, falls silent or breaks off.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

#[allow(
    dead_code,
    clippy::allow_attributes,
    reason = "shared with the tests of the server and of the binary"
)]
mod server;

use jiff::Timestamp;
use mail::{
    Credentials, Draft, Message, Roots, Security, SendError, Smtp, SmtpSettings, Transport,
};
use serde_json::Value;

use server::{Protection, Server};

fn draft() -> Draft {
    Draft {
        from: "Shop <shop@example.com>".to_owned(),
        to: "ana@example.com".to_owned(),
        subject: "Your link, Jürgen".to_owned(),
        html: "<p>Hello,</p>\n.\n<p><a href=\"https://one.example.com/u/x?ticket=T\">go on</a></p>\n..".to_owned(),
        message_id: "<m1@one.example.com>".to_owned(),
        date: Timestamp::from_second(1_790_000_000).unwrap(),
    }
}

fn message() -> Message {
    Message::new(draft()).unwrap()
}

fn transport(settings: SmtpSettings) -> Transport {
    Transport::Smtp(Smtp::new(settings).unwrap())
}

fn transient(sent: Result<(), SendError>) -> String {
    match sent {
        Err(SendError::Transient(reason)) => reason,
        other => panic!("{other:?} is not a failure for now"),
    }
}

fn permanent(sent: Result<(), SendError>) -> String {
    match sent {
        Err(SendError::Permanent(reason)) => reason,
        other => panic!("{other:?} is not a refusal for good"),
    }
}

fn message_id(said: &Value) -> &str {
    let content = said["mail"]["content"].as_str().unwrap();
    let (_, after) = content.split_once("Message-ID: ").unwrap();
    after.lines().next().unwrap()
}

#[tokio::test]
async fn a_mail_arrives_protected_and_whole() {
    for protection in [Protection::StartTls, Protection::Tls, Protection::None] {
        let Some(mut server) = Server::start(protection, &["ok"]) else {
            return;
        };
        assert_eq!(server.transport().send(&message()).await, Ok(()));
        let said = server.next();
        let mail = &said["mail"];
        let protected = protection != Protection::None;
        assert_eq!(mail["from"], "shop@example.com");
        assert_eq!(mail["to"], serde_json::json!(["ana@example.com"]));
        assert_eq!(mail["tls"], protected);
        assert_eq!(
            mail["user"],
            if protected {
                Value::from("shop")
            } else {
                Value::Null
            }
        );
        assert_eq!(message_id(&said), "<m1@one.example.com>");
        let content = mail["content"].as_str().unwrap();
        assert!(
            content.contains("go on (https://one.example.com/u/x?ticket=T)"),
            "{content}"
        );
        assert!(
            content.contains("\r\n.\r\n<p>"),
            "a line of one dot arrives: {content}"
        );
        assert_eq!(server.rest(), Vec::<Value>::new(), "once");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_refused_for_good() {
    let Some(server) = Server::start(Protection::None, &["550", "data554"]) else {
        return;
    };
    let reason = permanent(server.transport().send(&message()).await);
    assert!(
        reason.contains("550") && reason.contains("no mailbox for ana@example.com"),
        "{reason}"
    );
    let reason = permanent(server.transport().send(&message()).await);
    assert!(reason.contains("554"), "{reason}");
}

#[tokio::test]
async fn a_server_that_fails_for_a_while_gets_the_mail_later() {
    let Some(mut server) = Server::start(Protection::StartTls, &["451", "data452", "ok"]) else {
        return;
    };
    let transport = server.transport();
    assert!(transient(transport.send(&message()).await).contains("451"));
    assert!(transient(transport.send(&message()).await).contains("452"));
    assert_eq!(transport.send(&message()).await, Ok(()));
    assert_eq!(server.next()["failed"], "451");
    assert_eq!(server.next()["failed"], "data452");
    assert_eq!(message_id(&server.next()), "<m1@one.example.com>");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let Some(mut server) = Server::start(Protection::None, &["hang"]) else {
        return;
    };
    let transport = server.transport();
    let message = message();
    let heard = async {
        let said = tokio::task::spawn_blocking(move || (server.next(), server));
        let (said, server) = said.await.unwrap();
        assert_eq!(said["failed"], "hang");
        // From here on the runtime jumps to the next deadline as soon as nothing happens.
        tokio::time::pause();
        server
    };
    let (sent, _server) = tokio::join!(transport.send(&message), heard);
    transient(sent);
}

#[tokio::test]
async fn a_server_that_breaks_off_after_the_text_may_get_it_twice_and_can_see_that() {
    let Some(mut server) = Server::start(Protection::None, &["drop", "ok"]) else {
        return;
    };
    let transport = server.transport();
    transient(transport.send(&message()).await);
    // As the queue has it: the same message, from its bytes.
    let again = Message::from_bytes(&message().to_bytes()).unwrap();
    assert_eq!(transport.send(&again).await, Ok(()));
    let (first, second) = (server.next(), server.next());
    assert_eq!(message_id(&first), message_id(&second));
    let after_headers = |said: &Value| {
        said["mail"]["content"]
            .as_str()
            .unwrap()
            .find("Date: Mon, 21 Sep 2026")
    };
    assert!(after_headers(&first).is_some() && after_headers(&second).is_some());
}

#[tokio::test]
async fn nothing_goes_to_a_server_that_nobody_vouches_for() {
    for protection in [Protection::StartTls, Protection::Tls] {
        let Some(server) = Server::start(protection, &["ok"]) else {
            return;
        };
        let other = Server::start(protection, &["ok"]).unwrap();
        let security = other.settings().security;
        let strangers = SmtpSettings {
            security,
            ..server.settings()
        };
        transient(transport(strangers).send(&message()).await);
        let wrong_name = SmtpSettings {
            host: "127.0.0.1".to_owned(),
            ..server.settings()
        };
        transient(transport(wrong_name).send(&message()).await);
        assert_eq!(server.rest(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn on_this_machine_tls_is_taken_where_it_is_offered_and_judged_where_somebody_vouches() {
    for (protection, vouched_for) in [
        (Protection::None, false),
        (Protection::StartTls, false),
        (Protection::StartTls, true),
    ] {
        let Some(mut server) = Server::start(protection, &["ok"]) else {
            return;
        };
        let roots = if vouched_for {
            server.roots()
        } else {
            Roots::System
        };
        let settings = SmtpSettings {
            security: Security::suitable("localhost", 25, roots),
            ..server.settings()
        };
        assert_eq!(transport(settings).send(&message()).await, Ok(()));
        assert_eq!(
            server.next()["mail"]["tls"],
            protection == Protection::StartTls
        );
    }
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let other = Server::start(Protection::StartTls, &["ok"]).unwrap();
    let settings = SmtpSettings {
        security: Security::suitable("localhost", 25, other.roots()),
        ..server.settings()
    };
    let reason = transient(transport(settings).send(&message()).await);
    assert!(reason.starts_with("STARTTLS: "), "{reason}");
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn tls_that_was_asked_for_is_never_left_out() {
    let Some(server) = Server::start(Protection::None, &["ok"]) else {
        return;
    };
    let settings = SmtpSettings {
        security: Security::StartTls(Roots::System),
        ..server.settings()
    };
    let reason = transient(transport(settings).send(&message()).await);
    assert!(reason.starts_with("STARTTLS: "), "{reason}");
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_wrong_password_keeps_the_mail_and_is_told_to_nobody() {
    let Some(server) = Server::start(Protection::StartTls, &["ok"]) else {
        return;
    };
    let credentials = Credentials {
        user: "shop".to_owned(),
        password: "hunter2".to_owned(),
    };
    let settings = SmtpSettings {
        credentials: Some(credentials),
        ..server.settings()
    };
    let reason = transient(transport(settings).send(&message()).await);
    assert_eq!(reason, "AUTH: the server refused our credentials (535)");
    let without = SmtpSettings {
        credentials: None,
        ..server.settings()
    };
    let reason = transient(transport(without).send(&message()).await);
    assert!(reason.contains("530"), "{reason}");
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_address_that_this_server_can_never_take_is_refused_for_good() {
    let Some(server) = Server::start(Protection::None, &["ok"]) else {
        return;
    };
    let beyond_ascii = Message::new(Draft {
        to: "jürgen@example.com".to_owned(),
        ..draft()
    })
    .unwrap();
    assert!(permanent(server.transport().send(&beyond_ascii).await).contains("SMTPUTF8"));
    assert_eq!(server.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_server_that_is_not_there_keeps_the_mail() {
    let Some(server) = Server::start(Protection::None, &["ok"]) else {
        return;
    };
    let settings = server.settings();
    drop(server);
    let reason = transient(transport(settings).send(&message()).await);
    assert!(reason.starts_with("connecting: "), "{reason}");
}
