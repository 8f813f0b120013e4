//! What a one-time ticket is good for. A ticket of one kind never works as one of another.

/// The purpose of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketKind {
    /// Lifts the block of one account from one source.
    Unblock,
    /// Sets a new password.
    PasswordReset,
    /// Shows that an address is its user's own.
    EmailVerification,
}

impl TicketKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Unblock, Self::PasswordReset, Self::EmailVerification];

    /// The word under which tickets of this kind are stored; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unblock => "unblock",
            Self::PasswordReset => "password_reset",
            Self::EmailVerification => "email_verification",
        }
    }

    /// The kind of a stored word; none for a word that this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Where its link leads (`/u/…?ticket=…`).
    pub fn path(self) -> &'static str {
        match self {
            Self::Unblock => "/u/brute-force-protection-unblock",
            Self::PasswordReset => "/u/reset-password",
            Self::EmailVerification => "/u/email-verification",
        }
    }
}
