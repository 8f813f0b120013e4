//! §5: what each setting takes, what each stage counts and refuses, what each endpoint answers.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::{Admin, Attacker, Backend, PASSWORD, World, on_both_engines};

use crate::people::post;

const ANA: &str = "ana@example.com";
const OFFICE: &str = "office@example.com";
const HOME: &str = "192.0.2.1";
const BRUTE_FORCE: &str = "attack-protection/brute-force-protection";
const THROTTLING: &str = "attack-protection/suspicious-ip-throttling";

/// A stage of the throttle, with numbers that are in range where the row does not say otherwise.
fn stage(name: &str, max_attempts: u32, rate: u32) -> Value {
    json!({"stage": {name: {"max_attempts": max_attempts, "rate": rate}}})
}

/// §5.1 and §5.2: a change, and whether it is one.
fn domains() -> Vec<(&'static str, Value, bool)> {
    let (login, sign_up) = ("pre-login", "pre-user-registration");
    let many = |count: usize| json!({"allowlist": (0..count).map(|n| format!("192.0.2.{n}")).collect::<Vec<_>>()});
    let mut rows = vec![
        (BRUTE_FORCE, json!({"enabled": false}), true),
        (BRUTE_FORCE, json!({"enabled": true}), true),
        (BRUTE_FORCE, json!({"enabled": "true"}), false),
        (BRUTE_FORCE, json!({"enabled": null}), false),
        (BRUTE_FORCE, json!({"shields": []}), true),
        (BRUTE_FORCE, json!({"shields": ["block"]}), true),
        (BRUTE_FORCE, json!({"shields": ["user_notification"]}), true),
        (
            BRUTE_FORCE,
            json!({"shields": ["user_notification", "block"]}),
            true,
        ),
        (
            BRUTE_FORCE,
            json!({"shields": ["admin_notification"]}),
            false,
        ),
        (BRUTE_FORCE, json!({"shields": "block"}), false),
        (BRUTE_FORCE, json!({"mode": "count_per_identifier"}), true),
        (
            BRUTE_FORCE,
            json!({"mode": "count_per_identifier_and_ip"}),
            true,
        ),
        (BRUTE_FORCE, json!({"mode": "count_per_ip"}), false),
        (BRUTE_FORCE, json!({"max_attempts": 1}), true),
        (BRUTE_FORCE, json!({"max_attempts": 100}), true),
        (BRUTE_FORCE, json!({"max_attempts": 0}), false),
        (BRUTE_FORCE, json!({"max_attempts": 101}), false),
        (BRUTE_FORCE, json!({"max_attempts": 1.5}), false),
        (BRUTE_FORCE, json!({"max_attempts": "10"}), false),
        (THROTTLING, json!({"enabled": false}), true),
        (THROTTLING, json!({"enabled": true}), true),
        (THROTTLING, json!({"enabled": 1}), false),
        (THROTTLING, json!({"shields": []}), true),
        (THROTTLING, json!({"shields": ["block"]}), true),
        (THROTTLING, json!({"shields": ["admin_notification"]}), true),
        (
            THROTTLING,
            json!({"shields": ["admin_notification", "block"]}),
            true,
        ),
        (THROTTLING, json!({"shields": ["user_notification"]}), false),
        (THROTTLING, stage(login, 1, 864_000), true),
        (THROTTLING, stage(login, 2_500, 864_000), true),
        (THROTTLING, stage(login, 0, 864_000), false),
        (THROTTLING, stage(login, 2_501, 864_000), false),
        (THROTTLING, stage(login, 100, 34_560), true),
        (THROTTLING, stage(login, 100, 86_400_000), true),
        (THROTTLING, stage(login, 100, 34_559), false),
        (THROTTLING, stage(login, 100, 86_400_001), false),
        (THROTTLING, stage(sign_up, 1, 1_200), true),
        (THROTTLING, stage(sign_up, 72_000, 1_200), true),
        (THROTTLING, stage(sign_up, 0, 1_200), false),
        (THROTTLING, stage(sign_up, 72_001, 1_200), false),
        (THROTTLING, stage(sign_up, 50, 86_400_000), true),
        (THROTTLING, stage(sign_up, 50, 1_199), false),
        (THROTTLING, stage(sign_up, 50, 86_400_001), false),
        (THROTTLING, stage("pre-logout", 50, 1_200), false),
        (THROTTLING, many(100), true),
        (THROTTLING, many(101), false),
    ];
    for path in [BRUTE_FORCE, THROTTLING] {
        for (entry, is_one) in [
            ("192.0.2.1", true),
            ("192.0.2.0/24", true),
            ("2001:db8::1", true),
            ("2001:db8::/32", true),
            ("192.0.2.0/33", false),
            ("192.0.2", false),
            ("shop.example.com", false),
        ] {
            rows.push((path, json!({"allowlist": [entry]}), is_one));
        }
    }
    rows
}

