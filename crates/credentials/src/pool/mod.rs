//! The hashing pool: a fixed number of threads, one block of memory each, a bounded and fair queue.
//!
//! A place is taken before anything is charged ([`HashingPool::admit`]); what has no place is refused at once, with the
//! time after which trying again is worth it. A job that waited beyond its deadline is answered without being hashed.

mod places;
mod queue;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::{Argon2Implementation, Password, PasswordHash, Scheme};
use places::Places;
use queue::Queue;
use worker::{Job, Task};

/// Bounds of a pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Threads that hash.
    pub workers: usize,
    /// Places: jobs that wait or run, and attempts about to become one.
    pub capacity: usize,
    /// How long a job may wait for a thread.
    pub deadline: Duration,
    pub argon2: Argon2Implementation,
}

/// Whose work it is, for fair turns and bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The source prefix.
    pub source: u64,
    pub client: u64,
    pub standing: ClientStanding,
}

/// Whether the client authenticated itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStanding {
    Authenticated,
    Public,
}

/// No place: try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hashing queue has no room; try again in {} s", retry_after.as_secs())]
pub struct Busy {
    /// Whole seconds, at least one.
    pub retry_after: Duration,
}

/// The job was not computed: it waited too long, the pool stopped, or memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hash was not computed in time")]
pub struct Expired;

/// What a password is verified against.
#[derive(Debug, Clone)]
pub enum Against {
    Stored(PasswordHash),
    /// Nobody's hash: the same work in the same queue, and never a match.
    Decoy(Scheme),
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    Match,
    Mismatch,
}

/// Hashes computed since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HashCounts {
    pub matched: u64,
    pub mismatched: u64,
    pub decoy: u64,
    pub fresh: u64,
}

impl HashCounts {
    /// Every run of a verification, decoys included.
    pub fn verified(&self) -> u64 {
        self.matched + self.mismatched + self.decoy
    }
}

/// A handle to the pool; the threads end with the last one.
#[derive(Clone, Debug)]
pub struct HashingPool {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    pool: Arc<Pool>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// What handles, places and threads share.
pub(crate) struct Pool {
    settings: PoolSettings,
    state: Mutex<State>,
    work: Condvar,
    pub(crate) counters: Counters,
}

pub(crate) struct State {
    places: Places,
    queue: Queue<Job>,
    /// Threads that are at a job.
    running: usize,
    /// Smoothed time of one hash.
    mean: Duration,
    stopping: bool,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) matched: AtomicU64,
    pub(crate) mismatched: AtomicU64,
    pub(crate) decoy: AtomicU64,
    pub(crate) fresh: AtomicU64,
}

impl HashingPool {
    /// Starts the threads.
    pub fn start(settings: PoolSettings) -> Self {
        let pool = Arc::new(Pool {
            settings,
            state: Mutex::new(State {
                places: Places::new(settings.capacity),
                queue: Queue::default(),
                running: 0,
                mean: Duration::ZERO,
                stopping: false,
            }),
            work: Condvar::new(),
            counters: Counters::default(),
        });
        let workers = (0..settings.workers.max(1))
            .map(|_| worker::spawn(Arc::clone(&pool)))
            .collect();
        Self {
            owner: Arc::new(Owner {
                pool,
                workers: Mutex::new(workers),
            }),
        }
    }

    /// Takes a place, before anything is charged; dropping it frees it.
    pub fn admit(&self, share: &Share) -> Result<Slot, Busy> {
        let pool = &self.owner.pool;
        let mut state = pool.lock();
        let ahead = u32::try_from(state.queue.len() + state.running).unwrap_or(u32::MAX);
        let workers = u32::try_from(pool.settings.workers.max(1)).unwrap_or(u32::MAX);
        let expected = state.mean.saturating_mul(ahead) / workers;
        let admitted = expected <= pool.settings.deadline && state.places.take(share);
        drop(state);
        if admitted {
            Ok(Slot {
                pool: Arc::clone(pool),
                share: *share,
            })
        } else {
            let seconds = expected.as_secs() + u64::from(expected.subsec_nanos() > 0);
            Err(Busy {
                retry_after: Duration::from_secs(seconds.max(1)),
            })
        }
    }

    /// What was computed so far.
    pub fn counts(&self) -> HashCounts {
        let counters = &self.owner.pool.counters;
        HashCounts {
            matched: counters.matched.load(Ordering::SeqCst),
            mismatched: counters.mismatched.load(Ordering::SeqCst),
            decoy: counters.decoy.load(Ordering::SeqCst),
            fresh: counters.fresh.load(Ordering::SeqCst),
        }
    }

    /// Ends the threads once they have done what they are at; jobs that wait are answered [`Expired`].
    pub fn shutdown(&self) {
        self.owner.stop();
        let workers = std::mem::take(
            &mut *self
                .owner
                .workers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for worker in workers {
            let _ = worker.join();
        }
    }
}

impl Owner {
    fn stop(&self) {
        self.pool.lock().stopping = true;
        self.pool.work.notify_all();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Pool {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A place in the pool.
#[derive(Debug)]
pub struct Slot {
    pool: Arc<Pool>,
    share: Share,
}

impl Slot {
    /// Verifies a password. Dropping the future before a thread took the job cancels it.
    pub async fn verify(self, password: Password, against: Against) -> Result<Verified, Expired> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Task::Verify {
            password,
            against,
            reply,
        })?;
        answer.await.unwrap_or(Err(Expired))
    }

    /// Hashes a new password.
    pub async fn hash(self, password: Password, scheme: Scheme) -> Result<PasswordHash, Expired> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Task::Hash {
            password,
            scheme,
            reply,
        })?;
        answer.await.unwrap_or(Err(Expired))
    }

    fn enqueue(self, task: Task) -> Result<(), Expired> {
        let queued_at = monotonic();
        let pool = Arc::clone(&self.pool);
        let share = self.share;
        let mut state = pool.lock();
        if state.stopping {
            drop(state);
            return Err(Expired);
        }
        state.queue.push(
            &share,
            Job {
                task,
                queued_at,
                _place: self,
            },
        );
        metrics::gauge!("portcullis_hash_queue_depth").set(state.queue.len() as f64);
        drop(state);
        pool.work.notify_one();
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.lock().places.give_back(&self.share);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "queue times and deadlines are monotonic, not times of day"
)]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
