//! Events as lines: one JSON object, or what somebody at a terminal reads.
//!
//! People and attackers choose what stands in events. So what a terminal would obey, or what is not seen, is written as an
//! escape: control characters, marks of direction, zero-width characters, tags. A line is always one line.

use std::fmt::Write as _;

use model::{LogEvent, UserId, is_visible, wire_time};

/// The wire's object on one line, with a line's end.
pub(super) fn json_line(event: &LogEvent) -> String {
    let object = server::log_event_on_the_wire(event).to_string();
    let mut line = String::with_capacity(object.len() + 1);
    for character in object.chars() {
        if !is_visible(character) {
            // Only texts hold such characters, and there an escape means the same.
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

/// Time, type, whom, from where, through what, and what happened.
pub(super) fn plain_line(event: &LogEvent) -> String {
    let user = event.user_id.as_ref().map(UserId::as_str);
    let whom = event.user_name.as_deref().or(user);
    let shown = |text: Option<&str>| visible(text.filter(|text| !text.is_empty()).unwrap_or("–"));
    format!(
        "{}  {:<7}  {:<30}  {:<15}  {:<16}  {}\n",
        wire_time(event.date),
        event.event_type.code(),
        shown(whom),
        shown(event.ip.as_deref()),
        shown(event.client_name.as_deref()),
        shown(Some(&event.description)),
    )
}

fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if !is_visible(character) {
            let _ = write!(visible, "\\u{{{:x}}}", u32::from(character));
        } else {
            visible.push(character);
        }
    }
    visible
}

#[cfg(test)]
pub(super) mod tests {
    use model::{ClientId, EventType, LogId};
    use serde_json::{Value, json};

    use super::*;

    pub(in super::super) fn event(id: &str, description: &str) -> LogEvent {
        LogEvent {
            log_id: LogId::new(id),
            description: description.to_owned(),
            client_id: Some(ClientId::new("c1")),
            ip: Some("192.0.2.1".to_owned()),
            user_name: Some("ana@example.com".to_owned()),
            ..LogEvent::bare(
                "2026-01-31T12:00:00Z".parse().unwrap(),
                EventType::WrongPassword,
                "login.example.com".to_owned(),
            )
        }
    }

    /// What would clear a terminal, forge a line, turn text around, hide in it.
    const HOSTILE: &str = "\u{1b}[2J\r\n2026 forged\u{9b}31m\u{7f} \u{202e}moc\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028} ok 名前 🎉 \" \\";

    fn assert_tame(line: &str) {
        let (line, end) = line.split_at(line.len() - 1);
        assert_eq!(end, "\n");
        let hidden: Vec<char> = line.chars().filter(|&c| !is_visible(c)).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
        assert!(line.contains("名前 🎉"), "{line}");
    }

    #[test]
    fn nothing_in_an_event_reaches_a_terminal_as_an_instruction() {
        let mut event = event("1", HOSTILE);
        event.user_name = Some(HOSTILE.to_owned());
        event.client_name = Some(HOSTILE.to_owned());
        event.details.insert(HOSTILE.to_owned(), json!([HOSTILE]));
        assert_tame(&plain_line(&event));
        let line = json_line(&event);
        assert_tame(&line);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            read,
            server::log_event_on_the_wire(&event),
            "the same event"
        );
    }

    #[test]
    fn a_plain_line_is_read_from_left_to_right() {
        let line = plain_line(&event("1", "Wrong email or password."));
        let words: Vec<&str> = line.split_whitespace().collect();
        let expected =
            "2026-01-31T12:00:00.000Z fp ana@example.com 192.0.2.1 – Wrong email or password.";
        assert_eq!(words.join(" "), expected);
    }
}
