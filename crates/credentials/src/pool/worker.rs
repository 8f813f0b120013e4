//! A thread that hashes: at slightly lower priority, so that everything else answers while it works.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Against, Expired, Pool, Slot, Verified, monotonic};
use crate::hasher::Hasher;
use crate::{Password, PasswordHash, Scheme};

/// Work with the place it holds.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) queued_at: Instant,
    /// Freed when the job is dropped, wherever that happens.
    pub(super) _place: Slot,
}

/// What is to be computed, and who waits for it.
pub(super) enum Task {
    Verify {
        password: Password,
        against: Against,
        reply: oneshot::Sender<Result<Verified, Expired>>,
    },
    Hash {
        password: Password,
        scheme: Scheme,
        reply: oneshot::Sender<Result<PasswordHash, Expired>>,
    },
}

pub(super) fn spawn(pool: Arc<Pool>) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name("hashing".to_owned())
        .spawn(move || {
            // Best effort: without the right to it, hashing only competes a little harder.
            let _ = rustix::process::nice(5);
            run(&pool);
        })
        .expect("the system has room for a fixed number of threads")
}

fn run(pool: &Pool) {
    let mut hasher = Hasher::new(pool.settings.argon2);
    while let Some(job) = next(pool) {
        if let Some(took) = carry_out(job, &mut hasher, pool) {
            let mut state = pool.lock();
            state.mean = if state.mean.is_zero() {
                took
            } else {
                (state.mean * 7 + took) / 8
            };
        }
        pool.lock().running -= 1;
    }
}

/// How long the hash took, if one was computed.
fn carry_out(job: Job, hasher: &mut Hasher, pool: &Pool) -> Option<Duration> {
    let waited = job.queued_at.elapsed();
    metrics::histogram!("portcullis_hash_queue_seconds").record(waited.as_secs_f64());
    if waited > pool.settings.deadline {
        job.task.expire();
        return None;
    }
    if job.task.is_abandoned() {
        return None;
    }
    let started = monotonic();
    job.task.compute(hasher, pool);
    Some(started.elapsed())
}

/// The job whose turn it is; none when the pool stops. Jobs left then are dropped, which answers them.
fn next(pool: &Pool) -> Option<Job> {
    let mut state = pool.lock();
    loop {
        if state.stopping {
            let left: Vec<Job> = std::iter::from_fn(|| state.queue.pop()).collect();
            drop(state);
            drop(left);
            return None;
        }
        if let Some(job) = state.queue.pop() {
            state.running += 1;
            metrics::gauge!("portcullis_hash_queue_depth").set(state.queue.len() as f64);
            return Some(job);
        }
        state = pool
            .work
            .wait(state)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

impl Task {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Verify { reply, .. } => reply.is_closed(),
            Self::Hash { reply, .. } => reply.is_closed(),
        }
    }

    fn expire(self) {
        match self {
            Self::Verify { reply, .. } => drop(reply.send(Err(Expired))),
            Self::Hash { reply, .. } => drop(reply.send(Err(Expired))),
        }
    }

    fn compute(self, hasher: &mut Hasher, pool: &Pool) {
        let counters = &pool.counters;
        let count = |counter: &std::sync::atomic::AtomicU64, outcome: &'static str| {
            counter.fetch_add(1, Ordering::SeqCst);
            metrics::counter!("portcullis_password_hashes_total", "outcome" => outcome)
                .increment(1);
        };
        match self {
            Self::Verify {
                password,
                against: Against::Stored(hash),
                reply,
            } => {
                let verified = match hasher.verify(&password, &hash) {
                    Ok(true) => {
                        count(&counters.matched, "match");
                        Ok(Verified::Match)
                    }
                    Ok(false) => {
                        count(&counters.mismatched, "mismatch");
                        Ok(Verified::Mismatch)
                    }
                    Err(_) => Err(Expired),
                };
                let _ = reply.send(verified);
            }
            Self::Verify {
                password,
                against: Against::Decoy(scheme),
                reply,
            } => {
                let done = hasher
                    .decoy(&password, scheme)
                    .map(|()| Verified::Mismatch)
                    .map_err(|_| Expired);
                count(&counters.decoy, "decoy");
                let _ = reply.send(done);
            }
            Self::Hash {
                password,
                scheme,
                reply,
            } => {
                let done = hasher.hash(&password, scheme).map_err(|_| Expired);
                count(&counters.fresh, "new");
                let _ = reply.send(done);
            }
        }
    }
}
