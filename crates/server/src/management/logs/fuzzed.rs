//! Fuzzed: a log search is equalities of bounded, plain values, or a short complaint.

use super::*;

#[test]
fn a_search_is_plain_equalities_or_a_short_complaint() {
    let seeds: [&[u8]; 6] = [
        b"type:fp AND user_id:\"auth0|1\"",
        b"client_id:abc AND ip:192.0.2.1",
        b"ip:\"2001:DB8::1\"",
        b"type:s OR type:f",
        b"(type:s) NOT *",
        b" AND  AND ",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        match filter(&Query::from(&[("q", text)][..])) {
            Ok(None) => assert!(text.contains("type")),
            Ok(Some(read)) => {
                let user = read.user_id.as_ref().map(UserId::as_str);
                let client = read.client_id.as_ref().map(ClientId::as_str);
                for value in [user, client, read.ip.as_deref()].into_iter().flatten() {
                    assert!(!value.is_empty() && !value.contains(['*', '"', ' ', '(', '[']));
                }
                let asked = read.event_type.is_some() || user.or(client).is_some();
                assert!(asked || read.ip.is_some() || !text.contains(':'));
            }
            Err(problem) => assert!(format!("{problem:?}").len() < 2_000, "a short complaint"),
        }
    });
}
