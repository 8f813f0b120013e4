//! Why a mail was not taken: for good, or for now.
//!
//! Texts name the step and the server's answer, bounded and without control characters, never the password.

/// What a transport answers where a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The server refused this recipient or this message for good; trying again is of no use.
    #[error("refused: {0}")]
    Permanent(String),
    /// The server asked for another try, or it could not be reached, was not trusted, did not let us in or fell silent.
    /// The mail may have been taken all the same.
    #[error("not sent for now: {0}")]
    Transient(String),
}

const MAX_TEXT: usize = 300;

/// A text of somebody else, fit for a log and a row.
pub(crate) fn bounded(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(plain).take(MAX_TEXT).collect()
}
