//! One attempt to send a mail, and what is written of it: gone, due again later, or given up with an event.
//!
//! Wire: the event `fn` of auth0-wire-facts §6.2.

use std::sync::Arc;
use std::time::Duration;

use mail::{SendError, Transport, next_try};
use model::{EventType, LogEvent, LogId, TenantId};
use serde_json::{Map, json};
use storage::{ClaimedMail, Settled, StoreError, Work};

use super::compose::{Composed, compose};
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

/// Sends a claimed mail; no unit of work is open meanwhile.
pub(super) async fn send(
    app: &App,
    tenant: &TenantId,
    transport: &Result<Arc<Transport>, String>,
    claimed: &ClaimedMail,
    patience: Duration,
) -> Outcome {
    let transport = match transport {
        Ok(transport) => transport,
        Err(reason) => return Outcome::Later(reason.clone()),
    };
    let message = match compose(app, &app.tenant(tenant), claimed).await {
        Ok(Composed::Message(message)) => message,
        Ok(Composed::Nobody) => return Outcome::Nobody,
        Ok(Composed::Broken(reason)) => return Outcome::Never(reason),
        Err(error) => return Outcome::Later(error.to_string()),
    };
    match tokio::time::timeout(patience, transport.send(&message)).await {
        Ok(Ok(())) => Outcome::Sent,
        Ok(Err(SendError::Transient(reason))) => Outcome::Later(reason),
        Ok(Err(SendError::Permanent(reason))) => Outcome::Never(reason),
        Err(_) => Outcome::Later("the attempt took too long".to_owned()),
    }
}

/// Writes what came of an attempt. A mail that is given up leaves its event in the same unit.
pub(super) async fn settle(
    app: &App,
    tenant: &TenantId,
    claimed: ClaimedMail,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let rows = app.tenant(tenant);
    let now = app.clock.now();
    let reason = match outcome {
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
    let mut events = [given_up(&claimed, &reason, &hostname)];
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

fn given_up(claimed: &ClaimedMail, reason: &str, hostname: &str) -> LogEvent {
    let details = json!({
        "email_type": claimed.mail.kind,
        "error": { "message": bounded(reason) },
        "portcullis": { "message_id": claimed.mail.message_id, "attempts": claimed.attempt },
    });
    LogEvent {
        log_id: LogId::new(String::new()),
        date: claimed.mail.created_at,
        event_type: EventType::NotificationFailed,
        description: bounded(&format!("To: {}", claimed.mail.recipient)),
        client_id: None,
        client_name: None,
        connection: None,
        connection_id: None,
        ip: None,
        client_ip: None,
        user_id: None,
        user_name: None,
        user_agent: None,
        audience: None,
        scope: None,
        hostname: bounded(hostname),
        details: details.as_object().cloned().unwrap_or_default(),
        rest: Map::new(),
    }
}
