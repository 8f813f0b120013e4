//! Places where a test may end the process as a crash would: without a word, at once.
//!
//! Compiled only with the feature `failpoints`, which the shipped binary does not have.

/// Ends the process with SIGKILL if this is the point and the hit it was told to.
#[cfg(feature = "failpoints")]
pub fn pass(point: &'static str) {
    imp::pass(point);
}

/// Does nothing.
#[cfg(not(feature = "failpoints"))]
pub fn pass(_point: &'static str) {}

#[cfg(feature = "failpoints")]
mod imp {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// `CRASH_AT=after_charge:3`: at the third hit of that point.
    static ARMED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "only in binaries built for crash tests"
        )]
        let setting = std::env::var("CRASH_AT").ok()?;
        let (point, hit) = setting.split_once(':')?;
        Some((point.to_owned(), hit.parse().ok()?))
    });
    static HITS: AtomicU64 = AtomicU64::new(0);

    pub(super) fn pass(point: &'static str) {
        let Some((armed, hit)) = &*ARMED else { return };
        if armed == point && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *hit {
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
        }
    }
}
