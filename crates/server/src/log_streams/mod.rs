//! Log streams: events are sent to receivers in order, at least once, from a durable position of each stream.
//!
//! One step is a claim, a page of events that are settled (no late commit comes before them), its batches one after the
//! other, and the settling of each. So what a receiver gets twice is only the batch in flight of a node that died or was
//! not answered, and it bears the same id. No unit of work is open while a receiver is spoken to.

mod backoff;
mod batch;
mod secrets;
mod settle;
mod sink;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use model::{LogId, LogStreamId, LogStreamStatus, TenantId};
use storage::{
    CHECKPOINT_DELAY, LogMark, LogStreamDelivery, LogStreamRecord, StoreError, WaitingLogStream,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::app::App;
use batch::{MOST_EVENTS, cut};
pub(crate) use secrets::{Secrets, opened, sealed};
use settle::Held;
use sink::{Failure, Sink};

const EVERY: Duration = Duration::from_secs(1);
/// How long a claimer has a stream to itself: an attempt, clocks that differ by 5 s, and time to settle.
pub const LEASE: Duration = Duration::from_secs(40);
/// A batch is not begun when less is left of the lease.
const LEAST_LEFT: Duration = Duration::from_secs(sink::TIMEOUT.as_secs() + 10);
/// Streams that are stepping at a time on this node; those with priority wait for none of the others.
const PLACES: usize = 24;
const PRIORITY_PLACES: usize = 8;
/// Receivers whose connections are kept.
const SINKS: usize = 256;

type Key = (TenantId, LogStreamId);

/// Sends what waits.
pub struct LogStreams {
    app: Arc<App>,
    busy: Mutex<HashSet<Key>>,
    places: Semaphore,
    priority_places: Semaphore,
    sinks: quick_cache::sync::Cache<Key, Arc<Sink>>,
    timeout: Duration,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// There may be more to send at once.
    More,
    Done,
}

impl LogStreams {
    /// Streams that have not begun.
    pub fn new(app: &Arc<App>) -> Arc<Self> {
        Self::with_timeout(app, sink::TIMEOUT)
    }

    /// The same with less patience for receivers.
    pub fn with_timeout(app: &Arc<App>, timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            timeout: timeout.min(sink::TIMEOUT),
            app: Arc::clone(app),
            busy: Mutex::default(),
            places: Semaphore::new(PLACES),
            priority_places: Semaphore::new(PRIORITY_PLACES),
            sinks: quick_cache::sync::Cache::new(SINKS),
        })
    }

    /// Looks for streams with something to send every second, until the server stops; batches under way end.
    pub fn start(self: &Arc<Self>) {
        let streams = Arc::clone(self);
        self.app.jobs.background(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                match streams.due().await {
                    Ok(due) => due.into_iter().for_each(|waiting| {
                        let streams = Arc::clone(&streams);
                        let jobs = streams.app.jobs.clone();
                        jobs.background(async move { streams.deliver(waiting).await });
                    }),
                    Err(error) => tracing::warn!(%error, "log streams were not looked for"),
                }
            }
        });
    }

    /// Sends everything that may be sent now, and answers when each attempt is settled.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<(), StoreError> {
        let due = self.due().await?;
        join_all(due.into_iter().map(|waiting| self.deliver(waiting))).await;
        Ok(())
    }

    async fn due(&self) -> Result<Vec<WaitingLogStream>, StoreError> {
        let now = self.app.clock.now();
        let mut active = self.app.store.list_active_log_streams().await?;
        let waiting = active.iter().filter_map(|stream| stream.next.as_ref());
        let longest = waiting.map(|next| seconds_since(next, now)).max();
        metrics::gauge!("portcullis_log_stream_lag").set(longest.unwrap_or_default() as f64);
        active.retain(|stream| {
            let delivery = &stream.record.delivery;
            let is_free = delivery.lease_end <= now && delivery.next_try_at <= now;
            let next = stream.next.as_ref().and_then(LogId::time);
            is_free && next.is_some_and(|next| next <= settled(now))
        });
        Ok(active)
    }

    /// Steps until there is nothing more to send for now, unless this node is at it already.
    async fn deliver(self: &Arc<Self>, waiting: WaitingLogStream) {
        let (tenant, id) = (waiting.tenant, waiting.record.stream.id.clone());
        let key = (tenant, id);
        let Some(_working) = Working::on(self, &key) else {
            return;
        };
        let mut seen = Some(waiting.record);
        while let Some(record) = seen.take() {
            let Some(_place) = self.place(record.stream.settings.is_priority).await else {
                return;
            };
            let (streams, of) = (Arc::clone(self), key.0.clone());
            // A batch that was begun is brought to its end: else it would be sent twice whenever a server stops.
            let step = self
                .app
                .jobs
                .detach(async move { streams.step(&of, &record).await });
            seen = match step.await {
                Ok(Ok(Step::More)) => match self.app.tenant(&key.0).find_log_stream(&key.1).await {
                    Ok(record) => {
                        record.filter(|record| record.stream.status == LogStreamStatus::Active)
                    }
                    Err(error) => return unsettled(&key, &error),
                },
                Ok(Ok(Step::Done)) | Err(_) => None,
                Ok(Err(error)) => return unsettled(&key, &error),
            };
        }
    }

    async fn place(&self, is_priority: bool) -> Option<SemaphorePermit<'_>> {
        if is_priority && let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let places = match is_priority {
            true => &self.priority_places,
            false => &self.places,
        };
        places.acquire().await.ok()
    }

    /// Claims the stream as it was seen, sends one page of its events, and settles each batch.
    async fn step(&self, tenant: &TenantId, seen: &LogStreamRecord) -> Result<Step, StoreError> {
        let (app, rows) = (&*self.app, self.app.tenant(tenant));
        let now = app.clock.now();
        let dropped = rows.find_log_mark(LogMark::Dropped).await?;
        let is_gone = |until: &Timestamp| dropped.as_ref() >= Some(&after(*until));
        let in_flight = in_flight_until(&seen.delivery).filter(|until| !is_gone(until));
        let until = in_flight.unwrap_or_else(|| settled(now));
        let Some(tenant) = rows.find_tenant().await? else {
            return Ok(Step::Done);
        };
        let claimed = rows.claim_log_stream(seen, now, now + LEASE, until).await?;
        let Some(record) = claimed else {
            return Ok(Step::Done);
        };
        crate::failpoint::pass("after_stream_claim");
        let page = rows
            .list_events_between(&record.delivery.position, &after(until), MOST_EVENTS)
            .await?;
        let is_full = page.len() >= MOST_EVENTS as usize;
        // A page that is not full is all there is until then.
        let end = match page.last() {
            Some(last) if is_full => last.log_id.clone(),
            _ => after(until).max(record.delivery.position.clone()),
        };
        let more = match is_full || in_flight.is_some() {
            true => Step::More,
            false => Step::Done,
        };

        let mut batches = cut(&record.stream, &tenant.name, &page);
        let mut end = end;
        if is_full && batches.len() > 1 {
            // Its end is the page's and no limit's: begun anew it would be another batch.
            batches.pop();
            end = batches.last().map_or(end, |batch| batch.last.clone());
        }
        let sink = self.sink(&rows, &record);
        let mut held = Held {
            app,
            rows: &rows,
            tenant: &tenant,
            record,
            dropped,
        };
        let Some(last) = batches.len().checked_sub(1) else {
            let now = app.clock.now();
            let status = held.passed(end, 0, now, now).await?;
            return Ok(status.map_or(Step::Done, |_| more));
        };
        let mut lease_end = held.record.delivery.lease_end;
        for (number, batch) in batches.iter().enumerate() {
            let now = app.clock.now();
            if now + LEAST_LEFT > lease_end {
                // Reading took so long that somebody else may be at it before an answer comes.
                return Ok(Step::Done);
            }
            crate::failpoint::pass("before_batch");
            let sent = match &sink {
                Ok(sink) => sink.send(batch, now).await,
                Err(failure) => Err(failure.clone()),
            };
            crate::failpoint::pass("after_batch");
            let now = app.clock.now();
            if let Err(failure) = sent {
                metrics::counter!("portcullis_log_stream_batches_total", "outcome" => "failed")
                    .increment(1);
                held.failed(&failure, now).await?;
                return Ok(Step::Done);
            }
            metrics::counter!("portcullis_log_stream_batches_total", "outcome" => "delivered")
                .increment(1);
            metrics::counter!("portcullis_log_stream_events_total")
                .increment(u64::from(batch.events));
            let is_last = number == last;
            let ends = is_last || app.jobs.is_stopping();
            lease_end = if ends { now } else { now + LEASE };
            let position = if is_last { &end } else { &batch.last };
            let status = held
                .passed(position.clone(), batch.events, now, lease_end)
                .await?;
            crate::failpoint::pass("after_batch_settled");
            held.record.delivery.failures = 0;
            held.record.delivery.failing_since = None;
            match status {
                Some(LogStreamStatus::Active) if !ends => {}
                Some(LogStreamStatus::Active) if is_last => return Ok(more),
                Some(LogStreamStatus::Paused | LogStreamStatus::Suspended) if !ends => {
                    held.passed(position.clone(), 0, now, now).await?;
                    return Ok(Step::Done);
                }
                Some(_) | None => return Ok(Step::Done),
            }
        }
        Ok(more)
    }

    /// The receiver of a record, with the connections it had.
    fn sink(
        &self,
        rows: &storage::TenantStore,
        record: &LogStreamRecord,
    ) -> Result<Arc<Sink>, Failure> {
        let key = (rows.tenant_id().clone(), record.stream.id.clone());
        let known = self.sinks.get(&key);
        if let Some(known) = known.filter(|sink| sink.version == record.version) {
            return Ok(known);
        }
        let sink = Arc::new(Sink::open(&self.app, key.0.as_str(), record, self.timeout)?);
        self.sinks.insert(key, Arc::clone(&sink));
        Ok(sink)
    }
}

