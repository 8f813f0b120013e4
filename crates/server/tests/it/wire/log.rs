//! §6: what a record holds, and what each path writes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Admin, Attacker, Backend, PASSWORD, World, on_both_engines};

use crate::people::{NEW_PASSWORD, ask_for_reset, post};

const LEAKED: &str = "AUTH0-TEST-Correct-Horse-7";
const WRONG: &str = "Wrong email or password.";
const HOURS: Duration = Duration::from_secs(2 * 3_600);

/// A way through the server, each with users and an address of its own.
#[derive(Clone, Copy, Debug)]
enum Path {
    RightPassword,
    WrongPassword,
    UnknownUser,
    BlockedByAdministrator,
    BlockBegins,
    TriedDuringABlock,
    AddressThrottled,
    TooManyLogins,
    Breached,
    BreachedAtSignUp,
    BreachedAtChange,
    LiftedByLink,
    LiftedByAdministrator,
    WrongSecret,
    GrantNotAllowed,
    MachineToMachine,
    MachineRefused,
    SignUp,
    SignUpRefused,
    ChangeAsked,
    ChangeAskedForNobody,
    PasswordChanged,
    PasswordRefused,
    Verified,
    ManagementChange,
    MailGivenUp,
}

/// §6.3: the events of each path, with the description of those whose words are the wire's.
type Written = &'static [(&'static str, Option<&'static str>)];

const PATHS: [(Path, Written); 26] = [
    (Path::RightPassword, &[("sepft", Some(""))]),
    (
        Path::WrongPassword,
        &[("fepft", Some(WRONG)), ("fp", Some(WRONG))],
    ),
    (
        Path::UnknownUser,
        &[("fepft", Some(WRONG)), ("fu", Some(WRONG))],
    ),
    (
        Path::BlockedByAdministrator,
        &[
            ("f", Some("user is blocked")),
            ("fepft", Some("user is blocked")),
        ],
    ),
    (
        Path::BlockBegins,
        &[
            ("fepft", Some(WRONG)),
            ("fp", Some(WRONG)),
            (
                "limit_wc",
                Some(
                    "User (USER) attempted 10 consecutive logins unsuccessfully. Brute force protection is enabled for this \
                     connection, further attempts are blocked from this IP address for this user.",
                ),
            ),
            ("portcullis_block_created", None),
        ],
    ),
    // Told once an hour, which the beginning was.
    (Path::TriedDuringABlock, &[]),
    (
        Path::AddressThrottled,
        &[
            ("fepft", Some(WRONG)),
            ("fp", Some(WRONG)),
            (
                "limit_mu",
                Some(
                    "Someone behind the IP address: ADDRESS attempted too many consecutive logins with different usernames. \
                     A shield to prevent this attack is enabled, further attempts are blocked from this IP address.",
                ),
            ),
        ],
    ),
    (Path::TooManyLogins, &[("limit_sul", None)]),
    (
        Path::Breached,
        &[
            ("fepft", None),
            (
                "pwd_leak",
                Some(
                    "Someone behind the IP address: ADDRESS attempted to login with a leaked password. A shield to prevent \
                     this action was enabled, further attempts are blocked.",
                ),
            ),
        ],
    ),
    (
        Path::BreachedAtSignUp,
        &[("fs", None), ("signup_pwd_leak", None)],
    ),
    (
        Path::BreachedAtChange,
        &[("fcp", None), ("reset_pwd_leak", None)],
    ),
    (
        Path::LiftedByLink,
        &[("portcullis_block_lifted", None), ("ublkdu", None)],
    ),
    (
        Path::LiftedByAdministrator,
        &[("portcullis_block_lifted", None), ("sapi", None)],
    ),
    (Path::WrongSecret, &[("fepft", Some("Unauthorized"))]),
    (Path::GrantNotAllowed, &[("fepft", None)]),
    (Path::MachineToMachine, &[("seccft", None)]),
    (Path::MachineRefused, &[("feccft", None)]),
    (Path::SignUp, &[("ss", None)]),
    (Path::SignUpRefused, &[("fs", Some("Password is too weak"))]),
    (
        Path::ChangeAsked,
        &[("scpr", Some("Change password request"))],
    ),
    (
        Path::ChangeAskedForNobody,
        &[("fcpr", Some("user does not exist."))],
    ),
    (Path::PasswordChanged, &[("scp", None)]),
    (Path::PasswordRefused, &[("fcp", None)]),
    (
        Path::Verified,
        &[(
            "sv",
            Some("Your email was verified. You can continue using the application."),
        )],
    ),
    (Path::ManagementChange, &[("sapi", None)]),
    (Path::MailGivenUp, &[("fn", None)]),
];

