//! The pool as its users meet it. Threads are held by gates that a test opens, so that nothing depends on speed.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;

use futures_util::poll;
use tokio::sync::oneshot;

use super::worker::Task;
use super::*;
use crate::Password;

const QUICK: Scheme = Scheme::Argon2id {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};
const LONG: Duration = Duration::from_secs(600);

fn pool(workers: usize, capacity: usize, deadline: Duration) -> HashingPool {
    HashingPool::start(PoolSettings {
        workers,
        capacity,
        deadline,
        argon2: Argon2Implementation::Simd,
    })
}

fn share(client: u64, source: u64) -> Share {
    Share {
        source,
        client,
        standing: ClientStanding::Authenticated,
    }
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

impl HashingPool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.owner.pool.lock()
    }

    /// Threads at a job, and jobs that wait.
    fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.places.taken() - state.queue.len(), state.queue.len())
    }

    fn slot(&self, source: u64) -> Slot {
        self.admit(&share(1, source)).unwrap()
    }

    fn decoy(&self, source: u64) -> Queued<Verified> {
        Box::pin(
            self.slot(source)
                .verify(password("x"), Against::Decoy(QUICK)),
        )
    }

    fn hook(&self, share: &Share, run: impl FnOnce() + Send + 'static) -> Queued<()> {
        let slot = self.admit(share).unwrap();
        let run = Box::new(run);
        Box::pin(slot.compute(|reply| Task::Hook { run, reply }))
    }
}

type Queued<T> = Pin<Box<dyn Future<Output = Result<T, Expired>> + Send>>;

/// A thread that stays at its job until it is let go.
struct Held {
    job: Queued<()>,
    gate: mpsc::Sender<()>,
}

impl Held {
    async fn let_go(self) {
        drop(self.gate);
        self.job.await.unwrap();
    }
}

/// Queues a job that holds its thread; the receiver tells when a thread has it.
async fn gated(pool: &HashingPool) -> (Held, oneshot::Receiver<()>) {
    gated_as(pool, 1).await
}

async fn gated_as(pool: &HashingPool, source: u64) -> (Held, oneshot::Receiver<()>) {
    let (started, has_started) = oneshot::channel();
    let (gate, opened) = mpsc::channel::<()>();
    let mut job = pool.hook(&share(1, source), move || {
        let _ = started.send(());
        let _ = opened.recv();
    });
    assert!(poll!(&mut job).is_pending());
    (Held { job, gate }, has_started)
}

async fn hold(pool: &HashingPool) -> Held {
    hold_as(pool, 1).await
}

async fn hold_as(pool: &HashingPool, source: u64) -> Held {
    let (held, started) = gated_as(pool, source).await;
    started.await.unwrap();
    held
}

#[tokio::test]
async fn passwords_are_hashed_and_verified() {
    let pool = pool(2, 16, LONG);
    let hash = pool.slot(1).hash(password("right"), QUICK).await.unwrap();
    let verify =
        async |word: &str, against: Against| pool.slot(1).verify(password(word), against).await;
    let stored = || Against::Stored(hash.clone());
    assert_eq!(verify("right", stored()).await, Ok(Verified::Match));
    assert_eq!(verify("wrong", stored()).await, Ok(Verified::Mismatch));
    let decoy = verify("right", Against::Decoy(QUICK)).await;
    assert_eq!(decoy, Ok(Verified::Mismatch));
    let expected = HashCounts {
        matched: 1,
        mismatched: 1,
        decoy: 1,
        fresh: 1,
    };
    assert_eq!(pool.counts(), expected);
    assert!(pool.state().mean > Duration::ZERO);
}

#[tokio::test]
async fn as_many_run_at_once_as_there_are_workers_and_the_next_waits() {
    let pool = pool(3, 16, LONG);
    let first = hold(&pool).await;
    let others = [hold(&pool).await, hold(&pool).await];
    let (next, mut started) = gated(&pool).await;
    assert_eq!(pool.load(), (3, 1));
    assert!(started.try_recv().is_err());
    first.let_go().await;
    started.await.unwrap();
    assert_eq!(pool.state().queue.len(), 0);
    for held in others.into_iter().chain([next]) {
        held.let_go().await;
    }
}

