//! Text that must not be seen: passwords, client secrets, what people type where a password could have slipped in.
//!
//! `Debug` hides it and its memory is wiped when it goes. It is no vault: copies made before it came here remain.

use std::fmt;

use zeroize::Zeroizing;

/// Hidden text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text; no copy is made.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
