//! A unit of work on its way through the writer: run, kept until the commit, then answered.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use model::TenantId;
use tokio::sync::oneshot;

use crate::{StoreError, Work};

/// A unit whose result type is known only to itself and to who waits for it.
pub(super) trait Unit: Send {
    fn tenant(&self) -> TenantId;

    /// Runs the unit in an open savepoint.
    fn run(&mut self, work: &mut Work) -> Ran;

    /// Whether its last run took too long for its events.
    fn was_late(&self) -> bool;

    /// Tells the outcome of its last run; where it was to be kept, what came of the commit decides.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// What a run came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Keep,
    Undo,
    /// Undo it and run the unit again.
    Again,
}

/// What is told: the unit's own result, or the panic it ended with.
type Told<T> = Result<Result<T, StoreError>, Box<dyn Any + Send>>;

pub(super) struct Pending<T, F> {
    tenant: TenantId,
    unit: F,
    outcome: Option<Told<T>>,
    answer: oneshot::Sender<Told<T>>,
}

impl<T, F> Pending<T, F> {
    pub(super) fn new(tenant: TenantId, unit: F) -> (Self, oneshot::Receiver<Told<T>>) {
        let (answer, answered) = oneshot::channel();
        let pending = Self {
            tenant,
            unit,
            outcome: None,
            answer,
        };
        (pending, answered)
    }
}

impl<T, F> Unit for Pending<T, F>
where
    T: Send,
    F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send,
{
    fn tenant(&self) -> TenantId {
        self.tenant.clone()
    }

    fn run(&mut self, work: &mut Work) -> Ran {
        work.failed = None;
        work.oldest_event = None;
        let run = catch_unwind(AssertUnwindSafe(|| {
            (self.unit)(work)
                .now_or_never()
                .expect("a unit awaits nothing but its Work, and SQLite never makes it wait")
        }));
        let outcome = match (run, work.failed.take()) {
            (Ok(Ok(_)), Some(failed)) => Ok(Err(failed)),
            (Ok(Ok(value)), None) => Ok(work.check_promptness().map(|()| value)),
            (outcome, _) => outcome,
        };
        let ran = match &outcome {
            Ok(Ok(_)) => Ran::Keep,
            Ok(Err(StoreError::Rerun)) => Ran::Again,
            Ok(Err(_)) | Err(_) => Ran::Undo,
        };
        self.outcome = Some(outcome);
        ran
    }

    fn was_late(&self) -> bool {
        matches!(self.outcome, Some(Ok(Err(StoreError::TooLate))))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let told = match (self.outcome, committed) {
            (Some(Ok(Err(StoreError::Rerun))), _) => Ok(Err(StoreError::Contended)),
            (Some(failed @ (Ok(Err(_)) | Err(_))), _) => failed,
            (Some(kept), Ok(())) => kept,
            (_, Err(error)) => Ok(Err(error)),
            (None, Ok(())) => Ok(Err(StoreError::Refused("the unit was not run".to_owned()))),
        };
        // Nobody waits any more where the request has gone; its writes stand.
        let _ = self.answer.send(told);
    }
}