#[tokio::test]
async fn a_flood_from_one_source_delays_others_by_its_turn_alone() {
    let pool = pool(1, 120, LONG);
    let held = hold(&pool).await;
    let (log, order) = mpsc::channel();
    let mut jobs = Vec::new();
    let flood = (0..40).map(|_| (share(1, 66), "flood"));
    let honest = [(share(1, 2), "same client"), (share(2, 3), "other client")];
    for (share, name) in flood.chain(honest) {
        let log = log.clone();
        let mut job = pool.hook(&share, move || log.send(name).unwrap());
        assert!(poll!(&mut job).is_pending());
        jobs.push(job);
    }
    held.let_go().await;
    for job in jobs {
        job.await.unwrap();
    }
    let first: Vec<_> = order.try_iter().take(4).collect();
    assert_eq!(first, ["flood", "other client", "same client", "flood"]);
}

/// Tokio's clock is paused: it leaps to the deadline as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn who_waits_until_the_deadline_is_answered_then_and_leaves_the_queue() {
    let pool = pool(1, 16, LONG);
    let held = hold(&pool).await;
    assert_eq!(pool.decoy(2).await, Err(Expired));
    assert_eq!(pool.load(), (1, 0));
    assert_eq!(pool.state().places.taken(), 1, "the one that is held");
    held.let_go().await;
    assert_eq!(pool.counts(), HashCounts::default());
}

