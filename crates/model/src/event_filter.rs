//! Which log events somebody asks for: a tree of conditions on the fields that can be searched.
//!
//! `protocol` makes it of a query's text, `storage` makes SQL of it. Values are spelled as [`EventField::spelled`] has
//! them, so that neither has to know what the other does to a field.
//! Wire: auth0-wire-facts §6.4.

use std::net::IpAddr;
use std::ops::Bound;

use jiff::Timestamp;

use crate::{Identifier, address_text, visible_text};

/// Which log events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventFilter {
    #[default]
    Every,
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// The field is there and not empty.
    Has(EventField),
    /// The whole value is this.
    Is(EventField, String),
    /// The whole value fits the pattern.
    Fits(EventField, Pattern),
    /// The value lies between these, by its bytes.
    Between(EventField, Bound<String>, Bound<String>),
    /// It happened then.
    During(Span),
}

/// From a moment on, and before another; either end may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

/// Text with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Part>);

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// `?`: one character.
    One,
    /// `*`: any number of characters, also none.
    Some,
}

/// How two spellings of a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Each letter counts.
    Exact,
    /// Words that people read: upper and lower case of `a` to `z` are the same.
    AnyCase,
    /// As [`Identifier`] has it.
    Identifier,
    /// As [`address_text`] has it.
    Address,
}

macro_rules! fields {
    ($($name:ident = $word:literal, $spelling:ident);+ $(;)?) => {
        /// A field that can be searched; the time is none, it has [`EventFilter::During`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventField { $($name),+ }

        impl EventField {
            /// All of them, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// How its values are compared.
            pub fn spelling(self) -> Spelling {
                match self { $(Self::$name => Spelling::$spelling),+ }
            }
        }
    };
}

fields! {
    ClientId = "client_id", Exact;
    ClientName = "client_name", AnyCase;
    Connection = "connection", AnyCase;
    ConnectionId = "connection_id", Exact;
    Description = "description", AnyCase;
    Hostname = "hostname", AnyCase;
    Ip = "ip", Address;
    LogId = "log_id", Exact;
    OrganizationId = "organization_id", Exact;
    Strategy = "strategy", Exact;
    StrategyType = "strategy_type", Exact;
    Type = "type", Exact;
    UserAgent = "user_agent", AnyCase;
    UserId = "user_id", Exact;
    UserName = "user_name", Identifier;
}

impl EventField {
    /// What a whole value is compared as.
    pub fn spelled(self, value: &str) -> String {
        let value = visible_text(value);
        match self.spelling() {
            Spelling::Exact => value,
            Spelling::AnyCase => value.to_ascii_lowercase(),
            Spelling::Identifier => Identifier::of(&value).as_str().to_owned(),
            Spelling::Address => value
                .parse::<IpAddr>()
                .map_or_else(|_| value.to_ascii_lowercase(), address_text),
        }
    }

    /// What a part of a value is compared as.
    pub fn part_spelled(self, value: &str) -> String {
        let value = visible_text(value);
        match self.spelling() {
            Spelling::Exact => value,
            Spelling::AnyCase | Spelling::Address => value.to_ascii_lowercase(),
            // What stands at the edge of a part does not stand at the edge of the name, so it is not trimmed.
            Spelling::Identifier => value.to_lowercase(),
        }
    }
}

impl Pattern {
    /// Whether the whole text fits; in time of pattern × text, since callers choose the pattern.
    pub fn fits(&self, text: &str) -> bool {
        let pattern: Vec<Unit> = self.0.iter().flat_map(units).collect();
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut seen) = (0, 0);
        // Where to go on when what follows the last `*` did not fit: behind it, with one more character given to it.
        let mut again = None;
        while let Some(character) = text.get(seen) {
            match pattern.get(at) {
                Some(Unit::Some) => {
                    again = Some((at, seen));
                    at += 1;
                    continue;
                }
                Some(Unit::One) => {}
                Some(Unit::Character(known)) if known == character => {}
                _ => {
                    let Some((star, given)) = again else {
                        return false;
                    };
                    again = Some((star, given + 1));
                    (at, seen) = (star + 1, given + 1);
                    continue;
                }
            }
            (at, seen) = (at + 1, seen + 1);
        }
        let rest = pattern.get(at..).unwrap_or_default();
        rest.iter().all(|unit| *unit == Unit::Some)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Character(char),
    One,
    Some,
}

fn units(part: &Part) -> Vec<Unit> {
    match part {
        Part::Text(text) => text.chars().map(Unit::Character).collect(),
        Part::One => vec![Unit::One],
        Part::Some => vec![Unit::Some],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let parts = text.chars().map(|character| match character {
            '*' => Part::Some,
            '?' => Part::One,
            other => Part::Text(other.to_string()),
        });
        Pattern(parts.collect())
    }

    #[test]
    fn a_pattern_fits_the_whole_text() {
        for (text, fitting, others) in [
            ("s*", &["s", "ss", "sapi"][..], &["fs", ""][..]),
            ("*pft", &["pft", "sepft"], &["pf", "pfta"]),
            ("s?", &["ss", "sé"], &["s", "sss"]),
            ("*e*f*", &["ef", "sepft", "eef"], &["fe", "e"]),
            ("", &[""], &["a"]),
        ] {
            for one in fitting {
                assert!(pattern(text).fits(one), "{text} {one}");
            }
            for one in others {
                assert!(!pattern(text).fits(one), "{text} {one}");
            }
        }
    }

    #[test]
    fn values_are_spelled_as_events_have_them() {
        for (field, typed, spelled) in [
            (EventField::UserName, " Ana@Example.com", "ana@example.com"),
            (
                EventField::Ip,
                "2001:DB8::1",
                "2001:0db8:0000:0000:0000:0000:0000:0001",
            ),
            (EventField::Ip, "not One", "not one"),
            (EventField::Description, "Wrong Ä", "wrong Ä"),
            (EventField::UserId, "auth0|A", "auth0|A"),
            (EventField::UserId, "a\u{202e}b\u{7}", "ab"),
        ] {
            assert_eq!(field.spelled(typed), spelled, "{typed}");
        }
    }
}
