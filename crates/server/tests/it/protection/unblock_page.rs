//! The page behind the link of a mail about a block: it lifts what it is about, once, when a person presses its button.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use testkit::{Attacker, Backend, Engine, World, on_both_engines};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";
const MAILBOX: &str = "203.0.113.77";

/// Ana, blocked from home; her user id and the link she gets.
async fn blocked_ana(backend: &Backend<'_>) -> (String, String) {
    let user_id = backend.add_user(ANA).await;
    Attacker::at(backend, HOME).guesses(ANA, 10).await;
    backend.login_right(ANA, HOME).await.expect(429);
    (user_id, backend.world.mailbox(ANA).newest_link().await)
}

on_both_engines! {
    async fn it_shows_who_from_where_and_when_and_its_button_lifts(world: World) {
        let backend = world.backend(true).await;
        let (user_id, link) = blocked_ana(&backend).await;
        let visitor = world.visitor(MAILBOX);
        let page = visitor.open(&link).await.expect(200);
        for text in [ANA, HOME, "1 January 2026, 00:00 UTC"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(!page.text.contains("<script") && !page.text.contains("onload"));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("script"), "{policy}");
        assert_eq!((&page.headers["cache-control"], &page.headers["referrer-policy"]), (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap()));

        let told = visitor.press(&page, &[]).await.expect(200);
        assert!(told.text.contains("You can try again"), "{}", told.text);
        backend.login_right(ANA, HOME).await.expect(200);
        let admin = world.admin().await;
        let unblocked = admin.events("ublkdu").await;
        assert_eq!(unblocked.len(), 1);
        assert_eq!((&unblocked[0]["user_id"], &unblocked[0]["user_name"]), (&json!(user_id), &json!(ANA)));
        assert_eq!(unblocked[0]["details"]["portcullis"]["block"]["source"], HOME);
        let of_user = admin.get(&format!("users/{}/logs", user_id.replace('|', "%7C"))).await.expect(200).json();
        let kinds: Vec<&str> = of_user.as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
        for kind in ["portcullis_block_created", "portcullis_block_lifted", "ublkdu"] {
            assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
        }
    }

    async fn it_lifts_no_other_source_and_no_other_account(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(BEN).await;
        let (_, link) = blocked_ana(&backend).await;
        Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
        Attacker::at(&backend, HOME).guesses(BEN, 10).await;
        let visitor = world.visitor(MAILBOX);
        let page = visitor.open(&link).await.expect(200);
        visitor.press(&page, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
        backend.login_right(ANA, ELSEWHERE).await.expect(429);
        backend.login_right(BEN, HOME).await.expect(429);
    }

    async fn a_scanner_opens_it_a_thousand_times_and_uses_up_nothing(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let scanner = world.visitor("203.0.113.200");
        let legacy = link.replace("/u/brute-force-protection-unblock", "/lo/unblock");
        for number in 0..500 {
            scanner.open(&link).await.expect(200);
            let method = if number % 2 == 0 { Method::GET } else { Method::HEAD };
            scanner.send(method, &legacy, Body::empty()).await.expect(200);
        }
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(world.admin().await.events("ublkdu").await.len(), 0);
        // Not even the scanner is refused now.
        let page = scanner.open(&legacy).await.expect(200);
        scanner.press(&page, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn the_legacy_path_only_shows(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let legacy = link.replace("/u/brute-force-protection-unblock", "/lo/unblock");
        let visitor = world.visitor(MAILBOX);
        assert_eq!(visitor.open(&legacy).await.expect(200).text, visitor.open(&link).await.expect(200).text);
        visitor.submit(&legacy, &[]).await.expect(405);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn parallel_clicks_lift_once_and_write_one_event(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let visitors: Vec<_> = (0..12).map(|number| world.visitor(&format!("203.0.113.{number}"))).collect();
        let clicks = join_all(visitors.iter().map(|visitor| visitor.submit(&link, &[]))).await;
        let lifted = clicks.iter().filter(|answer| answer.status == 200).count();
        let late = clicks.iter().filter(|answer| answer.status == 404).count();
        assert_eq!((lifted, late), (1, 11));
        let admin = world.admin().await;
        for kind in ["ublkdu", "portcullis_block_lifted"] {
            assert_eq!(admin.events(kind).await.len(), 1, "{kind}");
        }
        // Nor does a late click lift a later block.
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        world.visitor(MAILBOX).submit(&link, &[]).await.expect(404);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn a_link_lives_five_days_and_no_longer(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let visitor = world.visitor(MAILBOX);
        world.clock.advance(Duration::from_secs(432_000 - 1));
        visitor.open(&link).await.expect(200);
        world.clock.advance(Duration::from_secs(1));
        let page = visitor.open(&link).await.expect(404);
        assert!(page.text.contains("no longer good"), "{}", page.text);
        visitor.submit(&link, &[]).await.expect(404);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn links_that_are_not_good_are_told_so_and_throttled(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let path = "/u/brute-force-protection-unblock";
        let guesser = world.visitor("203.0.113.66");
        for query in ["", "?ticket=", "?ticket=a&ticket=b", "?other=1", "?ticket=%00%ff"] {
            guesser.open(&format!("{path}{query}")).await.expect(404);
        }
        for number in 0..15 {
            guesser.submit(&format!("{path}?ticket=guess-{number}"), &[]).await.expect(404);
        }
        // From here not even a good link is looked at; elsewhere it is.
        let refused = guesser.submit(&link, &[]).await.expect(429);
        let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        guesser.open(&link).await.expect(429);
        backend.login_right(ANA, HOME).await.expect(429);
        world.visitor(MAILBOX).submit(&link, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn a_block_that_has_ended_leaves_the_link_as_it_is(world: World) {
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        let admin = world.admin().await;
        admin.delete("user-blocks?identifier=ana%40example.com").await.expect(204);
        let visitor = world.visitor(MAILBOX);
        let page = visitor.open(&link).await.expect(200);
        assert!(page.text.contains("Nothing is blocked any more") && !page.text.contains("<form"), "{}", page.text);
        // Blocked again within the hour, no new mail is due: the old one still helps.
        world.clock.advance(Duration::from_secs(600));
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        let page = visitor.open(&link).await.expect(200);
        visitor.press(&page, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
        assert_eq!(world.mailbox(ANA).mails().await.len(), 1);
    }

    async fn the_link_of_a_deleted_user_lifts_nothing_of_his_successor(world: World) {
        let backend = world.backend(true).await;
        let (user_id, link) = blocked_ana(&backend).await;
        let admin = world.admin().await;
        admin.delete(&format!("users/{}", user_id.replace('|', "%7C"))).await.expect(204);
        let visitor = world.visitor(MAILBOX);
        visitor.open(&link).await.expect(404);
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 10).await;
        visitor.submit(&link, &[]).await.expect(404);
        backend.login_right(ANA, HOME).await.expect(429);
    }

    async fn a_link_is_good_at_its_own_tenant_alone(world: World) {
        let other = world.neighbour("other").await;
        let backend = world.backend(true).await;
        let (_, link) = blocked_ana(&backend).await;
        for visitor in [other.visitor(MAILBOX), other.visitor(HOME)] {
            visitor.open(&link).await.expect(404);
            visitor.submit(&link, &[]).await.expect(404);
        }
        backend.login_right(ANA, HOME).await.expect(429);
        world.visitor(MAILBOX).submit(&link, &[]).await.expect(200);
        backend.login_right(ANA, HOME).await.expect(200);
    }

    async fn in_lockout_mode_it_opens_every_way(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let mode = json!({"mode": "count_per_identifier"});
        admin.patch("attack-protection/brute-force-protection", mode).await.expect(200);
        let (_, link) = blocked_ana(&backend).await;
        backend.login_right(ANA, ELSEWHERE).await.expect(429);
        let visitor = world.visitor(MAILBOX);
        let page = visitor.open(&link).await.expect(200);
        assert!(page.text.contains("wherever"), "{}", page.text);
        visitor.press(&page, &[]).await.expect(200);
        for address in [HOME, ELSEWHERE] {
            backend.login_right(ANA, address).await.expect(200);
        }
        // Locked out again from elsewhere within the hour, the owner gets the next link at once.
        Attacker::at(&backend, ELSEWHERE).guesses(ANA, 10).await;
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(world.mailbox(ANA).mails().await.len(), 2);
    }

    async fn within_an_ipv6_site_a_click_is_worth_one_budget(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let one = json!({"max_attempts": 1});
        admin.patch("attack-protection/brute-force-protection", one).await.expect(200);
        // Ten networks of one /48 fill its throttle, which the owner in an eleventh feels as well.
        for net in 0..10 {
            backend.login_wrong(ANA, &format!("2001:db8:7:{net}::1")).await.expect(403);
        }
        backend.login_right(ANA, "2001:db8:7:a::1").await.expect(429);
        let link = world.mailbox(ANA).newest_link().await;
        world.visitor(MAILBOX).submit(&link, &[]).await.expect(200);
        // Which block the newest mail was about is told by its page; all of them have the same throttle.
        backend.login_right(ANA, "2001:db8:7:a::1").await.expect(200);
        backend.login_wrong(ANA, "2001:db8:7:a::1").await.expect(403);
        backend.login_right(ANA, "2001:db8:7:b::1").await.expect(429);
    }
}

/// This node forgets a lifted block at once, others within a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_learns_of_a_click_within_a_second() {
    let one = World::start(Engine::Postgres).await;
    let backend = one.backend(true).await;
    let (_, link) = blocked_ana(&backend).await;
    let two = one.second_node().await;
    let mut at_two = backend.clone();
    at_two.world = &two;
    at_two.login_right(ANA, HOME).await.expect(429);
    one.visitor(MAILBOX).submit(&link, &[]).await.expect(200);
    backend.login_right(ANA, HOME).await.expect(200);
    let clicked = tokio::time::Instant::now();
    loop {
        let asked_after = clicked.elapsed();
        if at_two.login_right(ANA, HOME).await.status == 200 {
            return;
        }
        assert!(asked_after < Duration::from_secs(1), "{asked_after:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
