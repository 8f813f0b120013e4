//! Logins with a breached password: each row of the table, who is told, how often, and when it ends.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{PASSWORD, World, on_both_engines};

use super::support::{
    ADMINISTRATOR, ANA, HOME, LEAKED, SHIELD, TOLD, add_user, log_in, mails, name_administrator,
    recipients, set, shield, without_same_user_limit,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The shield's settings: what the login answers, how many events there are, who gets mail.
fn rows() -> [(Value, u16, usize, &'static [&'static str]); 11] {
    let on = |shields: &[&str]| json!({"enabled": true, "shields": shields, "admin_notification_frequency": ["immediately"]});
    [
        (json!({"enabled": false}), 200, 0, &[]),
        (
            json!({"enabled": false, "shields": ["block", "user_notification", "admin_notification"]}),
            200,
            0,
            &[],
        ),
        (on(&[]), 200, 1, &[]),
        (on(&["block"]), 401, 1, &[]),
        (on(&["user_notification"]), 200, 1, &[ANA]),
        (on(&["admin_notification"]), 200, 1, &[ADMINISTRATOR]),
        (on(&["block", "user_notification"]), 401, 1, &[ANA]),
        (
            on(&["block", "user_notification", "admin_notification"]),
            401,
            1,
            &[ADMINISTRATOR, ANA],
        ),
        (
            json!({"enabled": true, "shields": ["block", "admin_notification"], "admin_notification_frequency": []}),
            401,
            1,
            &[],
        ),
        (
            json!({"enabled": true, "shields": ["admin_notification"], "admin_notification_frequency": ["daily", "weekly", "monthly"]}),
            200,
            1,
            &[],
        ),
        // Other stages are no login.
        (
            json!({"enabled": true, "shields": [], "stage": {
                "pre-user-registration": {"shields": ["block", "admin_notification"]},
                "pre-change-password": {"shields": ["block", "admin_notification"]},
            }}),
            200,
            1,
            &[],
        ),
    ]
}

