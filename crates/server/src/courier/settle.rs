//! One attempt to send a mail, and what is written of it: gone, due again later, or given up with an event.
//!
//! Wire: the event `fn` of auth0-wire-facts §6.2.

use std::time::Duration;

use mail::{SendError, next_try};
use model::{EventType, LogEvent, TenantId};
use serde_json::json;
use storage::{ClaimedMail, QueuedMail, Settled, StoreError, Work};

use super::compose::{Composed, compose};
use super::way::Way;
use crate::app::App;
use crate::event_log::{bounded, stamp};

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    /// There is nobody to send it to.
    Nobody,
    /// Not now; why.
    Later(String),
    /// Never; why.
    Never(String),
}

impl Outcome {
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Nobody => "nobody",
            Self::Later(_) => "later",
            Self::Never(_) => "never",
        }
    }
}

/// An attempt that was made.
pub(super) struct Attempted {
    pub(super) outcome: Outcome,
    /// Whom it was for, as far as that is known by now.
    recipient: String,
}

/// Sends a claimed mail; no unit of work is open meanwhile.
pub(super) async fn send(
    app: &App,
    tenant: &TenantId,
    way: &Result<Way, String>,
    claimed: &ClaimedMail,
    patience: Duration,
) -> Attempted {
    let mut recipient = claimed.mail.recipient.clone();
    let sender = way.as_ref().ok().map(|way| &way.sender);
    let outcome = match compose(app, &app.tenant(tenant), claimed, sender).await {
        Ok(Composed::Nobody) => Outcome::Nobody,
        Ok(Composed::Broken(reason)) => Outcome::Never(reason),
        Err(error) => Outcome::Later(error.to_string()),
        Ok(Composed::Message(message)) => {
            recipient = message.to().address().to_owned();
            match way {
                Err(reason) => Outcome::Later(reason.clone()),
                Ok(way) => {
                    crate::failpoint::pass("before_mail");
                    match tokio::time::timeout(patience, way.transport.send(&message)).await {
                        Ok(Ok(())) => Outcome::Sent,
                        Ok(Err(SendError::Transient(reason))) => Outcome::Later(reason),
                        Ok(Err(SendError::Permanent(reason))) => Outcome::Never(reason),
                        Err(_) => Outcome::Later("the attempt took too long".to_owned()),
                    }
                }
            }
        }
    };
    Attempted { outcome, recipient }
}

/// Writes what came of an attempt. A mail that is given up leaves its event in the same unit.
pub(super) async fn settle(
    app: &App,
    tenant: &TenantId,
    claimed: ClaimedMail,
    attempted: Attempted,
) -> Result<(), StoreError> {
    let rows = app.tenant(tenant);
    let now = app.clock.now();
    let reason = match attempted.outcome {
        Outcome::Sent | Outcome::Nobody => {
            let mail_id = claimed.mail.mail_id;
            let removed =
                rows.write(async move |work: &mut Work| work.remove_sent_mail(&mail_id).await);
            return removed.await.map(drop);
        }
        Outcome::Later(reason) => match next_try(claimed.attempt) {
            Some(wait) => {
                let retried = rows.write(async move |work: &mut Work| {
                    work.retry_mail(&claimed, now + wait, &bounded(&reason))
                        .await
                });
                return retried.await.map(drop);
            }
            None => reason,
        },
        Outcome::Never(reason) => reason,
    };
    let hostname = rows
        .find_tenant()
        .await?
        .map(|tenant| tenant.domain)
        .unwrap_or_default();
    let mut events = [given_up(&claimed, &attempted.recipient, &reason, &hostname)];
    stamp(&mut events, now, &*app.entropy);
    let removed = rows.write(async move |work: &mut Work| {
        let settled = work.remove_failed_mail(&claimed).await?;
        if settled == Settled::Done {
            work.add_events(&events).await?;
        }
        Ok(())
    });
    removed.await
}

fn given_up(claimed: &ClaimedMail, recipient: &str, reason: &str, hostname: &str) -> LogEvent {
    let description = format!("To: {recipient}");
    let failed = EventType::NotificationFailed;
    let mut event = about(&claimed.mail, failed, &description, reason, hostname);
    event.details["portcullis"]["attempts"] = claimed.attempt.into();
    event
}

/// An event about a mail, which its writer stamps.
pub(super) fn about(
    mail: &QueuedMail,
    event_type: EventType,
    description: &str,
    reason: &str,
    hostname: &str,
) -> LogEvent {
    let details = json!({
        "email_type": mail.kind,
        "error": { "message": bounded(reason) },
        "portcullis": { "message_id": mail.message_id },
    });
    LogEvent {
        description: bounded(description),
        details: details.as_object().cloned().unwrap_or_default(),
        ..LogEvent::bare(mail.created_at, event_type, bounded(hostname))
    }
}
