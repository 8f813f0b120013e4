//! Fuzzed: a day is eight digits of a date that exists, or a short complaint that names the parameter.

use super::*;
use crate::day::date_of;

#[test]
fn a_day_is_read_whole_or_complained_about() {
    let seeds: [&[u8]; 6] = [
        b"20260131",
        b"20240229",
        b"00010101",
        b"99991231",
        b"2026-01-31",
        b"+2026013",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        match day(&Query::from(&[("from", text)][..]), "from") {
            Ok(None) => assert!(text.is_empty()),
            Ok(Some(day)) => {
                assert_eq!(date_of(day).strftime("%Y%m%d").to_string(), text);
            }
            Err(problem) => {
                let complaint = format!("{problem:?}");
                assert!(complaint.contains("'from'") && complaint.len() < 500);
            }
        }
    });
}