/// The stage on which a path is walked.
struct Stage<'w> {
    world: &'w World,
    backend: Backend<'w>,
    user: String,
    address: String,
}

impl Stage<'_> {
    /// What comes before: nothing of it is looked at.
    async fn prepare(&self, path: Path, admin: &Admin<'_>) -> String {
        let Self {
            world,
            backend,
            user,
            address,
        } = self;
        let is_breached = matches!(
            path,
            Path::Breached | Path::BreachedAtSignUp | Path::BreachedAtChange
        );
        let shields: &[&str] = if is_breached { &["block"] } else { &[] };
        let stage = json!({"pre-user-registration": {"shields": shields}, "pre-change-password": {"shields": shields}});
        let shield = json!({"enabled": is_breached, "shields": shields, "stage": stage});
        admin
            .patch("attack-protection/breached-password-detection", shield)
            .await
            .expect(200);
        let link = async || {
            world.mails().await;
            ask_for_reset(backend, address, user).await.expect(200);
            world.mailbox(user).newest_link().await
        };
        let made = match path {
            Path::UnknownUser
            | Path::ChangeAskedForNobody
            | Path::SignUp
            | Path::SignUpRefused
            | Path::BreachedAtSignUp => String::new(),
            Path::Verified => {
                let body = json!({"client_id": backend.client_id, "connection": "Users", "email": user, "password": PASSWORD});
                post(world, address, "/dbconnections/signup", &[], &body)
                    .await
                    .expect(200);
                return world.mailbox(user).newest_link().await;
            }
            _ => {
                let password = if is_breached { LEAKED } else { PASSWORD };
                let body = json!({"connection": "Users", "email": user, "password": password, "verify_email": false});
                admin
                    .post("users", body)
                    .await
                    .expect(201)
                    .text_of("user_id")
                    .replace('|', "%7C")
            }
        };
        let attacker = Attacker::at(backend, address);
        match path {
            Path::BlockedByAdministrator => {
                admin
                    .patch(&format!("users/{made}"), json!({"blocked": true}))
                    .await
                    .expect(200);
            }
            Path::BlockBegins => drop(attacker.guesses(user, 9).await),
            Path::TriedDuringABlock | Path::LiftedByAdministrator => {
                drop(attacker.guesses(user, 10).await)
            }
            Path::LiftedByLink => {
                attacker.guesses(user, 10).await;
                return world.mailbox(user).newest_link().await;
            }
            Path::AddressThrottled => {
                for number in 0..99 {
                    backend
                        .login_wrong(&format!("{number}.{user}"), address)
                        .await
                        .expect(403);
                }
            }
            Path::TooManyLogins => {
                for _ in 0..20 {
                    backend.login_right(user, address).await.expect(200);
                }
            }
            Path::BreachedAtChange | Path::PasswordChanged | Path::PasswordRefused => {
                return link().await;
            }
            Path::GrantNotAllowed => {
                let few = json!({"grant_types": ["client_credentials"]});
                admin
                    .patch(&format!("clients/{}", backend.client_id), few)
                    .await
                    .expect(200);
            }
            Path::MachineToMachine => {
                let grant = json!({"client_id": backend.client_id, "audience": testkit::AUDIENCE, "scope": []});
                admin.post("client-grants", grant).await.expect(201);
            }
            Path::MailGivenUp => {
                // What other paths have caused goes out by the ordinary way.
                world.mails().await;
                let provider = json!({
                    "name": "smtp", "enabled": true, "default_from_address": "shop@example.com",
                    "credentials": {"smtp_host": "localhost", "smtp_port": 1},
                });
                admin.post("emails/provider", provider).await.expect(201);
                ask_for_reset(backend, address, user).await.expect(200);
            }
            _ => {}
        }
        made
    }

    /// The path itself.
    async fn walk(&self, path: Path, admin: &Admin<'_>, prepared: &str) {
        let Self {
            world,
            backend,
            user,
            address,
        } = self;
        let visitor = world.visitor(address);
        let choose = async |password: &str| {
            let page = visitor.open(prepared).await.expect(200);
            visitor
                .press(&page, &[("password", password), ("confirmation", password)])
                .await
        };
        let sign_up = async |password: &str| {
            let body = json!({"client_id": backend.client_id, "connection": "Users", "email": user, "password": password});
            post(world, address, "/dbconnections/signup", &[], &body).await
        };
        match path {
            Path::RightPassword => drop(backend.login_right(user, address).await.expect(200)),
            Path::WrongPassword
            | Path::UnknownUser
            | Path::BlockBegins
            | Path::AddressThrottled => {
                drop(backend.login_wrong(user, address).await.expect(403));
            }
            Path::BlockedByAdministrator => {
                drop(backend.login_right(user, address).await.expect(403))
            }
            Path::TriedDuringABlock => drop(backend.login_wrong(user, address).await.expect(429)),
            Path::TooManyLogins => drop(backend.login_right(user, address).await.expect(429)),
            Path::Breached => {
                let login = backend.login(user, LEAKED).end_user(address);
                login.send().await.expect(401);
            }
            Path::BreachedAtSignUp => drop(sign_up(LEAKED).await.expect(400)),
            Path::BreachedAtChange => drop(choose("AUTH0-TEST-Another-Horse-8").await.expect(400)),
            Path::LiftedByLink | Path::Verified => {
                let page = visitor.open(prepared).await.expect(200);
                visitor.press(&page, &[]).await.expect(200);
            }
            Path::LiftedByAdministrator => drop(
                admin
                    .delete(&format!("user-blocks/{prepared}"))
                    .await
                    .expect(204),
            ),
            Path::WrongSecret => {
                let login = backend.login(user, PASSWORD).end_user(address);
                let told = login
                    .with("client_secret", "wrong")
                    .send()
                    .await
                    .expect(401);
                assert_eq!(told.description(), "Unauthorized");
            }
            Path::GrantNotAllowed => drop(backend.login_right(user, address).await.expect(403)),
            Path::MachineToMachine | Path::MachineRefused => {
                let audience = if matches!(path, Path::MachineToMachine) {
                    testkit::AUDIENCE
                } else {
                    "urn:none"
                };
                let call = backend
                    .login("", "")
                    .with("grant_type", "client_credentials")
                    .with("scope", Value::Null);
                call.with("audience", audience).send().await;
            }
            Path::SignUp => drop(sign_up(PASSWORD).await.expect(200)),
            Path::SignUpRefused => drop(sign_up("weak").await.expect(400)),
            Path::ChangeAsked | Path::ChangeAskedForNobody => {
                drop(ask_for_reset(backend, address, user).await.expect(200))
            }
            Path::PasswordChanged => drop(choose(NEW_PASSWORD).await.expect(200)),
            Path::PasswordRefused => drop(choose("weak").await.expect(400)),
            Path::ManagementChange => {
                admin
                    .patch(&format!("users/{prepared}"), json!({"nickname": "Ana"}))
                    .await
                    .expect(200);
            }
            Path::MailGivenUp => {
                for _ in 0..10 {
                    world.mails().await;
                    world.clock.advance(Duration::from_secs(7 * 3_600));
                }
            }
        }
    }
}

