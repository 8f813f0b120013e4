//! Lies about where a guess comes from: headers, proxies' lists, ways to write an address, wide IPv6 networks.

use serde_json::json;
use testkit::{Backend, Engine, Login, World, WorldSettings, on_both_engines};

const ANA: &str = "ana@example.com";
const PROXY: &str = "203.0.113.10";
/// Headers in which some product somewhere believes an address.
const HEADERS: [&str; 14] = [
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "true-client-ip",
    "cf-connecting-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "fastly-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-original-forwarded-for",
    "x-envoy-external-address",
    "auth0-forwarded-for",
];

/// Ten wrong guesses of which each lies in another way, then the truth: one budget.
async fn one_budget<'w>(call: impl Fn(usize) -> Login<'w>) {
    for number in 0..10 {
        let answer = call(number).with("password", "wrong").send().await;
        assert_eq!(answer.status, 403, "guess {number}");
    }
    for number in 10..40 {
        let answer = call(number).send().await;
        assert_eq!(answer.status, 429, "guess {number} has a budget of its own");
    }
}

/// The same story on both engines, behind a proxy that is believed.
async fn behind_a_proxy(story: impl AsyncFn(&World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let settings = WorldSettings {
            trusted_proxies: vec!["203.0.113.0/28", "2001:db8:ffff::/64"],
            ..WorldSettings::default()
        };
        let world = World::start_with(engine, settings).await;
        story(&world).await;
    }
}

/// A login from an end user's machine: nobody stands between it and the server.
fn login<'w>(backend: &Backend<'w>) -> Login<'w> {
    backend.login(ANA, testkit::PASSWORD)
}