/// The other side of the race: the thread finds a job whose deadline has passed.
#[tokio::test]
async fn a_thread_does_not_hash_what_is_too_late() {
    let pool = pool(1, 16, Duration::from_nanos(1));
    let mut late = pool.decoy(1);
    let _ = poll!(&mut late);
    while pool.load() != (0, 0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(late.await, Err(Expired));
    assert_eq!(pool.counts(), HashCounts::default());
}

#[tokio::test]
async fn who_goes_away_before_his_turn_costs_nothing() {
    let pool = pool(1, 16, LONG);
    let held = hold(&pool).await;
    let mut gone = pool.decoy(2);
    assert!(poll!(&mut gone).is_pending());
    assert_eq!(pool.state().queue.len(), 1);
    drop(gone);
    assert_eq!(pool.state().queue.len(), 0);
    assert_eq!(pool.state().places.taken(), 1, "the one that is held");
    held.let_go().await;
    assert_eq!(pool.decoy(3).await, Ok(Verified::Mismatch));
    assert_eq!(pool.counts().verified(), 1);
}

#[tokio::test]
async fn who_has_his_answer_has_left_his_place() {
    let pool = pool(1, 1, LONG);
    for _ in 0..200 {
        assert_eq!(pool.decoy(1).await, Ok(Verified::Mismatch));
    }
    drop(pool.slot(1));
    drop(pool.decoy(1));
    assert_eq!(pool.state().places.taken(), 0);
}

#[tokio::test]
async fn a_full_pool_refuses_at_once_and_says_when_to_come_back() {
    let pool = pool(1, 8, LONG);
    let held: Vec<Slot> = (0..3).map(|_| pool.slot(1)).collect();
    let one_second = Busy {
        retry_after: Duration::from_secs(1),
    };
    assert_eq!(pool.admit(&share(1, 1)).unwrap_err(), one_second);
    let others = [pool.slot(2), pool.slot(3)];
    assert_eq!(pool.admit(&share(1, 4)).unwrap_err(), one_second);
    assert!(pool.admit(&share(2, 4)).is_ok(), "another client");
    drop((held, others));
    assert!(pool.admit(&share(1, 1)).is_ok());
}

/// The pool is full of guesses from everywhere; a source that logged somebody in before has a place and the next turn.
#[tokio::test]
async fn a_flood_from_many_sources_leaves_places_and_turns_to_proven_ones() {
    let pool = pool(1, 80, LONG);
    let hash = pool.slot(500).hash(password("right"), QUICK).await.unwrap();
    let login = |word: &str| {
        let against = Against::Stored(hash.clone());
        pool.slot(500).verify(password(word), against)
    };
    assert_eq!(login("right").await, Ok(Verified::Match));
    assert_eq!(login("a typo").await, Ok(Verified::Mismatch));
    let held = hold(&pool).await;
    let (log, order) = mpsc::channel();
    let mut jobs = Vec::new();
    for source in (1_000..1_050).filter(|source| pool.admit(&share(1, *source)).is_ok()) {
        let log = log.clone();
        let mut job = pool.hook(&share(1, source), move || log.send("flood").unwrap());
        assert!(poll!(&mut job).is_pending());
        jobs.push(job);
    }
    assert_eq!(jobs.len(), 49, "one place of fifty is held");
    assert!(pool.admit(&share(1, 1_050)).is_err());
    let honest = log.clone();
    let mut job = pool.hook(&share(1, 500), move || honest.send("honest").unwrap());
    assert!(poll!(&mut job).is_pending());
    jobs.push(job);
    held.let_go().await;
    for job in jobs {
        job.await.unwrap();
    }
    let first: Vec<_> = order.try_iter().take(2).collect();
    assert!(first.contains(&"honest"), "{first:?}");
}

/// One wrong guess each, and the same sources come behind everybody else.
#[tokio::test]
async fn sources_that_failed_come_after_new_ones() {
    let pool = pool(1, 80, LONG);
    for source in 1..=40 {
        assert_eq!(pool.decoy(source).await, Ok(Verified::Mismatch));
    }
    let held = hold_as(&pool, 60).await;
    let (log, order) = mpsc::channel();
    let mut jobs = Vec::new();
    let again = (2..=31).map(|source| (source, "failing"));
    for (source, name) in again.chain([(99, "new")]) {
        let log = log.clone();
        let mut job = pool.hook(&share(1, source), move || log.send(name).unwrap());
        assert!(poll!(&mut job).is_pending());
        jobs.push(job);
    }
    assert!(
        pool.admit(&share(1, 41)).is_ok(),
        "there is room for new ones"
    );
    held.let_go().await;
    for job in jobs {
        job.await.unwrap();
    }
    let first: Vec<_> = order.try_iter().take(2).collect();
    assert!(first.contains(&"new"), "{first:?}");
}

#[tokio::test]
async fn who_would_wait_beyond_the_deadline_is_refused_at_once() {
    // A source without a record can count on three turns in ten.
    let pool = pool(2, 16, Duration::from_secs(500));
    pool.state().mean = Duration::from_millis(200_300);
    let first = hold(&pool).await;
    assert!(pool.admit(&share(1, 2)).is_ok(), "a thread is free");
    let second = hold(&pool).await;
    let mut third = pool.decoy(2);
    assert!(poll!(&mut third).is_pending(), "four turns for one job");
    let refused = pool.admit(&share(1, 3)).unwrap_err();
    assert_eq!(
        refused.retry_after,
        Duration::from_secs(702),
        "seven turns for two"
    );
    drop(third);
    assert!(pool.admit(&share(1, 3)).is_ok());
    first.let_go().await;
    second.let_go().await;
}

#[tokio::test]
async fn a_hash_that_panics_takes_no_thread_with_it() {
    let pool = pool(1, 1, LONG);
    let broken = pool.hook(&share(1, 1), || panic!("on purpose, in a test"));
    assert_eq!(broken.await, Err(Expired));
    while pool.state().places.taken() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.decoy(1).await, Ok(Verified::Mismatch));
}

#[tokio::test]
async fn shutdown_answers_those_who_wait_and_joins_the_threads() {
    let pool = pool(2, 16, LONG);
    let held = [hold(&pool).await, hold(&pool).await];
    let admitted = pool.slot(2);
    let mut waiting = pool.decoy(3);
    assert!(poll!(&mut waiting).is_pending());
    let stopping = pool.clone();
    let stopped = tokio::task::spawn_blocking(move || stopping.shutdown());
    assert_eq!(waiting.await, Err(Expired), "before the threads are free");
    for held in held {
        held.let_go().await;
    }
    stopped.await.unwrap();
    let late = admitted.verify(password("x"), Against::Decoy(QUICK)).await;
    assert_eq!(late, Err(Expired));
    assert!(pool.admit(&share(1, 4)).is_err());
    let holders = Arc::strong_count(&pool.owner.pool);
    assert_eq!(holders, 1, "no thread is left");
    pool.shutdown();
}
