//! Events are found by page, by checkpoint, by id, by user and by equality.

use std::time::Duration;

use serde_json::json;
use testkit::{World, on_both_engines};

on_both_engines! {
    async fn events_are_read_by_page_and_by_id(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user("ana@example.com").await;
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        backend.login_wrong("ana@example.com", "2001:db8::1").await.expect(403);
        let admin = world.admin().await;

        let totals = admin.get("logs?include_totals=true&per_page=2&page=0").await.expect(200).json();
        assert_eq!((totals["start"].as_u64(), totals["limit"].as_u64(), totals["length"].as_u64()), (Some(0), Some(2), Some(2)));
        assert!(totals["total"].as_u64().unwrap() > 2);
        let newest = admin.get("logs?per_page=100").await.expect(200).json();
        let mut oldest = admin.get("logs?per_page=100&sort=date%3A1").await.expect(200).json();
        oldest.as_array_mut().unwrap().reverse();
        assert_eq!(newest, oldest);

        let one = newest[0]["log_id"].as_str().unwrap();
        assert_eq!(admin.get(&format!("logs/{one}")).await.expect(200).json(), newest[0]);
        let short = admin.get(&format!("logs/{one}?fields=type")).await.expect(200).json();
        assert_eq!(short.as_object().unwrap().keys().collect::<Vec<_>>(), ["type"]);
        admin.get("logs/90000000000000000000000000000000000000000000000000000000").await.expect(404);

        let of_user = admin.get(&format!("users/{}/logs", id.replace('|', "%7C"))).await.expect(200).json();
        assert!(of_user.as_array().unwrap().iter().all(|event| event["user_id"] == json!(id)));
        assert!(!of_user.as_array().unwrap().is_empty());
    }

    async fn events_are_searched_by_equality(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user("ana@example.com").await;
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        backend.login_wrong("ana@example.com", "2001:db8::1").await.expect(403);
        let admin = world.admin().await;
        for (query, count) in [
            ("q=type%3A%22sepft%22".to_owned(), 1),
            ("search=type%3Asepft".to_owned(), 1),
            (format!("q=type%3Asepft%20AND%20user_id%3A%22{}%22", id.replace('|', "%7C")), 1),
            ("q=type%3Asepft%20AND%20ip%3A198.51.100.1".to_owned(), 0),
            ("q=type%3Afepft%20AND%20ip%3A%222001%3Adb8%3A%3A1%22".to_owned(), 1),
            ("q=type%3Aunheard_of".to_owned(), 0),
        ] {
            let found = admin.get(&format!("logs?{query}")).await.expect(200).json();
            assert_eq!(found.as_array().unwrap().len(), count, "{query}");
        }
        for query in ["q=sepft", "q=type%3As*", "q=description%3Ax", "sort=ip%3A1", "take=0", "take=x", "take=101"] {
            assert_eq!(admin.get(&format!("logs?{query}")).await.expect(400).text_of("errorCode"), "invalid_query_string", "{query}");
        }
    }

    async fn a_checkpoint_walks_every_event_once(world: World) {
        let backend = world.backend(true).await;
        for number in 0..5 {
            backend.add_user(&format!("user{number}@example.com")).await;
        }
        let admin = world.admin().await;
        let mut expected = admin.get("logs?per_page=100&sort=date%3A1").await.expect(200).json();
        world.clock.advance(Duration::from_secs(60));
        let mut walked = Vec::new();
        let mut from = String::new();
        loop {
            let page = admin.get(&format!("logs?take=3{from}")).await.expect(200);
            let items = page.json().as_array().unwrap().clone();
            let Some(last) = items.last() else {
                assert!(!page.headers.contains_key("link"));
                break;
            };
            let last = last["log_id"].as_str().unwrap().to_owned();
            let link = page.headers["link"].to_str().unwrap();
            assert!(link.ends_with("rel=\"next\"") && link.contains(&last), "{link}");
            from = format!("&from={last}");
            walked.extend(items);
        }
        assert_eq!(walked, *expected.as_array_mut().unwrap());
    }
}