on_both_engines! {
    async fn each_setting_does_what_it_says(world: World) {
        let backend = world.backend(true).await;
        add_user(&world, ANA, LEAKED).await;
        name_administrator(&world).await;
        for (settings, status, events, told) in rows() {
            world.clock.advance(2 * HOUR);
            let before = world.admin().await.events("pwd_leak").await.len();
            set(&world, settings.clone()).await;
            let answer = log_in(&backend, ANA, LEAKED, HOME).await;
            assert_eq!(answer.status, status, "{settings}: {}", answer.text);
            if status == 401 {
                assert_eq!(answer.json(), json!({"error": "password_leaked", "error_description": TOLD}));
            }
            assert_eq!(world.admin().await.events("pwd_leak").await.len() - before, events, "{settings}");
            assert_eq!(recipients(&world).await, told, "{settings}");
        }
    }

    async fn the_documented_test_passwords_are_refused_and_others_are_not(world: World) {
        let backend = world.backend(true).await;
        shield(&world, json!(["block"])).await;
        for (number, (password, status)) in [
            ("Paaf213XXYYZZ", 401),
            ("Paat739!!WWXXYYZZ", 401),
            ("AUTH0-TEST-", 401),
            ("AUTH0-TEST-anything at all", 401),
            ("Password1", 401),
            ("paaf213xxyyzz-not", 200),
            (PASSWORD, 200),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("u{number}@example.com");
            add_user(&world, &name, password).await;
            for grant in ["password", "http://auth0.com/oauth/grant-type/password-realm"] {
                let login = backend.login(&name, password).end_user(HOME).with("grant_type", grant).with("realm", "Users");
                let answer = login.send().await;
                assert_eq!(answer.status, status, "{password} by {grant}: {}", answer.text);
            }
        }
    }

    async fn the_event_says_who_from_where_through_what(world: World) {
        let backend = world.backend(true).await;
        let user = add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        let admin = world.admin().await;
        let event = admin.events("pwd_leak").await[0].clone();
        assert_eq!(
            event["description"],
            "Someone behind the IP address: 192.0.2.1 attempted to login with a leaked password. A shield to prevent this action was enabled, further attempts are blocked."
        );
        assert_eq!(event["user_id"], user.as_str());
        assert_eq!(event["user_name"], ANA);
        assert_eq!(event["ip"], HOME);
        assert_eq!(event.get("client_ip"), None);
        assert_eq!(event["client_id"], backend.client_id.as_str());
        assert_eq!(event["connection"], "Users");
        assert_eq!(event["strategy"], "auth0");
        let ours = &event["details"]["portcullis"];
        assert_eq!((&ours["source"], &ours["refused"]), (&json!("used"), &json!(true)));
        assert_eq!(ours["decision"]["reason"], "breached_password");
        let exchange = admin.events("fepft").await[0].clone();
        assert_eq!(exchange["description"], TOLD);
        assert_eq!(exchange["user_id"], user.as_str());
        assert!(admin.events("fp").await.is_empty());
        assert!(!event.to_string().contains(LEAKED) && !exchange.to_string().contains(LEAKED));

        // Without `block`, the text does not say that anything is blocked.
        world.clock.advance(HOUR);
        shield(&world, json!([])).await;
        log_in(&backend, ANA, LEAKED, HOME).await.expect(200);
        let event = admin.events("pwd_leak").await[0].clone();
        assert!(event["description"].as_str().unwrap().ends_with("it went on."), "{event}");
        assert_eq!(event["details"]["portcullis"]["refused"], false);
    }

    async fn mails_and_events_are_throttled_and_the_refusal_never_is(world: World) {
        let backend = world.backend(true).await;
        name_administrator(&world).await;
        let all = json!(["block", "user_notification", "admin_notification"]);
        set(&world, json!({"enabled": true, "shields": all, "admin_notification_frequency": ["immediately"]})).await;
        let other = "ben@example.com";
        add_user(&world, ANA, LEAKED).await;
        add_user(&world, other, LEAKED).await;
        let admin = world.admin().await;
        let events = async || admin.events("pwd_leak").await.len();
        // User's mail once an hour and user, event and administrators' mail once an hour and source.
        let table: [(&str, &str, &[&str]); 5] = [
            (ANA, HOME, &[ADMINISTRATOR, ANA]),
            (ANA, HOME, &[]),
            (ANA, "192.0.2.2", &[ADMINISTRATOR]),
            (other, HOME, &[other]),
            (other, "192.0.2.2", &[]),
        ];
        for (name, from, told) in table {
            let before = events().await;
            log_in(&backend, name, LEAKED, from).await.expect(401);
            assert_eq!(events().await - before, usize::from(told.contains(&ADMINISTRATOR)), "{name} from {from}");
            assert_eq!(recipients(&world).await, told, "{name} from {from}");
        }
        world.clock.advance(HOUR - Duration::from_secs(1));
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        assert!(recipients(&world).await.is_empty());
        world.clock.advance(Duration::from_secs(1));
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        assert_eq!(recipients(&world).await, [ADMINISTRATOR, ANA]);
    }

    async fn the_mails_say_what_to_do_and_the_administrators_names_the_account(world: World) {
        let backend = world.backend(true).await;
        name_administrator(&world).await;
        let all = json!(["block", "user_notification", "admin_notification"]);
        set(&world, json!({"enabled": true, "shields": all, "admin_notification_frequency": ["immediately"]})).await;
        add_user(&world, ANA, LEAKED).await;
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        let mut sent = mails(&world).await;
        sent.sort_by_key(|mail| mail.to().address().to_owned());
        let (to_admin, to_user) = (&sent[0], &sent[1]);
        for word in [ANA, HOME, "Users", "refused"] {
            assert!(to_admin.text().contains(word), "{}", to_admin.text());
        }
        assert!(to_user.text().contains("choose a new password"), "{}", to_user.text());
        for mail in &sent {
            assert!(!mail.html().contains(LEAKED));
        }
    }

    async fn a_breached_password_is_refused_until_it_is_changed(world: World) {
        let backend = world.backend(true).await;
        let user = add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        for _ in 0..3 {
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
            world.clock.advance(40 * 24 * HOUR);
        }
        let path = format!("users/{}", user.replace('|', "%7C"));
        world.admin().await.patch(&path, json!({"password": PASSWORD, "connection": "Users"})).await.expect(200);
        log_in(&backend, ANA, PASSWORD, HOME).await.expect(200);
        log_in(&backend, ANA, LEAKED, HOME).await.expect(403);
    }

    async fn a_refused_breached_password_counts_neither_as_a_failure_nor_as_a_success(world: World) {
        let backend = world.backend(true).await;
        without_same_user_limit(&world).await;
        add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        // Not as a failure: more than the ten of the block.
        for _ in 0..12 {
            log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        }
        // Not as a success: it does not forget the nine before it.
        for _ in 0..9 {
            log_in(&backend, ANA, "wrong", HOME).await.expect(403);
        }
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        log_in(&backend, ANA, "wrong", HOME).await.expect(403);
        log_in(&backend, ANA, LEAKED, HOME).await.expect(429);
    }

    async fn a_blocked_user_is_told_that_and_nothing_of_the_breach(world: World) {
        let backend = world.backend(true).await;
        let user = add_user(&world, ANA, LEAKED).await;
        shield(&world, json!(["block"])).await;
        let path = format!("users/{}", user.replace('|', "%7C"));
        world.admin().await.patch(&path, json!({"blocked": true})).await.expect(200);
        assert_eq!(log_in(&backend, ANA, LEAKED, HOME).await.expect(403).description(), "user is blocked");
        assert!(world.admin().await.events("pwd_leak").await.is_empty());
    }


    async fn one_user_gets_one_mail_an_hour_by_whichever_name(world: World) {
        let admin = world.admin().await;
        let backend = world.backend(true).await;
        let path = format!("connections/{}", backend.connection_id);
        admin.patch(&path, json!({"options": {"requires_username": true}})).await.expect(200);
        let body = json!({"connection": "Users", "username": "ana", "email": ANA, "password": LEAKED, "verify_email": false});
        admin.post("users", body).await.expect(201);
        shield(&world, json!(["block", "user_notification"])).await;
        log_in(&backend, "ana", LEAKED, HOME).await.expect(401);
        log_in(&backend, ANA, LEAKED, HOME).await.expect(401);
        assert_eq!(recipients(&world).await, [ANA]);
    }

    async fn the_settings_are_merged_and_shown(world: World) {
        let admin = world.admin().await;
        let defaults = json!({
            "enabled": false,
            "shields": [],
            "admin_notification_frequency": [],
            "method": "standard",
            "stage": {"pre-user-registration": {"shields": []}, "pre-change-password": {"shields": []}},
        });
        assert_eq!(admin.get(SHIELD).await.expect(200).json(), defaults);
        let mut expected = defaults;
        for (sent, place, value) in [
            (json!({"enabled": true}), "/enabled", json!(true)),
            (json!({"shields": ["block", "user_notification"]}), "/shields", json!(["block", "user_notification"])),
            (json!({"method": "standard"}), "/method", json!("standard")),
            (json!({"admin_notification_frequency": ["daily"]}), "/admin_notification_frequency", json!(["daily"])),
            (
                json!({"stage": {"pre-change-password": {"shields": ["block"]}}}),
                "/stage/pre-change-password/shields",
                json!(["block"]),
            ),
            (
                json!({"stage": {"pre-user-registration": {"shields": ["admin_notification"]}}}),
                "/stage/pre-user-registration/shields",
                json!(["admin_notification"]),
            ),
        ] {
            *expected.pointer_mut(place).unwrap() = value;
            assert_eq!(admin.patch(SHIELD, sent).await.expect(200).json(), expected);
            assert_eq!(admin.get(SHIELD).await.expect(200).json(), expected);
        }
        // What was read can be written back.
        assert_eq!(admin.patch(SHIELD, expected.clone()).await.expect(200).json(), expected);
    }
}
