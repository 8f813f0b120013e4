//! A thread that hashes: at slightly lower priority, so that everything else answers while it works.
//!
//! It takes the job whose turn it is, drops it if its deadline has passed, and outlives a hash that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::slot::record_wait;
use super::{Against, Counters, Expired, Pool, Slot, Verified, monotonic};
use crate::hasher::{Failed, Hasher};
use crate::{Password, PasswordHash, Scheme};

/// Work with the place it holds.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) queued_at: Instant,
    /// Freed when the job is dropped, wherever that happens.
    pub(super) place: Slot,
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
    /// What a test wants to happen on a thread.
    #[cfg(test)]
    Hook {
        run: Box<dyn FnOnce() + Send>,
        reply: oneshot::Sender<Result<(), Expired>>,
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
    let mut is_first = true;
    while let Some(job) = next(pool) {
        let done = catch_unwind(AssertUnwindSafe(|| {
            carry_out(job, &mut hasher, pool, is_first);
        }));
        is_first = false;
        if done.is_err() {
            // The pool must not lose a thread; what the panic left of the memory is not trusted.
            hasher = Hasher::new(pool.settings.argon2);
        }
    }
}

fn carry_out(job: Job, hasher: &mut Hasher, pool: &Pool, is_first: bool) {
    let turn = Turn {
        pool,
        place: job.place,
        is_first,
    };
    let waited = job.queued_at.elapsed();
    record_wait(waited);
    if waited > pool.settings.deadline {
        // Its caller is about to withdraw it; dropping the task answers the same.
        return;
    }
    let started = monotonic();
    job.task.compute(hasher, &pool.counters, |verified| {
        turn.end(started.elapsed(), verified);
    });
}

/// A thread at a job. Its end, also by a panic, frees the place.
struct Turn<'a> {
    pool: &'a Pool,
    place: Slot,
    is_first: bool,
}

impl Turn<'_> {
    /// Ends it after a hash that took so long, and remembers what the source is about to be told.
    fn end(self, took: Duration, verified: Option<Verified>) {
        let mut state = self.pool.lock();
        match verified {
            Some(Verified::Match) => state.records.matched(self.place.source()),
            Some(Verified::Mismatch) => state.records.mismatched(self.place.source()),
            None => {}
        }
        // The first hash of a thread also takes its memory, and one that the system held up says nothing of the next.
        if self.is_first {
            return;
        }
        state.mean = if state.mean.is_zero() {
            took
        } else {
            (state.mean * 7 + took.min(state.mean * 2)) / 8
        };
    }
}

/// The job whose turn it is; none when the pool stops.
fn next(pool: &Pool) -> Option<Job> {
    let mut state = pool.lock();
    loop {
        if state.stopping {
            return None;
        }
        let long_ago = monotonic().checked_sub(pool.settings.deadline / 2);
        if let Some(job) = state.queue.pop(long_ago) {
            state.report_depth();
            return Some(job);
        }
        state = pool
            .work
            .wait(state)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

impl Task {
    /// Computes, counts, then ends the turn, and answers last: whoever has its answer finds the place free.
    fn compute(self, hasher: &mut Hasher, counters: &Counters, end: impl FnOnce(Option<Verified>)) {
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
                    Err(Failed) => Err(Expired),
                };
                end(verified.ok());
                let _ = reply.send(verified);
            }
            Self::Verify {
                password,
                against: Against::Decoy(scheme),
                reply,
            } => {
                let done = hasher.decoy(&password, scheme);
                count(&counters.decoy, "decoy");
                let verified = done.map(|()| Verified::Mismatch).map_err(|Failed| Expired);
                end(verified.ok());
                let _ = reply.send(verified);
            }
            Self::Hash {
                password,
                scheme,
                reply,
            } => {
                let done = hasher.hash(&password, scheme);
                count(&counters.fresh, "new");
                end(None);
                let _ = reply.send(done.map_err(|Failed| Expired));
            }
            #[cfg(test)]
            Self::Hook { run, reply } => {
                run();
                end(None);
                let _ = reply.send(Ok(()));
            }
        }
    }
}

fn count(counter: &AtomicU64, outcome: &'static str) {
    counter.fetch_add(1, Ordering::SeqCst);
    metrics::counter!("portcullis_password_hashes_total", "outcome" => outcome).increment(1);
}
