//! The ways a mail can go, behind one function.

use crate::{Message, Outbox, SendError, Smtp};

/// A way for mails.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A server that takes mail.
    Smtp(Smtp),
    /// Kept in memory, for demo and development.
    Outbox(Outbox),
}

impl Transport {
    /// Sends a message; when it answers `Ok`, the server has taken responsibility for it.
    pub async fn send(&self, message: &Message) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.send(message).await,
            Self::Outbox(outbox) => {
                outbox.keep(message);
                Ok(())
            }
        }
    }
}
