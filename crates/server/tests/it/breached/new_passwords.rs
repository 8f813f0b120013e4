//! Breached passwords that are to be set: at the sign-up and behind a reset link, each row of the stage's shields.

use std::time::Duration;

use serde_json::json;
use testkit::{PASSWORD, World, on_both_engines};

use super::support::{
    ADMINISTRATOR, ANA, HOME, LEAKED, add_user, log_in, name_administrator, recipients, set,
};
use crate::people::{ask_for_reset, new_person, post};

const SIGN_UP: &str = "/dbconnections/signup";
const HOURS: Duration = Duration::from_secs(2 * 3_600);

/// The stage's shields: whether it refuses, and whether administrators get a mail.
const ROWS: [(&[&str], bool, bool); 4] = [
    (&[], false, false),
    (&["block"], true, false),
    (&["admin_notification"], false, true),
    (&["block", "admin_notification"], true, true),
];

on_both_engines! {
    async fn each_shield_of_the_sign_up_does_what_it_says(world: World) {
        let backend = world.backend(true).await;
        name_administrator(&world).await;
        let admin = world.admin().await;
        for (number, (shields, refuses, tells)) in ROWS.into_iter().enumerate() {
            world.clock.advance(HOURS);
            let stage = json!({"pre-user-registration": {"shields": shields}});
            set(&world, json!({"enabled": true, "admin_notification_frequency": ["immediately"], "stage": stage})).await;
            recipients(&world).await;
            let before = admin.events("signup_pwd_leak").await.len();
            let name = format!("eve{number}@example.com");
            let mut body = new_person(&backend, &name);
            body["password"] = json!(LEAKED);
            let told = post(&world, HOME, SIGN_UP, &[], &body).await;
            assert_eq!(told.status, if refuses { 400 } else { 200 }, "{shields:?}: {}", told.text);
            if refuses {
                assert_eq!(told.json()["code"], "password_leaked", "{}", told.text);
                assert_eq!(told.json()["statusCode"], 400);
                log_in(&backend, &name, LEAKED, HOME).await.expect(403);
            }
            let events = admin.events("signup_pwd_leak").await;
            assert_eq!(events.len() - before, 1, "{shields:?}");
            assert_eq!(events[0]["details"]["portcullis"]["refused"], refuses);
            assert!(events[0]["description"].as_str().unwrap().contains("attempted to sign up with a leaked password"));
            let told = recipients(&world).await;
            assert_eq!(told.contains(&ADMINISTRATOR.to_owned()), tells, "{shields:?}: {told:?}");
        }
        // A sound password passes, and off is off.
        post(&world, HOME, SIGN_UP, &[], &new_person(&backend, "zoe@example.com")).await.expect(200);
        set(&world, json!({"enabled": false})).await;
        let mut body = new_person(&backend, "yan@example.com");
        body["password"] = json!(LEAKED);
        post(&world, HOME, SIGN_UP, &[], &body).await.expect(200);
    }

    async fn a_refused_sign_up_does_not_tell_who_has_an_account(world: World) {
        let backend = world.backend(true).await;
        add_user(&world, ANA, PASSWORD).await;
        set(&world, json!({"enabled": true, "stage": {"pre-user-registration": {"shields": ["block"]}}})).await;
        let mut told = Vec::new();
        for name in [ANA, "nobody@example.com"] {
            let mut body = new_person(&backend, name);
            body["password"] = json!(LEAKED);
            told.push(post(&world, HOME, SIGN_UP, &[], &body).await.expect(400).text);
        }
        assert_eq!(told[0], told[1]);
        log_in(&backend, ANA, PASSWORD, HOME).await.expect(200);
    }

    async fn each_shield_of_the_reset_does_what_it_says(world: World) {
        let backend = world.backend(true).await;
        name_administrator(&world).await;
        let admin = world.admin().await;
        for (number, (shields, refuses, tells)) in ROWS.into_iter().enumerate() {
            world.clock.advance(HOURS);
            let stage = json!({"pre-change-password": {"shields": shields}});
            set(&world, json!({"enabled": true, "admin_notification_frequency": ["immediately"], "stage": stage})).await;
            let name = format!("eve{number}@example.com");
            let user = add_user(&world, &name, PASSWORD).await;
            ask_for_reset(&backend, HOME, &name).await.expect(200);
            let link = world.mailbox(&name).newest_link().await;
            let eve = world.visitor(HOME);
            let page = eve.open(&link).await.expect(200);
            let before = admin.events("reset_pwd_leak").await.len();
            let leaked = [("password", LEAKED), ("confirmation", LEAKED)];
            let told = eve.press(&page, &leaked).await;
            assert_eq!(told.status, if refuses { 400 } else { 200 }, "{shields:?}: {}", told.text);
            let events = admin.events("reset_pwd_leak").await;
            assert_eq!(events.len() - before, 1, "{shields:?}");
            assert_eq!(events[0]["user_id"], user.as_str());
            let mails = recipients(&world).await;
            assert_eq!(mails.contains(&ADMINISTRATOR.to_owned()), tells, "{shields:?}: {mails:?}");
            if refuses {
                // The old password stays, and the link is good for another one.
                assert!(told.text.contains("stolen from another site"), "{}", told.text);
                log_in(&backend, &name, PASSWORD, HOME).await.expect(200);
                let sound = [("password", "Another-Horse-8-Battery"), ("confirmation", "Another-Horse-8-Battery")];
                eve.press(&page, &sound).await.expect(200);
            }
        }
    }
}
