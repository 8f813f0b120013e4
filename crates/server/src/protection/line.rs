//! First in, first out: attempts on one key of this node wait here for those in flight.
//!
//! A budget of N never has more than N attempts in flight, so no more than N need to be past this line at once.
//! Leaving is dropping the `Place`, whatever the reason; a waiter who goes away leaves no trace.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use storage::MeterKey;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::settings::WaitingSettings;

/// All lines of one node.
#[derive(Clone)]
pub(crate) struct Lines {
    inner: Arc<Mutex<Inner>>,
    waiting: WaitingSettings,
}

#[derive(Default)]
struct Inner {
    lines: HashMap<MeterKey, Line>,
    waiters: usize,
}

#[derive(Default)]
struct Line {
    inside: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// Too many wait, or the wait was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// A place past the line; the next waiter gets it when it is dropped.
pub(crate) struct Place {
    lines: Option<Lines>,
    key: MeterKey,
}

impl Lines {
    pub(crate) fn new(waiting: WaitingSettings) -> Self {
        Self {
            inner: Arc::default(),
            waiting,
        }
    }

    /// Takes a place among `capacity`, waiting for its turn until `deadline`.
    pub(crate) async fn enter(
        &self,
        key: MeterKey,
        capacity: usize,
        deadline: Instant,
    ) -> Result<Place, Overloaded> {
        let turn = {
            let mut guarded = self.lock();
            let inner = &mut *guarded;
            let line = inner.lines.entry(key).or_default();
            if line.inside < capacity.max(1) {
                line.inside += 1;
                return Ok(Place {
                    lines: Some(self.clone()),
                    key,
                });
            }
            if line.waiting.len() >= self.waiting.waiters_a_key
                || inner.waiters >= self.waiting.waiters
            {
                let before = line.waiting.len();
                line.waiting.retain(|waiter| !waiter.is_closed());
                inner.waiters -= before - line.waiting.len();
            }
            if line.waiting.len() >= self.waiting.waiters_a_key
                || inner.waiters >= self.waiting.waiters
            {
                return Err(Overloaded);
            }
            let (hand_over, turn) = oneshot::channel();
            line.waiting.push_back(hand_over);
            inner.waiters += 1;
            turn
        };

        // A turn given after the deadline comes back by the drop of the unread `Place`.
        match tokio::time::timeout_at(deadline, turn).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Overloaded),
        }
    }

    fn leave(&self, key: MeterKey) {
        loop {
            let (next, place) = {
                let mut guarded = self.lock();
                let inner = &mut *guarded;
                let Some(line) = inner.lines.get_mut(&key) else {
                    return;
                };
                match line.waiting.pop_front() {
                    Some(next) => {
                        inner.waiters -= 1;
                        (
                            next,
                            Place {
                                lines: Some(self.clone()),
                                key,
                            },
                        )
                    }
                    None => {
                        line.inside -= 1;
                        if line.inside == 0 {
                            inner.lines.remove(&key);
                        }
                        return;
                    }
                }
            };
            match next.send(place) {
                Ok(()) => return,
                // The waiter went away: its place is not given back through `Drop`, the loop does it.
                Err(mut unread) => unread.lines = None,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.take() {
            lines.leave(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const KEY: MeterKey = [7; 32];

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn turns_come_in_order() {
        let lines = Lines::new(WaitingSettings::default());
        let first = lines.enter(KEY, 1, soon()).await.unwrap();
        let second = lines.enter(KEY, 1, soon());
        let third = lines.enter(KEY, 1, soon());
        tokio::pin!(second, third);
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(futures_util::poll!(&mut third).is_pending());

        drop(first);
        assert!(futures_util::poll!(&mut third).is_pending());
        let second = second.await.unwrap();
        drop(second);
        drop(third.await.unwrap());
        assert!(
            lines.lock().lines.is_empty(),
            "an empty line leaves nothing behind"
        );
    }

    #[tokio::test]
    async fn a_waiter_who_goes_away_keeps_nobody_waiting() {
        let lines = Lines::new(WaitingSettings::default());
        let first = lines.enter(KEY, 1, soon()).await.unwrap();
        {
            let gone = lines.enter(KEY, 1, soon());
            tokio::pin!(gone);
            assert!(futures_util::poll!(&mut gone).is_pending());
        }
        let next = lines.enter(KEY, 1, soon());
        tokio::pin!(next);
        assert!(futures_util::poll!(&mut next).is_pending());

        drop(first);
        drop(next.await.unwrap());
        assert!(lines.lock().lines.is_empty());
        assert_eq!(lines.lock().waiters, 0);
    }

    #[tokio::test]
    async fn a_line_has_an_end() {
        let lines = Lines::new(WaitingSettings {
            waiters_a_key: 1,
            ..WaitingSettings::default()
        });
        let _inside = lines.enter(KEY, 1, soon()).await.unwrap();
        let waiting = lines.enter(KEY, 1, soon());
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(lines.enter(KEY, 1, soon()).await.err(), Some(Overloaded));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let lines = Lines::new(WaitingSettings::default());
        let _inside = lines.enter(KEY, 1, soon()).await.unwrap();
        assert_eq!(lines.enter(KEY, 1, soon()).await.err(), Some(Overloaded));
    }
}