/// Whether a batch may have been sent and not settled: then it is made up again from the same events.
fn in_flight_until(delivery: &LogStreamDelivery) -> Option<Timestamp> {
    let until = delivery.settled_until;
    (after(until) > delivery.position).then_some(until)
}

/// No event up to this moment can be written any more.
fn settled(now: Timestamp) -> Timestamp {
    now.checked_sub(CHECKPOINT_DELAY).unwrap_or(Timestamp::MIN)
}

/// Where events later than a moment begin.
fn after(moment: Timestamp) -> LogId {
    let next = moment.checked_add(Duration::from_micros(1));
    LogId::first_of(next.unwrap_or(moment))
}

/// For how long an event has waited.
pub(crate) fn seconds_since(event: &LogId, now: Timestamp) -> i64 {
    let since = event.time().map(|then| now.duration_since(then).as_secs());
    since.unwrap_or_default().max(0)
}

fn unsettled(key: &Key, error: &StoreError) {
    let (tenant, stream) = (key.0.as_str(), key.1.as_str());
    tracing::warn!(%error, tenant, stream, "a log stream was not read or settled");
}

/// Marks a stream as worked on by this node.
struct Working<'a> {
    streams: &'a LogStreams,
    key: Key,
}

impl<'a> Working<'a> {
    fn on(streams: &'a LogStreams, key: &Key) -> Option<Self> {
        let mut busy = streams.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(key.clone()).then(|| Self {
            streams,
            key: key.clone(),
        })
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut busy = self
            .streams
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.key);
    }
}

impl std::fmt::Debug for LogStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogStreams").finish_non_exhaustive()
    }
}
