//! A place in the pool, and waiting in it for one hash.
//!
//! Whoever waits takes its job out of the queue when it gives up or its deadline comes; a job that a thread has taken is
//! computed to its end and counted, whether or not anybody still listens. Waiting uses real time, never a test's clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::worker::{Job, Task};
use super::{Against, Expired, Pool, Record, Share, Verified, monotonic};
use crate::{Password, PasswordHash, Scheme};

/// A place in the pool; dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    pool: Arc<Pool>,
    share: Share,
    /// What was known of the source when it took the place.
    record: Record,
}

impl Slot {
    pub(super) fn new(pool: Arc<Pool>, share: Share, record: Record) -> Self {
        Self {
            pool,
            share,
            record,
        }
    }

    pub(super) fn source(&self) -> u64 {
        self.share.source
    }

    /// Verifies a password. Dropping the future before a thread took the job cancels it.
    pub async fn verify(self, password: Password, against: Against) -> Result<Verified, Expired> {
        self.compute(|reply| Task::Verify {
            password,
            against,
            reply,
        })
        .await
    }

    /// Hashes a new password. Dropping the future before a thread took the job cancels it.
    pub async fn hash(self, password: Password, scheme: Scheme) -> Result<PasswordHash, Expired> {
        self.compute(|reply| Task::Hash {
            password,
            scheme,
            reply,
        })
        .await
    }

    pub(super) async fn compute<T>(
        self,
        task: impl FnOnce(oneshot::Sender<Result<T, Expired>>) -> Task,
    ) -> Result<T, Expired> {
        let (reply, mut answer) = oneshot::channel();
        let deadline = self.pool.settings.deadline;
        let waiting = self.enqueue(task(reply))?;
        let answered = match tokio::time::timeout(deadline, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if waiting.withdraw() => {
                record_wait(deadline);
                return Err(Expired);
            }
            Err(_) => answer.await,
        };
        answered.unwrap_or(Err(Expired))
    }

    fn enqueue(self, task: Task) -> Result<Waiting, Expired> {
        let queued_at = monotonic();
        let pool = Arc::clone(&self.pool);
        let (share, record) = (self.share, self.record);
        let mut state = pool.lock();
        if state.stopping {
            // The place is given back under the same lock.
            drop(state);
            return Err(Expired);
        }
        let number = state.queued;
        state.queued += 1;
        let job = Job {
            task,
            queued_at,
            place: self,
        };
        state.queue.push(&share, record, number, queued_at, job);
        state.most_waiting = state.most_waiting.max(state.queue.len());
        state.report_depth();
        drop(state);
        pool.work.notify_one();
        Ok(Waiting {
            pool,
            record,
            number,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.lock().places.give_back(&self.share, self.record);
    }
}

/// Takes the job out of the queue if its caller goes away.
struct Waiting {
    pool: Arc<Pool>,
    record: Record,
    number: u64,
}

impl Waiting {
    /// Whether the job was still in the queue; it will not be computed then.
    fn withdraw(&self) -> bool {
        let mut state = self.pool.lock();
        let job = state.queue.remove(self.record, self.number);
        state.report_depth();
        // The job's place is given back under the same lock.
        drop(state);
        job.is_some()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.withdraw();
    }
}

pub(super) fn record_wait(waited: Duration) {
    metrics::histogram!("portcullis_hash_queue_seconds").record(waited.as_secs_f64());
}
