//! A password as it was typed: zeroed when dropped, never shown.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Longer passwords are refused before any work.
const MAX_BYTES: usize = 1_024;

/// 1 to 1,024 bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    #[error("a password has at least one character")]
    Empty,
    #[error("a password has at most 1024 bytes")]
    TooLong,
}

impl Password {
    /// Takes the text as typed.
    pub fn new(text: impl Into<String>) -> Result<Self, PasswordRefused> {
        let mut text = text.into();
        let refused = match text.len() {
            0 => PasswordRefused::Empty,
            1..=MAX_BYTES => return Ok(Self(text)),
            _ => PasswordRefused::TooLong,
        };
        text.zeroize();
        Err(refused)
    }

    /// The text, for policies that judge it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            format!("{:?}", Password::new("hunter2").unwrap()),
            "Password"
        );
    }

    #[test]
    fn bounds_are_in_bytes() {
        assert_eq!(Password::new("").unwrap_err(), PasswordRefused::Empty);
        assert!(Password::new("x".repeat(1_024)).is_ok());
        assert_eq!(
            Password::new("é".repeat(513)).unwrap_err(),
            PasswordRefused::TooLong
        );
    }
}
