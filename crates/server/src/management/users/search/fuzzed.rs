//! Fuzzed: a search is for one identifier that stands in it, or a short complaint.

use super::*;

#[test]
fn a_search_is_for_one_written_identifier_or_a_short_complaint() {
    let seeds: [&[u8]; 6] = [
        b"email:\"ana@example.com\"",
        b" username : ana ",
        b"email:*@example.com",
        b"email:a OR email:b",
        b"name:\"x\" AND _exists_:email",
        "username:\"\u{130}\u{fb03}\"".as_bytes(),
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        match read(text) {
            Ok(Wanted::Email(wanted) | Wanted::UserName(wanted)) => {
                let (name, value) = text.split_once(':').unwrap();
                assert!(["email", "username"].contains(&name.trim()));
                assert_eq!(Identifier::of(value.trim().trim_matches('"')), wanted);
                assert!(!value.contains('*'));
            }
            Err(problem) => assert!(format!("{problem:?}").len() < 500, "a short complaint"),
        }
    });
}
