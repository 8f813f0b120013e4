//! Someone who guesses: many passwords, many sources, many at once.

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::{Answer, Backend};

/// Guesses through a backend that passes addresses on.
#[derive(Clone, Debug)]
pub struct Attacker<'w> {
    pub backend: Backend<'w>,
    pub address: String,
}

impl<'w> Attacker<'w> {
    /// An attacker at this address.
    pub fn at(backend: &Backend<'w>, address: &str) -> Self {
        Self {
            backend: backend.clone(),
            address: address.to_owned(),
        }
    }

    /// Wrong guesses one after the other.
    pub async fn guesses(&self, username: &str, count: usize) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(count);
        for number in 0..count {
            answers.push(self.guess(username, number).await);
        }
        answers
    }

    /// Wrong guesses all at once.
    pub async fn guesses_at_once(&self, username: &str, count: usize) -> Vec<Answer> {
        let burst: FuturesUnordered<_> = (0..count)
            .map(|number| self.guess(username, number))
            .collect();
        burst.collect().await
    }

    async fn guess(&self, username: &str, number: usize) -> Answer {
        self.backend
            .login(username, &format!("guess-{number}"))
            .end_user(&self.address)
            .send()
            .await
    }
}