/// Something that comes from an address.
#[derive(Clone, Copy, Debug)]
enum Act {
    WrongPassword,
    UnknownName,
    RightPassword,
    LoginWithoutPassword,
    SignUp,
    SignUpWithWeakPassword,
    SignUpOfSomebodyKnown,
    SignUpWithoutAddress,
}

/// §5.2: which of the two buckets it counts in.
const COUNTED: [(Act, bool, bool); 8] = [
    (Act::WrongPassword, true, false),
    (Act::UnknownName, true, false),
    (Act::RightPassword, false, false),
    (Act::LoginWithoutPassword, false, false),
    (Act::SignUp, false, true),
    (Act::SignUpWithWeakPassword, false, true),
    (Act::SignUpOfSomebodyKnown, false, true),
    (Act::SignUpWithoutAddress, false, false),
];

impl Act {
    async fn from(self, backend: &Backend<'_>, address: &str, email: &str) {
        let sign_up =
            async |email: &str, password: &str| sign_up(backend, address, email, password).await;
        let status = match self {
            Self::WrongPassword => backend.login_wrong(ANA, address).await.status,
            Self::UnknownName => backend.login_wrong(email, address).await.status,
            Self::RightPassword => backend.login_right(ANA, address).await.status,
            Self::LoginWithoutPassword => {
                let call = backend.login(ANA, "").end_user(address);
                call.with("password", Value::Null).send().await.status
            }
            Self::SignUp => sign_up(email, PASSWORD).await,
            Self::SignUpWithWeakPassword => sign_up(email, "weak").await,
            Self::SignUpOfSomebodyKnown => sign_up(ANA, PASSWORD).await,
            Self::SignUpWithoutAddress => sign_up("no address", PASSWORD).await,
        };
        assert_ne!(status, 429, "{self:?}");
    }
}

async fn sign_up(backend: &Backend<'_>, address: &str, email: &str, password: &str) -> u16 {
    let body = json!({
        "client_id": backend.client_id,
        "connection": "Users",
        "email": email,
        "password": password,
    });
    let told = post(backend.world, address, "/dbconnections/signup", &[], &body).await;
    if told.status == 429 {
        let told = told.json();
        assert_eq!(told["code"], "too_many_attempts");
    }
    told.status
}

async fn both_stages(admin: &Admin<'_>, max_attempts: u32) {
    for (name, rate) in [
        ("pre-login", 86_400_000),
        ("pre-user-registration", 86_400_000),
    ] {
        admin
            .patch(THROTTLING, stage(name, max_attempts, rate))
            .await
            .expect(200);
    }
}

