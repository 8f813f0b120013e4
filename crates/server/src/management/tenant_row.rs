//! The tenant's own row: settings and shields are parts of it, and clients change several parts at once.
//!
//! A change is made of what the row says now; where another one came between, it is made again of what that one left.

use model::Tenant;
use serde_json::Value;
use storage::{Work, Written};

use super::audit;
use super::authorization::ManagementCall;
use super::change::{self, commit};
use crate::answer::management::Problem;

pub(super) const NOT_HERE: Problem = Problem::NotFound {
    code: None,
    message: "Not Found",
};

/// Each time it is made again somebody else's change was written, so that this many rivals are needed to lose.
const ATTEMPTS: u32 = 20;

/// The tenant as it is stored now, not as it was cached.
pub(super) async fn present(call: &ManagementCall) -> Result<Tenant, Problem> {
    call.store.find_tenant().await?.ok_or(NOT_HERE)
}

/// Writes what `change` makes of the tenant, with its event; returns what `change` says the caller shall be shown.
pub(super) async fn change_tenant(
    call: &ManagementCall,
    what: &str,
    sent: &Value,
    change: impl Fn(&mut Tenant) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut tenant = present(call).await?;
        let shown = change(&mut tenant)?;
        let event = audit::changed(call, what, sent, 200, &shown);
        let written = commit(call, event, async move |work: &mut Work| {
            work.set_tenant(&tenant).await
        })
        .await?;
        if written != Written::Moved || attempts == ATTEMPTS {
            return change::written(written, NOT_HERE).map(|()| shown);
        }
    }
}
