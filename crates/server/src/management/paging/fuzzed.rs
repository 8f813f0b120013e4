//! Fuzzed: a query is a page within bounds or a short complaint, and what it selects is part of the object.

use std::collections::BTreeSet;

use http::Uri;

use super::*;

#[test]
fn a_query_is_a_bounded_page_or_a_short_complaint() {
    let seeds: [&[u8]; 6] = [
        b"page=2&per_page=100&include_totals=true&fields=a,b&include_fields=false",
        b"take=100&from=cgr_0123456789abcdef&fields=%61",
        b"per_page=101&page=-1&take=0",
        b"page=99999999999999999999&fields=,,&include_fields=true",
        b"fields=a&fields=b&per_page=+5&page=%31",
        b"include_totals&=&from=&take=",
    ];
    let object = json!({"a": 1, "b": {"c": 2}, "c": null});
    fuzz::check(&seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let Ok(uri) = format!("/api/v2/users?{text}").parse::<Uri>() else {
            return;
        };
        let query = Query::of(&uri);
        let shown = query.for_event();
        assert!(shown.len() <= 20);
        for (name, value) in &shown {
            let value = value.as_str().unwrap();
            assert!(name.len() <= 512 && value.len() <= 512);
            assert!(!name.contains(char::is_control) && !value.contains(char::is_control));
        }
        match Paging::read(&query) {
            Ok(paging) => match paging.page() {
                Page::Numbered { page, per_page } => {
                    assert!(page <= 1_000_000 && (1..=100).contains(&per_page));
                }
                Page::After { id, take } => {
                    assert!(id.is_none_or(|id| query.get("from") == Some(&id)));
                    assert!((2..=101).contains(&take), "one more than is told");
                }
            },
            Err(problem) => assert!(format!("{problem:?}").len() < 500, "a short complaint"),
        }
        let names = |value: &Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let told = Projection::read(&query).of(object.clone());
        assert!(names(&told).is_subset(&names(&object)));
        assert!(names(&told).iter().all(|name| told[name] == object[name]));
    });
}