on_both_engines! {
    async fn each_setting_takes_its_domain_and_nothing_else(world: World) {
        let admin = world.admin().await;
        for (path, change, is_one) in domains() {
            let before = admin.get(path).await.expect(200).json();
            let told = admin.patch(path, change.clone()).await;
            let after = admin.get(path).await.expect(200).json();
            if !is_one {
                assert_eq!((told.status, told.text_of("errorCode").as_str()), (400, "invalid_body"), "{path} {change}");
                assert_eq!(after, before, "{path} {change}");
                continue;
            }
            assert_eq!(told.status, 200, "{path} {change}: {}", told.text);
            assert_eq!(told.json(), after, "the whole object comes back");
            // A merge: what was sent is there, and all else is as it was.
            let mut expected = before;
            for (name, value) in change.as_object().unwrap() {
                match value.as_object() {
                    Some(stages) => expected[name].as_object_mut().unwrap().extend(stages.clone()),
                    None => expected[name] = value.clone(),
                }
            }
            assert_eq!(after, expected, "{path} {change}");
        }
    }

    async fn the_throttle_begins_with_the_documented_object(world: World) {
        let shown = world.admin().await.get(THROTTLING).await.expect(200).json();
        let mut shields: Vec<&str> = shown["shields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        shields.sort_unstable();
        assert_eq!(shields, ["admin_notification", "block"]);
        assert_eq!((&shown["enabled"], &shown["allowlist"]), (&json!(true), &json!([])));
        assert_eq!(shown["stage"], json!({
            "pre-login": {"max_attempts": 100, "rate": 864_000},
            "pre-user-registration": {"max_attempts": 50, "rate": 1_200},
            "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600_000},
        }));
    }

    async fn each_stage_counts_its_own_and_refuses_its_own(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        both_stages(&admin, 2).await;
        for (number, (act, of_logins, of_sign_ups)) in COUNTED.into_iter().enumerate() {
            let address = format!("192.0.2.{number}");
            for time in 0..2 {
                act.from(&backend, &address, &format!("u{number}-{time}@example.com")).await;
            }
            let login = backend.login_right(ANA, &address).await;
            assert_eq!(login.status, if of_logins { 429 } else { 200 }, "{act:?}: {}", login.text);
            let sign_up = sign_up(&backend, &address, &format!("new{number}@example.com"), PASSWORD).await;
            assert_eq!(sign_up, if of_sign_ups { 429 } else { 200 }, "{act:?}");
        }
    }

    async fn each_switch_of_the_throttle_is_one_of_sign_ups_too(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        both_stages(&admin, 1).await;
        admin.patch("portcullis/attack-protection", json!({"administrators": [OFFICE]})).await.expect(200);
        let on = json!({"enabled": true, "shields": ["block"], "allowlist": []});
        for (number, (change, refuses)) in [
            (json!({}), true),
            (json!({"enabled": false}), false),
            (json!({"shields": []}), false),
            (json!({"shields": ["admin_notification"]}), false),
            (json!({"shields": ["admin_notification", "block"]}), true),
            (json!({"allowlist": ["198.51.100.0/24"]}), false),
            (json!({"allowlist": ["198.51.101.0/24"]}), true),
        ]
        .into_iter()
        .enumerate()
        {
            admin.patch(THROTTLING, on.clone()).await.expect(200);
            admin.patch(THROTTLING, change.clone()).await.expect(200);
            let address = format!("198.51.100.{number}");
            world.clock.advance(Duration::from_secs(3_600));
            let office = async || world.mailbox(OFFICE).mails().await.len();
            let (events, mails) = (admin.events("limit_mu").await.len(), office().await);
            let mut statuses = Vec::new();
            for time in 0..3 {
                let email = format!("u{number}-{time}@example.com");
                statuses.push(sign_up(&backend, &address, &email, PASSWORD).await);
            }
            let later = if refuses { 429 } else { 200 };
            assert_eq!(statuses, [200, later, later], "{change}");
            // It is told once an hour wherever the shield is on, also where it only watches.
            let is_on = change["enabled"] != json!(false) && change["allowlist"] != json!(["198.51.100.0/24"]);
            let told = admin.events("limit_mu").await;
            assert_eq!(told.len() - events, usize::from(is_on), "{change}");
            if is_on {
                let told = told.iter().find(|event| event["ip"] == json!(address)).unwrap();
                assert_eq!(told["details"]["flow"], "signup", "{change}");
                assert_eq!(told["details"]["portcullis"]["decision"]["refused"], refuses, "{change}");
            }
            let wanted = change["shields"].to_string().contains("admin_notification");
            assert_eq!(office().await - mails, usize::from(wanted), "{change}");
        }
    }

    async fn each_endpoint_of_blocks_answers_as_documented(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user(ANA).await.replace('|', "%7C");
        let admin = world.admin().await;
        let (get, delete) = (Method::GET, Method::DELETE);
        let of_user = format!("user-blocks/{user_id}");
        let of_name = "user-blocks?identifier=ana%40example.com".to_owned();
        let of_nobody = "user-blocks?identifier=nobody%40example.com".to_owned();
        let of_address = format!("anomaly/blocks/ips/{HOME}");
        let none = json!({"blocked_for": []});
        let entry = json!({"blocked_for": [{"identifier": ANA, "ip": HOME, "connection": "Users"}]});
        let not_found = json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"});
        let blocked = async || {
            let few = stage("pre-login", 10, 86_400_000);
            admin.patch(THROTTLING, few).await.expect(200);
            Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        };
        // Whether somebody is blocked then, the call, its status and body, whether the right password is let in afterwards.
        let rows = [
            (false, &get, &of_address, 404, not_found.clone(), true),
            (false, &delete, &of_address, 204, Value::Null, true),
            (false, &get, &of_name, 200, none.clone(), true),
            (false, &get, &of_nobody, 200, none.clone(), true),
            (false, &get, &of_user, 200, none.clone(), true),
            (false, &delete, &of_name, 204, Value::Null, true),
            (false, &delete, &of_nobody, 204, Value::Null, true),
            (false, &delete, &of_user, 204, Value::Null, true),
            (true, &get, &of_address, 200, Value::Null, false),
            (true, &get, &of_name, 200, entry.clone(), false),
            (true, &get, &of_user, 200, entry.clone(), false),
            (true, &get, &of_nobody, 200, none.clone(), false),
            (true, &delete, &of_nobody, 204, Value::Null, false),
            // The address is throttled beside; lifting that lifts its pairs as well.
            (true, &delete, &of_address, 204, Value::Null, true),
        ];
        for (is_blocked, method, path, status, body, lets_in) in rows {
            if is_blocked {
                blocked().await;
            }
            let told = admin.send(method.clone(), path, None).await.expect(status);
            assert_eq!(told.json(), body, "{method} {path}");
            if body.is_null() {
                assert_eq!(told.text, "", "{method} {path}");
            }
            let login = backend.login_right(ANA, HOME).await;
            assert_eq!(login.status == 200, lets_in, "{method} {path}: {}", login.text);
        }
        for path in [&of_name, &of_user] {
            blocked().await;
            admin.delete(path).await.expect(204);
            assert_eq!(admin.get(&of_name).await.expect(200).json(), none, "{path}");
            admin.delete(&of_address).await.expect(204);
        }
    }

    async fn what_is_not_built_can_be_read_and_only_left_off(world: World) {
        let admin = world.admin().await;
        let bots = admin.get("attack-protection/bot-detection").await.expect(200).json();
        assert_eq!(bots["bot_detection_level"], "medium");
        for policy in ["challenge_password_policy", "challenge_passwordless_policy", "challenge_password_reset_policy"] {
            assert_eq!(bots[policy], "never", "{policy}");
        }
        let captcha = admin.get("attack-protection/captcha").await.expect(200).json();
        for (path, shown, change) in [
            ("bot-detection", bots, json!({"challenge_password_policy": "always"})),
            ("captcha", captcha, json!({"active_provider_id": "hcaptcha"})),
        ] {
            let path = format!("attack-protection/{path}");
            admin.patch(&path, change).await.expect(400);
            assert_eq!(admin.get(&path).await.expect(200).json(), shown);
        }
    }
}
