//! Looking at the characters that are left, and taking them.

use super::Parser;

impl Parser<'_> {
    pub(super) fn ends_list(&mut self) -> bool {
        self.at_end() || self.peek() == Some(')')
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    pub(super) fn at_operator(&self) -> bool {
        self.at_word("AND")
            || self.at_word("OR")
            || self.rest.starts_with("&&")
            || self.rest.starts_with("||")
    }

    pub(super) fn takes_operator(&mut self, word: &str, sign: &str) -> bool {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix(sign) {
            self.rest = rest;
            return true;
        }
        self.takes_word(word)
    }

    /// Whether this word stands here, and not the beginning of a longer one.
    pub(super) fn at_word(&self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        after.is_some_and(|after| {
            let next = after.chars().next();
            next.is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
        })
    }

    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.rest = self.rest.get(word.len()..).unwrap_or_default();
        }
        found
    }

    pub(super) fn takes(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        if found {
            self.bump();
        }
        found
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }
}
