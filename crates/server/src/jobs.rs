//! Work that outlives its request, or has none: named, and waited for at shutdown.
//!
//! Everything after a charge runs here, so that a caller who hangs up changes nothing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one server.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    tracker: TaskTracker,
    stopping: CancellationToken,
    detached: Arc<AtomicUsize>,
}

impl Jobs {
    /// Runs work to its end, whoever waits for it; shutdown waits too.
    pub fn detach<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.detached.fetch_add(1, Ordering::AcqRel);
        let running = Running(Arc::clone(&self.detached));
        self.tracker.spawn(async move {
            let _running = running;
            work.await
        })
    }

    /// Runs a background job until it ends or the server stops; it must be able to stop anywhere.
    pub fn background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Waits until nothing detached is running, at most so long; background jobs go on.
    pub async fn settled(&self, patience: Duration) {
        let quiet = async {
            while self.detached.load(Ordering::Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(patience, quiet).await;
    }

    /// Whether what is under way should come to an end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Stops background jobs and waits for everything detached.
    pub async fn drain(&self) {
        self.stopping.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Counts one detached piece of work, however it ends.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
