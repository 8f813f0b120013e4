//! The hashing pool: a fixed number of threads, one block of memory each, a bounded and fair queue.
//!
//! A place is taken before anything is charged ([`HashingPool::admit`]); what has no place is refused at once, with the
//! time after which trying again is worth it. A job that waited beyond its deadline is answered at that moment and never
//! hashed. Turns and places depend on what the source's last outcomes were, so that guesses cannot crowd out logins. What a verdict means, and what is charged for it, is not decided here.

mod places;
mod queue;
mod record;
mod slot;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{Argon2Implementation, PasswordHash, Scheme};
use places::Places;
use queue::{Queue, turns_for};
use record::{Record, Records};
pub use slot::Slot;
use worker::Job;

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

impl Default for PoolSettings {
    /// A thread a core, 1,024 places, 5 s, the fast implementation.
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            capacity: 1_024,
            deadline: Duration::from_secs(5),
            argon2: Argon2Implementation::Simd,
        }
    }
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
    records: Records,
    queue: Queue<Job>,
    most_waiting: usize,
    /// Jobs queued since the start.
    queued: u64,
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
                records: Records::default(),
                queue: Queue::default(),
                most_waiting: 0,
                queued: 0,
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
        let record = state.records.of(share.source);
        let expected = state.expected_wait(record, pool.settings.workers.max(1));
        // Who cannot be sure of his turn should learn it now, not when it is too late.
        let in_time = expected <= pool.settings.deadline && !state.stopping;
        let admitted = in_time && state.places.take(share, record);
        drop(state);
        if admitted {
            Ok(Slot::new(Arc::clone(pool), *share, record))
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

    /// The most jobs that ever waited at once.
    pub fn most_waiting(&self) -> usize {
        self.owner.pool.lock().most_waiting
    }

    /// Waits until the threads have done what they are at; jobs that wait are answered [`Expired`] at once. It blocks its
    /// caller for as long as a hash takes.
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
        let mut state = self.pool.lock();
        state.stopping = true;
        let waiting: Vec<Job> = std::iter::from_fn(|| state.queue.pop(None)).collect();
        drop(state);
        self.pool.work.notify_all();
        // Dropping a job answers it, and gives its place back under the lock.
        drop(waiting);
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

impl State {
    /// How long a job admitted now waits at most, were those of its kind served in order of arrival, and whatever sources
    /// of other kinds come. Attempts that hold a place and are not queued yet are ahead as well.
    fn expected_wait(&self, record: Record, workers: usize) -> Duration {
        let ahead = (self.places.taken_by(record) + 1).saturating_sub(workers);
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        self.mean.saturating_mul(count(turns_for(record, ahead))) / count(workers)
    }

    fn report_depth(&self) {
        metrics::gauge!("portcullis_hash_queue_depth").set(self.queue.len() as f64);
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
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