async fn newest(admin: &Admin<'_>) -> Vec<Value> {
    let events = admin
        .get("logs?per_page=100&sort=date%3A-1")
        .await
        .expect(200);
    events.json().as_array().unwrap().clone()
}

on_both_engines! {
    async fn each_path_writes_its_events_and_no_other(world: World) {
        for (number, (path, expected)) in PATHS.into_iter().enumerate() {
            world.clock.advance(HOURS);
            let stage = Stage {
                world: &world,
                backend: world.backend(true).await,
                user: format!("u{number}@example.com"),
                address: format!("192.0.2.{number}"),
            };
            let admin = world.admin().await;
            let prepared = stage.prepare(path, &admin).await;
            // What comes next is newer than all that is there.
            world.clock.advance(Duration::from_secs(1));
            let before: BTreeSet<String> = newest(&admin).await.iter().map(|event| event["log_id"].to_string()).collect();
            stage.walk(path, &admin, &prepared).await;
            let admin = match path {
                // The token has run out meanwhile.
                Path::MailGivenUp => world.admin().await,
                _ => admin,
            };
            let mut written = newest(&admin).await;
            written.retain(|event| !before.contains(&event["log_id"].to_string()));
            if matches!(path, Path::MailGivenUp) {
                written.retain(|event| event["type"] != "seccft");
            }
            written.sort_by_key(|event| event["type"].as_str().unwrap().to_owned());
            let types: Vec<&str> = written.iter().map(|event| event["type"].as_str().unwrap()).collect();
            let expected_types: Vec<&str> = expected.iter().map(|(code, _)| *code).collect();
            assert_eq!(types, expected_types, "{path:?}");
            for (event, (code, words)) in written.iter().zip(expected) {
                if let Some(words) = words {
                    let words = words.replace("USER", &stage.user).replace("ADDRESS", &stage.address);
                    assert_eq!(event["description"], words, "{path:?} {code}");
                }
                if *code == "limit_mu" {
                    assert_eq!(event["details"]["flow"], "login");
                }
            }
        }
    }

    async fn each_field_of_a_record_is_what_the_table_says(world: World) {
        let backend = world.backend(true).await;
        let user_id = backend.add_user("ana@example.com").await;
        let sdk = "eyJuYW1lIjoic2hvcCIsInZlcnNpb24iOiIxLjAuMCJ9";
        let login = backend.login("ana@example.com", PASSWORD).end_user("2001:db8::1");
        login.header("user-agent", "Shop/1.0").header("auth0-client", sdk).send().await.expect(200);
        let admin = world.admin().await;
        let event = admin.events("sepft").await[0].clone();
        let id = event["log_id"].as_str().unwrap();
        assert!(id.starts_with("900") && id.bytes().all(|digit| digit.is_ascii_digit()), "{id}");
        assert!((50..=60).contains(&id.len()), "{id}");
        for (field, expected) in [
            ("_id", json!(id)),
            ("date", json!("2026-01-01T00:00:00.000Z")),
            ("type", json!("sepft")),
            ("description", json!("")),
            ("connection", json!("Users")),
            ("connection_id", json!(backend.connection_id)),
            ("strategy", json!("auth0")),
            ("strategy_type", json!("database")),
            ("client_id", json!(backend.client_id)),
            ("client_name", json!("Shop")),
            ("ip", json!("2001:0db8:0000:0000:0000:0000:0000:0001")),
            ("client_ip", json!(backend.address)),
            ("user_id", json!(user_id)),
            ("user_name", json!("ana@example.com")),
            ("audience", json!(testkit::AUDIENCE)),
            ("scope", json!("read:orders")),
            ("hostname", json!(world.domain())),
            ("isMobile", json!(false)),
            ("auth0_client", json!({"name": "shop", "version": "1.0.0"})),
        ] {
            assert_eq!(event[field], expected, "{field}");
        }
        assert!(event["user_agent"].is_string() && event["details"].is_object(), "{event}");
        // There is no address database.
        assert!(event.get("location_info").is_none());
        // `client_ip` is of exchanges alone.
        backend.login_wrong("ana@example.com", "192.0.2.1").await.expect(403);
        assert_eq!(admin.events("fp").await[0].get("client_ip"), None);
        assert_eq!(admin.events("fepft").await[0]["client_ip"], json!(backend.address));
        // Nobody has the name: no user, and the name as it was typed.
        backend.login_wrong("nobody@example.com", "192.0.2.1").await.expect(403);
        let unknown = admin.events("fu").await[0].clone();
        assert!(unknown.get("user_id").is_none_or(|id| id == ""), "{unknown}");
        assert_eq!(unknown["user_name"], "nobody@example.com");
    }
}
