//! Spoofing: nothing but the header of an authenticated, trusted application changes the source.
//!
//! Each story names one way to lie; the source is read from the log event the attempt leaves behind.

use base64::Engine as _;
use serde_json::{Value, json};
use testkit::{Login, World, WorldSettings, on_both_engines};

const ANA: &str = "ana@example.com";
const PEER: &str = "203.0.113.10";
const CLAIMED: &str = "192.0.2.99";

/// Sends one wrong guess and answers the source it counted against, with the decision.
async fn counted(world: &World, call: Login<'_>) -> (String, String) {
    call.with("password", "wrong").send().await.expect(403);
    let event = world.admin().await.events("fp").await.remove(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&event["ip"]),
        text(&event["details"]["portcullis"]["source"]),
    )
}

fn told(source: &str, decision: &str) -> (String, String) {
    (source.to_owned(), decision.to_owned())
}

on_both_engines! {
    async fn a_trusted_applications_header_is_the_source(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let call = backend.login(ANA, "").end_user(CLAIMED);
        assert_eq!(counted(&world, call).await, told(CLAIMED, "used"));
    }
}

/// One story a way of writing the header, for a trusted application: it never becomes the source.
macro_rules! ignored_headers {
    ($($name:ident: $value:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let world = World::start(testkit::Engine::Sqlite).await;
            let backend = world.backend(true).await;
            backend.add_user(ANA).await;
            let call = backend.login(ANA, "").end_user($value);
            assert_eq!(counted(&world, call).await, told(PEER, "ignored: invalid"));
        }
    )+};
}

ignored_headers! {
    a_list_is_not_an_address: "192.0.2.99, 192.0.2.98";
    a_port_is_not_part_of_an_address: "192.0.2.99:443";
    brackets_are_not_part_of_an_address: "[2001:db8::1]";
    a_zone_is_not_part_of_an_address: "fe80::1%eth0";
    garbage_is_not_an_address: "not-an-address";
    an_empty_header_is_not_an_address: "";
    a_short_form_is_not_an_address: "192.0.2";
    an_octal_form_is_not_an_address: "0192.0.2.99";
    a_number_is_not_an_address: "3221226083";
    spaces_are_not_part_of_an_address: "192.0.2.99 192.0.2.98";
    a_host_name_is_not_an_address: "localhost";
    unicode_digits_are_not_an_address: "١٩٢.0.2.99";
}

#[tokio::test]
async fn two_header_lines_are_ignored() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let call = backend.login(ANA, "").end_user(CLAIMED).end_user(CLAIMED);
    assert_eq!(counted(&world, call).await, told(PEER, "ignored: several"));
}

#[tokio::test]
async fn an_untrusted_application_names_no_source() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(false).await;
    backend.add_user(ANA).await;
    let call = backend.login(ANA, "").end_user(CLAIMED);
    assert_eq!(
        counted(&world, call).await,
        told(PEER, "ignored: untrusted client")
    );
}

#[tokio::test]
async fn a_public_application_names_no_source_even_with_its_secret() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(false).await;
    backend.add_user(ANA).await;
    let admin = world.admin().await;
    let path = format!("clients/{}", backend.client_id);
    let public = json!({"token_endpoint_auth_method": "none", "grant_types": ["password"]});
    admin.patch(&path, public).await.expect(200);

    let with_secret = backend.login(ANA, "").end_user(CLAIMED);
    assert_eq!(
        counted(&world, with_secret.clone()).await,
        told(PEER, "ignored: not authenticated")
    );
    world.clock.advance(std::time::Duration::from_secs(1));
    let without = with_secret.with("client_secret", Value::Null);
    assert_eq!(
        counted(&world, without).await,
        told(PEER, "ignored: not authenticated")
    );
}

#[tokio::test]
async fn an_unauthenticated_call_counts_against_nobody() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    for _ in 0..12 {
        backend
            .login(ANA, "wrong")
            .with("client_secret", "guessed")
            .end_user(CLAIMED)
            .send()
            .await
            .expect(401);
    }
    assert_eq!(world.hashes().verified(), 0);
    backend.login_right(ANA, CLAIMED).await.expect(200);
}

