//! The outbox of demo and development: mails stay in memory, where tests and the person at the keyboard read them.
//!
//! Bounded; the oldest make room. Nothing is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Message;

const KEPT: usize = 1_000;

/// Mails that were "sent", shared by all clones.
#[derive(Clone, Default)]
pub struct Outbox {
    mails: Arc<Mutex<VecDeque<Message>>>,
}

impl Outbox {
    pub(crate) fn keep(&self, message: &Message) {
        let mut mails = self.lock();
        if mails.len() == KEPT {
            mails.pop_front();
        }
        mails.push_back(message.clone());
    }

    /// Every mail kept, the oldest first.
    pub fn mails(&self) -> Vec<Message> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox")
            .field("mails", &self.lock().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::Draft;

    #[test]
    fn the_oldest_make_room() {
        let outbox = Outbox::default();
        for number in 0..KEPT + 2 {
            let draft = Draft {
                from: "shop@example.com".to_owned(),
                to: "ana@example.com".to_owned(),
                subject: number.to_string(),
                html: String::new(),
                message_id: format!("<{number}@one.example.com>"),
                date: Timestamp::UNIX_EPOCH,
            };
            outbox.keep(&Message::new(draft).unwrap());
        }
        let kept = outbox.clone().mails();
        assert_eq!((kept.len(), kept[0].subject()), (KEPT, "2"));
        assert_eq!(kept[KEPT - 1].subject(), (KEPT + 1).to_string());
    }
}
