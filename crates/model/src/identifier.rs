//! What a person types to say who they are: e-mail address, user name, phone number.
//!
//! One normalisation (trim, NFKC, case fold) serves storage and meters alike,
//! so that spelling variants neither find another user nor yield a fresh budget (CVE-2025-6004, CVE-2026-47203).

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Longer identifiers are refused before any work (RFC 5321 §4.5.3.1.3).
pub const MAX_IDENTIFIER_CHARS: usize = 254;

/// A normalised identifier; two spellings of one identifier are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identifier(String);

impl Identifier {
    /// Normalises what was typed.
    pub fn of(typed: &str) -> Self {
        let typed = typed.trim();
        if typed.is_ascii() {
            // NFKC leaves ASCII as it is, and folding it is lower case.
            return Self(typed.to_ascii_lowercase());
        }
        Self::folded(typed)
    }

    /// Folding is repeated after NFKC because each can undo the other.
    fn folded(typed: &str) -> Self {
        let composed: String = typed.nfkc().collect();
        let folded = caseless::default_case_fold_str(&composed);
        let stable: String = caseless::default_case_fold_str(&folded.nfkc().collect::<String>())
            .nfkc()
            .collect();
        Self(stable.trim().to_owned())
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the shape of an e-mail address; only then is an unknown identifier written to logs.
    pub fn looks_like_email(&self) -> bool {
        self.0.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !self.0.contains(char::is_whitespace)
        })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_takes_a_shorter_way_to_the_same_end() {
        let all: String = (0..128_u8).map(char::from).collect();
        for text in ["Ana@Example.com", " \tA b\r\n", "", all.as_str()] {
            assert_eq!(Identifier::of(text), Identifier::folded(text.trim()));
        }
    }

    #[test]
    fn spelling_variants_are_one_identifier() {
        for (left, right) in [
            ("Ana@Example.com", " ana@example.com\t"),
            ("ＡＮＡ@example.com", "ana@example.com"),
            ("STRASSE@example.com", "straße@example.com"),
            ("ﬁona@example.com", "FIONA@example.com"),
            ("e\u{301}va@example.com", "éva@example.com"),
        ] {
            assert_eq!(
                Identifier::of(left),
                Identifier::of(right),
                "{left} and {right}"
            );
        }
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for typed in ["Ana@Example.com", "ǰ", "ΐ", "İstanbul", "\u{345}a", "ﬃ"] {
            let once = Identifier::of(typed);
            assert_eq!(Identifier::of(once.as_str()), once, "{typed}");
        }
    }

    #[test]
    fn only_addresses_look_like_email() {
        assert!(Identifier::of("ana@example.com").looks_like_email());
        for typed in [
            "hunter2",
            "p@ssword",
            "a b@example.com",
            "@example.com",
            "ana@",
        ] {
            assert!(!Identifier::of(typed).looks_like_email(), "{typed}");
        }
    }
}
