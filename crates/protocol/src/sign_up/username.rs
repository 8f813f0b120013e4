//! Which user names a directory takes (auth0-wire-facts §8.5).

use model::Identifier;
use thiserror::Error;

/// The directory's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsernameRule {
    pub min: u64,
    pub max: u64,
}

/// Why a user name is not taken, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UsernameUnfit {
    #[error("has {0} to {1} characters in this connection")]
    Length(u64, u64),
    #[error("holds letters and digits without accents and any of _ + - . ! # $ ' ^ ` ~ @")]
    Characters,
    #[error("is not an e-mail address")]
    Address,
}

impl Default for UsernameRule {
    fn default() -> Self {
        Self { min: 1, max: 15 }
    }
}

impl UsernameRule {
    /// Judges a user name as it is kept: trimmed, without case.
    pub fn judge(&self, username: &Identifier) -> Result<(), UsernameUnfit> {
        let text = username.as_str();
        let length = text.chars().count() as u64;
        if username.looks_like_email() {
            return Err(UsernameUnfit::Address);
        }
        let plain = |character: char| {
            character.is_ascii_lowercase()
                || character.is_ascii_digit()
                || "_+-.!#$'^`~@".contains(character)
        };
        if !text.chars().all(plain) {
            return Err(UsernameUnfit::Characters);
        }
        if !(self.min..=self.max).contains(&length) || length == 0 {
            return Err(UsernameUnfit::Length(self.min.max(1), self.max));
        }
        Ok(())
    }
}
