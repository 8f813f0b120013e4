//! A change and its event in one commit, and what the caller is told where it did not happen.

use model::LogEvent;
use storage::{Added, StoreError, Work, Written};

use super::authorization::ManagementCall;
use crate::answer::management::Problem;

/// What a unit came to; only what was done leaves an event.
pub(super) trait Outcome: Send + 'static {
    fn is_done(&self) -> bool;
}

impl Outcome for Added {
    fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

impl Outcome for Written {
    fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

impl Outcome for bool {
    fn is_done(&self) -> bool {
        *self
    }
}

/// Runs a unit with its event; this node acts on it at once.
pub(super) async fn commit<T: Outcome, F>(
    call: &ManagementCall,
    event: LogEvent,
    unit: F,
) -> Result<T, Problem>
where
    F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send + Sync + 'static,
{
    let outcome = call
        .store
        .write(async move |work: &mut Work| {
            let outcome = unit(work).await?;
            if outcome.is_done() {
                work.add_events(std::slice::from_ref(&event)).await?;
            }
            Ok(outcome)
        })
        .await;
    // Also after an error: a commit whose answer was lost may hold.
    call.app.forget_cached();
    Ok(outcome?)
}

/// 409 where the row exists.
pub(super) fn added(outcome: Added, exists: &'static str) -> Result<(), Problem> {
    match outcome {
        Added::Done => Ok(()),
        Added::IdTaken | Added::IdentifierTaken => Err(Problem::Conflict(exists)),
    }
}

/// 404 where the row is gone, 409 where somebody else changed it since it was read.
pub(super) fn written(outcome: Written, missing: Problem) -> Result<(), Problem> {
    match outcome {
        Written::Done => Ok(()),
        Written::Missing => Err(missing),
        Written::IdentifierTaken => Err(Problem::Conflict(
            "The specified new email or username already exists",
        )),
        Written::Moved => Err(Problem::Conflict(
            "It was changed by another request at the same time. Send the change again.",
        )),
    }
}
