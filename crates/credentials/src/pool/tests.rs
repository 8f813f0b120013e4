//! The pool as its users meet it. Timing is by events, not by sleeps: bcrypt at a high cost holds a thread.

use super::*;

const QUICK: Scheme = Scheme::Argon2id {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};
/// Long enough that a thread is still at it when the test looks.
const SLOW: Scheme = Scheme::Bcrypt { cost: 11 };

fn pool(workers: usize, capacity: usize, deadline: Duration) -> HashingPool {
    HashingPool::start(PoolSettings {
        workers,
        capacity,
        deadline,
        argon2: Argon2Implementation::Simd,
    })
}

fn share(source: u64) -> Share {
    Share {
        source,
        client: 1,
        standing: ClientStanding::Authenticated,
    }
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn waiting(pool: &HashingPool) -> usize {
    pool.owner.pool.lock().queue.len()
}

/// Starts a job and waits until a thread has taken it.
async fn occupy(pool: &HashingPool) -> tokio::task::JoinHandle<Result<Verified, Expired>> {
    let slot = pool.admit(&share(1)).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test's own task")]
    let job = tokio::spawn(slot.verify(password("x"), Against::Decoy(SLOW)));
    while pool.owner.pool.lock().running == 0 {
        tokio::task::yield_now().await;
    }
    job
}

#[tokio::test]
async fn passwords_are_hashed_and_verified() {
    let pool = pool(2, 16, Duration::from_secs(5));
    let hash = pool
        .admit(&share(1))
        .unwrap()
        .hash(password("right"), QUICK)
        .await
        .unwrap();
    let verify = |word: &str, against: Against| {
        pool.admit(&share(1))
            .unwrap()
            .verify(password(word), against)
    };
    assert_eq!(
        verify("right", Against::Stored(hash.clone())).await,
        Ok(Verified::Match)
    );
    assert_eq!(
        verify("wrong", Against::Stored(hash)).await,
        Ok(Verified::Mismatch)
    );
    assert_eq!(
        verify("right", Against::Decoy(QUICK)).await,
        Ok(Verified::Mismatch)
    );
    let expected = HashCounts {
        matched: 1,
        mismatched: 1,
        decoy: 1,
        fresh: 1,
    };
    assert_eq!(pool.counts(), expected);
    pool.shutdown();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_run_at_once_as_there_are_workers_and_the_next_waits() {
    let pool = pool(1, 16, Duration::from_secs(30));
    let first = occupy(&pool).await;
    let second = pool
        .admit(&share(2))
        .unwrap()
        .verify(password("x"), Against::Decoy(QUICK));
    tokio::pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    assert_eq!(waiting(&pool), 1);
    assert_eq!(first.await.unwrap(), Ok(Verified::Mismatch));
    assert_eq!(second.await, Ok(Verified::Mismatch));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_beyond_the_deadline_is_answered_without_a_hash() {
    let pool = pool(1, 16, Duration::ZERO);
    let first = occupy(&pool).await;
    let second = pool
        .admit(&share(2))
        .unwrap()
        .verify(password("x"), Against::Decoy(QUICK))
        .await;
    assert_eq!(second, Err(Expired));
    let _ = first.await.unwrap();
    assert!(pool.counts().decoy <= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_before_his_turn_costs_nothing() {
    let pool = pool(1, 16, Duration::from_secs(30));
    let first = occupy(&pool).await;
    {
        let gone = pool
            .admit(&share(2))
            .unwrap()
            .verify(password("x"), Against::Decoy(QUICK));
        tokio::pin!(gone);
        assert!(futures_util::poll!(&mut gone).is_pending());
    }
    first.await.unwrap().unwrap();
    let last = pool
        .admit(&share(3))
        .unwrap()
        .verify(password("x"), Against::Decoy(QUICK))
        .await;
    assert_eq!(last, Ok(Verified::Mismatch));
    assert_eq!(pool.counts().decoy, 2);
}

#[tokio::test]
async fn a_full_pool_refuses_at_once_and_says_when_to_come_back() {
    let pool = pool(1, 8, Duration::from_secs(5));
    let held: Vec<Slot> = (0..7).map(|_| pool.admit(&share(1)).unwrap()).collect();
    assert_eq!(
        pool.admit(&share(1)).unwrap_err(),
        Busy {
            retry_after: Duration::from_secs(1)
        }
    );
    let last = pool.admit(&share(2)).unwrap();
    assert!(pool.admit(&share(3)).is_err());
    drop((held, last));
    assert!(pool.admit(&share(1)).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_those_who_wait() {
    let pool = pool(1, 16, Duration::from_secs(30));
    let first = occupy(&pool).await;
    let waiting = pool
        .admit(&share(2))
        .unwrap()
        .verify(password("x"), Against::Decoy(QUICK));
    tokio::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let stopping = pool.clone();
    tokio::task::spawn_blocking(move || stopping.shutdown())
        .await
        .unwrap();
    assert_eq!(waiting.await, Err(Expired));
    assert_eq!(first.await.unwrap(), Ok(Verified::Mismatch));
    let after = pool
        .admit(&share(4))
        .unwrap()
        .verify(password("x"), Against::Decoy(QUICK))
        .await;
    assert_eq!(after, Err(Expired));
}
