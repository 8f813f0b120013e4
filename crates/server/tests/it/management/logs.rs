//! Events are found by page, by checkpoint, by id, by user and by a query.

use std::time::Duration;

use model::{EventField, EventFilter, LogEvent, LogId};
use serde_json::json;
use server::Clock as _;
use storage::{EventQuery, EventRange, Page, Work};
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

    async fn events_are_searched_by_a_query(world: World) {
        let backend = world.backend(true).await;
        let id = backend.add_user("ana@example.com").await;
        backend.login_right("ana@example.com", "192.0.2.1").await.expect(200);
        world.clock.advance(Duration::from_secs(3_600));
        backend.login_wrong("Ana@Example.com", "2001:db8::1").await.expect(403);
        let admin = world.admin().await;
        for (query, count) in [
            ("type:\"sepft\"", 1),
            (&*format!("type:sepft AND user_id:\"{id}\""), 1),
            (&*format!("user_id:{id} -type:sepft -type:sapi"), 2),
            ("type:sepft AND ip:198.51.100.1", 0),
            ("type:fepft AND ip:\"2001:db8::1\"", 1),
            ("type:unheard_of", 0),
            ("sepft", 1),
            ("type:*pft", 2),
            ("type:(sepft OR fp)", 2),
            ("type:sepft type:fp", 2),
            ("user_name:ANA@example.com", 3),
            ("user_name:ana* AND NOT type:sepft", 2),
            ("description:\"wrong email or password.\" AND type:fp", 1),
            ("description:*or?password*", 2),
            ("description:password", 0),
            ("strategy:auth0 AND type:fp", 1),
            ("_exists_:organization_id", 0),
            (&*format!("type:(sepft fp) AND date:[{} TO *]", model::wire_time(world.clock.now())), 1),
            ("type:sepft AND date:[2001 TO 2002}", 0),
        ] {
            let asked: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            for name in ["q", "search"] {
                let found = admin.get(&format!("logs?{name}={asked}&per_page=100")).await.expect(200).json();
                assert_eq!(found.as_array().unwrap().len(), count, "{query}: {found:#}");
            }
            let whole = admin.get(&format!("logs?q={asked}&include_totals=true&per_page=1")).await.expect(200).json();
            assert_eq!(whole["total"], json!(count), "{query}");
        }
    }

    async fn what_is_wrong_with_a_search_is_said(world: World) {
        let admin = world.admin().await;
        for (query, parts) in [
            ("q=details.x%3Ay", &["no field details.x", "user_name"][..]),
            ("q=type%3A%2Fs%2F", &["regular expression", "quotation marks"]),
            ("q=type%3Afp%5E2", &["boost"]),
            ("q=type%3A%22fp", &["not closed"]),
            ("q=date%3Anow", &["now is no date", "2026-01-31"]),
            ("sort=ip%3A1", &["'sort' is date:1 or date:-1"]),
            ("take=0", &["take"]),
            ("take=x", &["take"]),
            ("take=101", &["take"]),
        ] {
            let refused = admin.get(&format!("logs?{query}")).await.expect(400);
            assert_eq!(refused.text_of("errorCode"), "invalid_query_string", "{query}");
            for part in parts {
                assert!(refused.text.contains(part), "{query}: {}", refused.text);
            }
        }
        let long = "a".repeat(2_049);
        let refused = admin.get(&format!("logs?q={long}")).await.expect(400);
        assert!(refused.text.len() < 500, "{}", refused.text);
    }

    async fn pages_end_with_the_thousandth_event(world: World) {
        let backend = world.backend(true).await;
        backend.login_wrong("ana@example.com", "192.0.2.1").await.expect(403);
        let admin = world.admin().await;
        let past = admin.get("logs?page=10&per_page=100&q=type%3Afu").await.expect(200).json();
        assert_eq!(past, json!([]), "past the end a page is empty");

        let rows = world.app.tenant(&world.tenant.id);
        let filter = EventFilter::Is(EventField::Type, "fu".to_owned());
        let range = EventRange::NewestFirst(Page::numbered(0, 1));
        let one = rows.list_events(&EventQuery { range, filter }).await.unwrap().items.remove(0);
        let many: Vec<LogEvent> = (0..1_000).map(|number| {
            let log_id = LogId::of(one.date, number, number as u128);
            LogEvent { log_id, ..one.clone() }
        }).collect();
        rows.write(async move |work: &mut Work| work.add_events(&many).await).await.unwrap();
        let last = admin.get("logs?page=9&per_page=100&q=type%3Afu&include_totals=true").await.expect(200).json();
        assert_eq!((&last["length"], &last["total"]), (&json!(100), &json!(1_000)), "it counts no further");
        for (page, per_page) in [(10, 100), (1_000, 1), (1_000_000, 100)] {
            let refused = admin.get(&format!("logs?page={page}&per_page={per_page}&q=type%3Afu")).await.expect(400);
            assert!(refused.text.contains("1000th") && refused.text.contains("'from' and 'take'"), "{}", refused.text);
        }
    }

    async fn a_checkpoint_looks_at_no_other_parameter_but_fields(world: World) {
        let backend = world.backend(true).await;
        backend.login_wrong("ana@example.com", "192.0.2.1").await.expect(403);
        world.clock.advance(Duration::from_secs(60));
        let admin = world.admin().await;
        let all = admin.get("logs?take=100").await.expect(200).json();
        assert!(all.as_array().unwrap().len() > 2);
        let same = admin.get("logs?take=100&q=type%3Afu&sort=date%3A-1&include_totals=true&page=7").await.expect(200).json();
        assert_eq!(same, all);
        let short = admin.get("logs?take=100&fields=log_id").await.expect(200).json();
        assert_eq!(short[0], json!({"log_id": all[0]["log_id"]}));
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

#[test]
fn the_page_about_searching_names_every_field_and_each_query_in_it_is_understood() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/operate/searching-logs.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let section = |title: &str| {
        let (_, after) = page.split_once(&format!("\n## {title}\n")).unwrap();
        after.split("\n## ").next().unwrap().to_owned()
    };
    let fields = section("Fields");
    let named = fields
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(named.collect::<Vec<_>>(), protocol::log_search_fields());
    let mut queries = 0;
    for line in section("Syntax")
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cell = line.trim_start_matches("| ").split(" | ").next().unwrap();
        for query in cell.split('`').skip(1).step_by(2) {
            let query = query.replace("\\|", "|").replace('…', "");
            assert!(protocol::log_search(&query).is_ok(), "{query}");
            queries += 1;
        }
    }
    assert!(queries > 20, "{queries}");
}
