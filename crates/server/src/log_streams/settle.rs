//! What is written of an attempt: the new position, or the failure and what follows it. A stream that is suspended leaves
//! its event, and mails to administrators, in the same unit; so does one that missed events the event that says which.

use jiff::Timestamp;
use model::{EventType, LogEvent, LogId, LogStreamStatus, Tenant};
use serde_json::{Value, json};
use storage::{LogStreamClaim, LogStreamOutcome, LogStreamRecord, StoreError, TenantStore, Work};

use super::backoff::{self, Next};
use super::sink::Failure;
use crate::app::App;
use crate::courier::to_administrators;
use crate::event_log::{bounded, stamp};

/// Who holds which stream of whom.
pub(super) struct Held<'a> {
    pub(super) app: &'a App,
    pub(super) rows: &'a TenantStore,
    pub(super) tenant: &'a Tenant,
    pub(super) record: LogStreamRecord,
    /// Events up to here may be gone from the log.
    pub(super) dropped: Option<LogId>,
}

impl Held<'_> {
    fn claim(&self) -> LogStreamClaim {
        LogStreamClaim {
            id: self.record.stream.id.clone(),
            epoch: self.record.delivery.epoch,
        }
    }

    /// Everything up to a position was dealt with. The claim is kept until `lease_end`. Where events before it were
    /// dropped before they were sent, their event says so.
    pub(super) async fn passed(
        &mut self,
        position: LogId,
        delivered: u32,
        at: Timestamp,
        lease_end: Timestamp,
    ) -> Result<Option<LogStreamStatus>, StoreError> {
        let claim = self.claim();
        let before = &self.record.delivery.position;
        let missed = self.dropped.as_ref();
        let missed = missed.filter(|dropped| before < *dropped && **dropped <= position);
        let mut events: Vec<LogEvent> =
            missed.map(|until| self.missed(until)).into_iter().collect();
        stamp(&mut events, at, &*self.app.entropy);
        let outcome = LogStreamOutcome::Passed {
            position: position.clone(),
            delivered,
        };
        let settled = self.rows.write(async move |work: &mut Work| {
            let status = work
                .settle_log_stream(&claim, &outcome, at, lease_end)
                .await?;
            if status.is_some() {
                work.add_events(&events).await?;
            }
            Ok(status)
        });
        let status = settled.await?;
        self.record.delivery.position = position;
        Ok(status)
    }

    /// The receiver failed; the claim ends.
    pub(super) async fn failed(&self, failure: &Failure, at: Timestamp) -> Result<(), StoreError> {
        let delivery = &self.record.delivery;
        let since = delivery.failing_since.unwrap_or(at);
        let next = backoff::after(delivery.failures.saturating_add(1), since, at, failure.wish);
        let (next_try_at, suspend) = match next {
            Next::TryAt(then) => (then, false),
            Next::Suspend => (at, true),
        };
        let outcome = LogStreamOutcome::Failed {
            error: bounded(&failure.reason),
            next_try_at,
            suspend,
        };
        let mut events = Vec::new();
        let mut mails = Vec::new();
        if suspend {
            events.push(self.suspended(&failure.reason));
            stamp(&mut events, at, &*self.app.entropy);
            mails = to_administrators(self.app, self.tenant, SUSPENDED, &self.words(failure), at);
        }
        let claim = self.claim();
        let status = self.rows.write(async move |work: &mut Work| {
            let status = work.settle_log_stream(&claim, &outcome, at, at).await?;
            if status == Some(LogStreamStatus::Suspended) {
                work.add_events(&events).await?;
                for mail in &mails {
                    work.enqueue_mail(mail).await?;
                }
            }
            Ok(status)
        });
        if status.await? == Some(LogStreamStatus::Suspended) && suspend {
            metrics::counter!("portcullis_log_streams_suspended_total").increment(1);
        }
        Ok(())
    }

    fn name(&self) -> &str {
        let stream = &self.record.stream;
        stream
            .settings
            .name
            .as_deref()
            .unwrap_or(stream.id.as_str())
    }

    fn words(&self, failure: &Failure) -> Vec<String> {
        vec![
            format!(
                "The log stream {} of {} was suspended: {}.",
                bounded(self.name()),
                self.tenant.domain,
                failure.reason
            ),
            "Its receiver took nothing for three days. No event is lost as long as the log keeps it: once the receiver \
             is back, set the stream's status to active, and it goes on where it stopped."
                .to_owned(),
        ]
    }

    fn suspended(&self, reason: &str) -> LogEvent {
        let delivery = &self.record.delivery;
        let description = format!("The log stream {} was suspended", self.name());
        let mut event = self.event(EventType::LogStreamSuspended, &description);
        event
            .details
            .insert("error".to_owned(), json!({ "message": bounded(reason) }));
        event.details["portcullis"]["failures"] = json!(delivery.failures.saturating_add(1));
        event.details["portcullis"]["position"] = json!(delivery.position);
        event
    }

    fn missed(&self, until: &LogId) -> LogEvent {
        let description = format!(
            "Events were dropped from the log before the log stream {} had sent them",
            self.name()
        );
        let mut event = self.event(EventType::LogStreamGap, &description);
        event.details["portcullis"]["after"] = json!(self.record.delivery.position);
        event.details["portcullis"]["until"] = json!(until);
        event
    }

    /// An event about the stream, which its writer stamps.
    fn event(&self, event_type: EventType, description: &str) -> LogEvent {
        let stream = json!({
            "log_stream": {
                "id": self.record.stream.id.as_str(),
                "name": self.record.stream.settings.name.as_deref().map(bounded),
            },
            "portcullis": {},
        });
        let Value::Object(details) = stream else {
            unreachable!("an object was written down");
        };
        LogEvent {
            description: bounded(description),
            details,
            ..LogEvent::bare(
                self.record.created_at,
                event_type,
                bounded(&self.tenant.domain),
            )
        }
    }
}

const SUSPENDED: &str = "A log stream was suspended";