on_both_engines! {
    async fn a_new_header_with_each_guess_yields_no_fresh_budget(world: World) {
        let backend = world.backend(false).await;
        backend.add_user(ANA).await;
        one_budget(|number| {
            let lie = format!("192.0.2.{number}");
            HEADERS.iter().fold(login(&backend), |call, header| call.header(header, &lie))
        })
        .await;
    }

    async fn a_v6_caller_is_its_own_source_whatever_it_sends(world: World) {
        let backend = world.backend(false).await;
        for (user, peer) in [(ANA, "2001:db8:5::1"), ("ben@example.com", "::ffff:198.51.100.9"), ("eve@example.com", "::1")] {
            backend.add_user(user).await;
            one_budget(|number| {
                let lie = format!("192.0.2.{number}");
                let call = backend.login(user, testkit::PASSWORD).from(peer);
                call.header("x-forwarded-for", &lie).end_user(&lie)
            })
            .await;
        }
    }

    async fn one_address_through_every_layer_is_one_source(world: World) {
        let trusted = world.backend(true).await;
        let plain = world.backend(false).await;
        trusted.add_user(ANA).await;
        one_budget(|number| match number % 5 {
            0 => login(&plain).from("192.0.2.7"),
            1 => login(&plain).from("::ffff:192.0.2.7"),
            2 => login(&trusted).end_user("192.0.2.7"),
            3 => login(&trusted).end_user("::FFFF:c000:207"),
            _ => login(&trusted).end_user("0:0:0:0:0:ffff:192.0.2.7"),
        })
        .await;
    }

    async fn a_missing_or_unreadable_address_is_never_unlimited(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let unreadable = ["", "unknown", "null", "localhost", "192.0.2", "192.0.2.1, 192.0.2.2", "256.0.0.1", "-", "\u{e9}"];
        one_budget(|number| match unreadable.get(number % 10) {
            Some(text) => login(&backend).end_user(text),
            None => login(&backend),
        })
        .await;
    }

    async fn moving_within_a_v6_network_yields_bounded_budgets(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        admin.patch("attack-protection/brute-force-protection", json!({"max_attempts": 2})).await.expect(200);
        let mut told = 0;
        for host in 0..20 {
            let address = format!("2001:db8:1:1:{host:x}::{host:x}");
            told += usize::from(backend.login_wrong(ANA, &address).await.status == 403);
        }
        assert_eq!(told, 2, "one /64 is one source");
        for network in 2..60 {
            let address = format!("2001:db8:1:{network:x}::1");
            told += usize::from(backend.login_wrong(ANA, &address).await.status == 403);
        }
        assert_eq!(told, 20, "a /48 has ten thresholds for one account");
        backend.login_wrong(ANA, "2001:db8:2::1").await.expect(403);
        backend.login_wrong("ben@example.com", "2001:db8:1:3::1").await.expect(403);
    }

    async fn spraying_from_a_v6_network_yields_bounded_budgets(world: World) {
        let backend = world.backend(true).await;
        let stage = json!({"stage": {"pre-login": {"max_attempts": 2, "rate": 864_000}}});
        world.admin().await.patch("attack-protection/suspicious-ip-throttling", stage).await.expect(200);
        let mut told = 0;
        for number in 0..120 {
            let address = format!("2001:db8:1:{number:x}00::1");
            told += usize::from(backend.login_wrong(&format!("user{number}@example.com"), &address).await.status == 403);
        }
        assert_eq!(told, 32, "a /48 has sixteen times what one source has");
    }

    async fn a_throttled_address_is_found_however_it_is_written(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let stage = json!({"stage": {"pre-login": {"max_attempts": 1, "rate": 864_000}}});
        admin.patch("attack-protection/suspicious-ip-throttling", stage).await.expect(200);
        for forms in [
            ["192.0.2.9", "::ffff:192.0.2.9", "::FFFF:C000:0209"],
            ["2001:db8::9", "2001:DB8:0:0:0:0:0:9", "2001:0db8:0000:0000:ffff::"],
        ] {
            for form in forms {
                backend.login_wrong(ANA, forms[0]).await.expect(403);
                backend.login_wrong(ANA, form).await.expect(429);
                let path = format!("anomaly/blocks/ips/{form}");
                admin.get(&path).await.expect(200);
                admin.delete(&path).await.expect(204);
                admin.get(&path).await.expect(404);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leftmost_address_is_the_attackers() {
    behind_a_proxy(async |world| {
        let backend = world.backend(false).await;
        backend.add_user(ANA).await;
        one_budget(|number| {
            let lie = format!("192.0.2.{number}");
            let call = login(&backend).from(PROXY);
            match number % 4 {
                0 => call.header("x-forwarded-for", &format!("{lie}, 198.51.100.7")),
                1 => call.header(
                    "x-forwarded-for",
                    &format!("{lie},{PROXY}, 198.51.100.7:{number},203.0.113.3"),
                ),
                2 => call
                    .header("x-forwarded-for", &lie)
                    .header("x-forwarded-for", "198.51.100.7"),
                _ => call
                    .header("x-real-ip", &lie)
                    .header("forwarded", &format!("for={lie}"))
                    .header(
                        "x-forwarded-for",
                        &format!("{lie}, garbage, ::ffff:198.51.100.7"),
                    ),
            }
        })
        .await;
        let neighbour = login(&backend)
            .from(PROXY)
            .header("x-forwarded-for", "198.51.100.8");
        neighbour.send().await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_list_of_a_proxy_is_counted_as_the_proxy() {
    behind_a_proxy(async |world| {
        let backend = world.backend(false).await;
        backend.add_user(ANA).await;
        let unreadable = [
            "",
            "unknown",
            "garbage",
            "198.51.100.7, garbage",
            "198.51.100.7,",
            "[2001:db8::7",
            "198.51.100.7:99999",
            "for=198.51.100.7",
            "\u{e9}",
        ];
        one_budget(|number| {
            let call = login(&backend).from(PROXY);
            match unreadable.get(number % 10) {
                Some(text) => call.header("x-forwarded-for", text),
                None => call,
            }
        })
        .await;
        let events = world.admin().await.events("fp").await;
        assert!(events.iter().all(|event| event["ip"] == PROXY));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_speaks_v6_names_the_caller_and_a_stranger_does_not() {
    behind_a_proxy(async |world| {
        let backend = world.backend(false).await;
        backend.add_user(ANA).await;
        one_budget(|number| {
            let call = login(&backend).from("2001:db8:ffff::1");
            let lie = format!("192.0.2.{number}");
            match number % 3 {
                0 => call.header(
                    "x-forwarded-for",
                    &format!("{lie}, [2001:db8:7::{number:x}]:443"),
                ),
                1 => call.header("x-forwarded-for", "2001:DB8:7:0:0:0:0:7"),
                _ => login(&backend)
                    .from("2001:db8:7::ff")
                    .header("x-forwarded-for", &lie),
            }
        })
        .await;
    })
    .await;
}
