//! Searches of the log: a bounded tree of conditions on known fields, or a short complaint.

use std::ops::Bound;

use model::{EventField, EventFilter, Part, is_visible};
use protocol::log_search;

/// How many conditions there are; each holds what events can hold.
fn conditions(filter: &EventFilter, depth: usize) -> usize {
    assert!(depth < 64, "{filter:?}");
    match filter {
        EventFilter::Every => 0,
        EventFilter::Not(inner) => conditions(inner, depth + 1),
        EventFilter::All(parts) | EventFilter::Any(parts) => {
            assert!(parts.len() > 1, "{filter:?}");
            parts.iter().map(|part| conditions(part, depth + 1)).sum()
        }
        EventFilter::Has(_) => 1,
        EventFilter::Is(field, value) => {
            is_spelled(*field, value);
            1
        }
        EventFilter::Fits(_, pattern) => {
            assert!(pattern.0.iter().any(|part| !matches!(part, Part::Text(_))));
            assert!(
                !pattern
                    .0
                    .windows(2)
                    .any(|two| two == [Part::Some, Part::Some])
            );
            1
        }
        EventFilter::Between(field, from, to) => {
            for end in [from, to] {
                if let Bound::Included(value) | Bound::Excluded(value) = end {
                    is_spelled(*field, value);
                }
            }
            1
        }
        EventFilter::During(_) => 1,
    }
}

fn is_spelled(field: EventField, value: &str) {
    assert!(value.chars().all(is_visible), "{value:?}");
    assert_eq!(field.spelled(value), value, "spelled once is spelled");
}

#[test]
fn a_search_is_a_bounded_tree_or_a_short_complaint() {
    let seeds: [&[u8]; 12] = [
        b"type:fp AND user_id:\"auth0|1\"",
        b"client_id:abc AND ip:192.0.2.1 OR ip:\"2001:DB8::1\"",
        b"date:[2018-12 TO 2019-01} -type:(s OR f)",
        b"date:>=2026-11-28T12:00:00.000+01:00 +user_name:\"Ana B\"*",
        b"connection:*Pass* !(description:a\\:b && _exists_:user_id)",
        b"log_id:{900 TO *]",
        b"(((type:s) NOT *)) || *:*",
        b" AND  AND ",
        b"type:/s.*/ user_name:ana~2 type:fp^4",
        b"user_agent:?*?*?*",
        b"date:2024-02-29T23:59:60Z",
        "user_name:\u{202e}\u{fb01}ona\u{200b}".as_bytes(),
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        match log_search(text) {
            Ok(filter) => assert!(conditions(&filter, 0) <= 50 * 7, "{text}"),
            Err(fault) => {
                let told = fault.to_string();
                assert!(told.len() < 600 && told.chars().all(is_visible), "{told}");
            }
        }
    });
}