#[tokio::test]
async fn basic_authentication_is_as_good_as_the_body() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let pair = format!("{}:{}", backend.client_id, backend.client_secret);
    let basic = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    );
    let call = backend
        .login(ANA, "")
        .with("client_secret", Value::Null)
        .with("client_id", Value::Null);
    let call = call.header("authorization", &basic).end_user(CLAIMED);
    assert_eq!(counted(&world, call).await, told(CLAIMED, "used"));
}

#[tokio::test]
async fn x_forwarded_for_from_a_stranger_changes_nothing() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(false).await;
    backend.add_user(ANA).await;
    let call = backend
        .login(ANA, "")
        .header("x-forwarded-for", CLAIMED)
        .header("x-real-ip", CLAIMED);
    let call = call
        .header("forwarded", "for=192.0.2.99")
        .header("true-client-ip", CLAIMED);
    assert_eq!(counted(&world, call).await, told(PEER, "absent"));
}

async fn behind_a_proxy() -> World {
    let settings = WorldSettings {
        trusted_proxies: vec!["203.0.113.0/28"],
        ..WorldSettings::default()
    };
    World::start_with(testkit::Engine::Sqlite, settings).await
}

#[tokio::test]
async fn a_trusted_proxy_names_the_caller_and_the_left_of_its_list_is_the_callers_lie() {
    let world = behind_a_proxy().await;
    let backend = world.backend(false).await;
    backend.add_user(ANA).await;
    for (header, source) in [
        ("198.51.100.7", "198.51.100.7"),
        ("192.0.2.99, 198.51.100.7", "198.51.100.7"),
        ("192.0.2.99, 198.51.100.7, 203.0.113.5", "198.51.100.7"),
        ("198.51.100.7:5123", "198.51.100.7"),
        (
            "[2001:db8::7]:5123",
            "2001:0db8:0000:0000:0000:0000:0000:0007",
        ),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("garbage", PEER),
        ("198.51.100.7, garbage", PEER),
    ] {
        world.clock.advance(std::time::Duration::from_secs(60));
        let call = backend.login(ANA, "").header("x-forwarded-for", header);
        assert_eq!(counted(&world, call).await.0, source, "{header}");
    }
}

#[tokio::test]
async fn the_two_layers_never_mix() {
    let world = behind_a_proxy().await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let call = backend
        .login(ANA, "")
        .header("x-forwarded-for", "198.51.100.7");
    assert_eq!(
        counted(&world, call.clone()).await,
        told("198.51.100.7", "absent")
    );
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        counted(&world, call.end_user(CLAIMED)).await,
        told(CLAIMED, "used")
    );
}

#[tokio::test]
async fn an_invalid_header_never_reaches_an_allowlist() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let admin = world.admin().await;
    let allowed = json!({"allowlist": [PEER]});
    admin
        .patch("attack-protection/brute-force-protection", allowed.clone())
        .await
        .expect(200);
    admin
        .patch("attack-protection/suspicious-ip-throttling", allowed)
        .await
        .expect(200);

    for header in [Some("garbage"), None] {
        let user = format!("user-{}@example.com", header.unwrap_or("none"));
        for number in 0..11 {
            let mut call = backend.login(&user, "wrong");
            if let Some(header) = header {
                call = call.end_user(header);
            }
            call.send()
                .await
                .expect(if number < 10 { 403 } else { 429 });
        }
    }
}

#[tokio::test]
async fn every_way_to_write_an_address_is_one_source() {
    let world = World::start(testkit::Engine::Sqlite).await;
    let backend = world.backend(true).await;
    backend.add_user(ANA).await;
    let forms = [
        "192.0.2.1",
        "::ffff:192.0.2.1",
        "::ffff:c000:201",
        "0:0:0:0:0:FFFF:192.0.2.1",
    ];
    for number in 0..10 {
        backend
            .login_wrong(ANA, forms[number % forms.len()])
            .await
            .expect(403);
    }
    backend.login_right(ANA, "192.0.2.1").await.expect(429);

    let neighbours = [
        "2001:db8:1:2::1",
        "2001:DB8:1:2:3:4:5:6",
        "2001:0db8:0001:0002:ffff::",
    ];
    for number in 0..10 {
        backend
            .login_wrong("ben@example.com", neighbours[number % neighbours.len()])
            .await
            .expect(403);
    }
    backend
        .login_wrong("ben@example.com", "2001:db8:1:2::abcd")
        .await
        .expect(429);
    backend
        .login_wrong("ben@example.com", "2001:db8:1:3::abcd")
        .await
        .expect(403);
}
