//! How text gets into a log event: people and attackers choose it, and somebody reads it at night.
//!
//! Writers bound what they put in with [`bounded_text`]; storage holds every event to [`tidy`] besides, so that no writer can
//! forget it.
//! What is not seen, or changes the order or the look of what is around it, is left out: control characters (terminals obey
//! them), marks of direction, zero-width characters, tags. Quoting for JSON, HTML or a terminal is the reader's.

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Map, Value};

/// The longest text of a field, in bytes.
pub const MAX_EVENT_TEXT: usize = 512;

/// No text of a stored event is longer, whatever its writer thought; some texts of ours are longer than what others choose.
const LONGEST_STORED: usize = 2 * MAX_EVENT_TEXT;

/// The text without what is not seen, cut at 512 bytes.
pub fn bounded_text(text: &str) -> String {
    cut(text, MAX_EVENT_TEXT)
}

fn cut(text: &str, most: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(most));
    for character in text.chars().filter(|character| is_visible(*character)) {
        if kept.len() + character.len_utf8() > most {
            break;
        }
        kept.push(character);
    }
    kept
}

/// A text as an event may hold it.
pub fn tidy(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(cut(text, LONGEST_STORED))
    }
}

/// The members of a document as an event may hold them, at any depth.
pub fn tidy_members(members: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if are_tidy(members) {
        return Cow::Borrowed(members);
    }
    let tidied = members
        .iter()
        .map(|(name, value)| (tidy(name).into_owned(), tidied(value)));
    Cow::Owned(tidied.collect())
}

fn tidied(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(tidy(text)),
        Value::Array(items) => items.iter().map(tidied).collect(),
        Value::Object(members) => Value::Object(tidy_members(members).into_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn are_tidy(members: &Map<String, Value>) -> bool {
    let mut each = members.iter();
    each.all(|(name, value)| is_tidy(name) && is_tidy_value(value))
}

fn is_tidy_value(value: &Value) -> bool {
    match value {
        Value::String(text) => is_tidy(text),
        Value::Array(items) => items.iter().all(is_tidy_value),
        Value::Object(members) => are_tidy(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_tidy(text: &str) -> bool {
    text.len() <= LONGEST_STORED && text.chars().all(is_visible)
}

/// The text without what is not seen.
pub fn visible_text(text: &str) -> String {
    text.chars()
        .filter(|character| is_visible(*character))
        .collect()
}

/// Whether a character is more than an instruction to whatever shows it (Unicode's Cc, and of Cf and the like what hides
/// or reorders; UTR 36 §3, CVE-2021-42574).
pub fn is_visible(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Addresses in events: IPv6 fully expanded, as the wire has it.
pub fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let groups: Vec<String> = v6
                .segments()
                .iter()
                .map(|group| format!("{group:04x}"))
                .collect();
            groups.join(":")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_and_holds_nothing_that_is_not_seen() {
        assert_eq!(bounded_text("a\r\nb\u{1b}[31m"), "ab[31m");
        assert_eq!(bounded_text(&"é".repeat(1_000)).len(), 512);
        let hidden = "ana\u{202e}moc\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}\u{ad}";
        assert_eq!(bounded_text(hidden), "anamoc");
        let written = "Jörg 名前 {{x}} <b> \" ' \\ 🎉";
        assert_eq!(bounded_text(written), written);
    }

    #[test]
    fn a_document_is_tidied_at_any_depth() {
        let plain = serde_json::json!({"a": [{"b": "c"}, 1, null]});
        let Value::Object(plain) = plain else {
            unreachable!()
        };
        assert!(matches!(tidy_members(&plain), Cow::Borrowed(_)));
        let long = "x".repeat(5_000);
        let hostile = serde_json::json!({"a\u{200b}": [{"b\n": "c\u{202e}"}, long]});
        let Value::Object(hostile) = hostile else {
            unreachable!()
        };
        let tidied = Value::Object(tidy_members(&hostile).into_owned());
        assert_eq!(
            tidied,
            serde_json::json!({"a": [{"b": "c"}, "x".repeat(1_024)]})
        );
    }

    #[test]
    fn ipv6_is_expanded() {
        assert_eq!(
            address_text("2001:db8::1".parse().unwrap()),
            "2001:0db8:0000:0000:0000:0000:0000:0001"
        );
    }
}
