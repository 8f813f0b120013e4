//! A scope: an ordered set of tokens (RFC 6749 §3.3).
//!
//! Order is kept because people read it; equality of content is [`Scope::same_items`].

use std::collections::HashSet;
use std::fmt;

use crate::Problem;

/// More items are refused before any work.
pub(crate) const MAX_ITEMS: usize = 200;

/// What OpenID Connect Core §5.4 defines, in the wire's order. `offline_access` is not among them: refresh
/// tokens are not built, so it is never granted.
pub(crate) const STANDARD: [&str; 5] = ["openid", "profile", "email", "address", "phone"];

/// Tokens without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Reads a space-separated list. Superfluous spaces and repetitions do no harm and are dropped.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let items = || text.split(' ').filter(|item| !item.is_empty());
        if items().nth(MAX_ITEMS).is_some() {
            return Err(Problem::TooManyItems(MAX_ITEMS));
        }
        if !items().all(is_token) {
            return Err(Problem::NotAScope);
        }
        Ok(Self::of(items()))
    }

    /// The tokens among these texts, without repetitions; what is no token (a text with a space would read as
    /// two of them) is left out.
    pub fn of<'item>(items: impl IntoIterator<Item = &'item str>) -> Self {
        let mut seen = HashSet::new();
        let kept = items
            .into_iter()
            .filter(|item| is_token(item) && seen.insert(*item));
        Self(kept.map(str::to_owned).collect())
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the token is among them.
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|item| item == token)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both have the same tokens, in whatever order.
    pub fn same_items(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.iter().collect::<HashSet<_>>() == other.iter().collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(item)?;
        }
        Ok(())
    }
}

/// Whether the name belongs to OpenID Connect and never to an API.
pub(crate) fn is_reserved(token: &str) -> bool {
    token == "offline_access" || STANDARD.contains(&token)
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spaces_and_repetitions_are_dropped_and_order_is_kept() {
        for (text, read) in [
            ("openid email", "openid email"),
            ("  b   a b ", "b a"),
            ("", ""),
            (
                "read:orders https://api/scope !x",
                "read:orders https://api/scope !x",
            ),
        ] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), read, "{text:?}");
        }
    }

    #[test]
    fn other_characters_and_endless_lists_are_refused() {
        for text in ["a\tb", "a\nb", "\"a\"", "a\\b", "é", "a\u{7f}", "\u{a0}"] {
            assert_eq!(Scope::parse(text), Err(Problem::NotAScope), "{text:?}");
        }
        assert!(Scope::parse(&"a ".repeat(MAX_ITEMS)).is_ok());
        let long = "a ".repeat(MAX_ITEMS + 1);
        assert_eq!(Scope::parse(&long), Err(Problem::TooManyItems(MAX_ITEMS)));
    }

    #[test]
    fn a_stored_value_with_a_space_becomes_no_token() {
        assert_eq!(
            Scope::of(["read:a admin", "read:b", ""]).to_string(),
            "read:b"
        );
    }

    #[test]
    fn order_does_not_make_another_scope() {
        let [left, right, more] = ["a b", "b a", "a b c"].map(|text| Scope::parse(text).unwrap());
        assert!(left.same_items(&right));
        assert!(!left.same_items(&more) && !more.same_items(&left));
    }

    proptest! {
        #[test]
        fn what_was_read_reads_as_itself(text in "[ -~é\t]{0,60}") {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
            }
        }
    }
}
