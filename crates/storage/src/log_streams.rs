//! Log streams: what they are, how far each has come, and who sends it for now.
//!
//! A claim is a lease with an epoch: it is made only as the row was seen, so that it knows exactly where it begins, and
//! only its epoch settles. A stream whose sender died is free when the lease ends; its position never moved beyond what a
//! receiver took. When to try again and when to give up is not decided here.

use jiff::Timestamp;
use model::{LogId, LogStream, LogStreamId, LogStreamStatus, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::reads;
use crate::{Added, Store, StoreError, TenantStore, Work, Written};

/// A stream, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStreamRecord {
    pub stream: LogStream,
    /// What its receiver is told as a secret, sealed under the root key.
    pub secrets_sealed: Option<Vec<u8>>,
    pub created_at: Timestamp,
    /// Changes with what administrators change, not with what is sent.
    pub version: i64,
    pub delivery: LogStreamDelivery,
}

/// How far a stream has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStreamDelivery {
    /// The last event that was dealt with, or where the next ones begin.
    pub position: LogId,
    /// What is in flight ends here, so that a batch that is sent again is the same one.
    pub settled_until: Timestamp,
    pub epoch: i64,
    /// Nobody claims it before.
    pub lease_end: Timestamp,
    /// Nor before that.
    pub next_try_at: Timestamp,
    /// Failed attempts since the last success.
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
    pub last_error: Option<String>,
    pub last_error_at: Option<Timestamp>,
    pub last_success_at: Option<Timestamp>,
    /// Events that a receiver took.
    pub delivered: i64,
}

impl LogStreamDelivery {
    /// Begins at a position.
    pub fn from(position: LogId, now: Timestamp) -> Self {
        Self {
            position,
            settled_until: Timestamp::UNIX_EPOCH,
            epoch: 0,
            lease_end: now,
            next_try_at: now,
            failures: 0,
            failing_since: None,
            last_error: None,
            last_error_at: None,
            last_success_at: None,
            delivered: 0,
        }
    }
}

/// An active stream and the next event after its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLogStream {
    pub tenant: TenantId,
    pub record: LogStreamRecord,
    pub next: Option<LogId>,
}

/// Who sends a stream for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStreamClaim {
    pub id: LogStreamId,
    pub epoch: i64,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogStreamOutcome {
    /// Everything up to this position was dealt with; a receiver took so many events of it.
    Passed { position: LogId, delivered: u32 },
    /// The receiver failed, and the position stays.
    Failed {
        error: String,
        next_try_at: Timestamp,
        /// Whether it is given up until somebody sets it going again.
        suspend: bool,
    },
}

/// What a stream has not dealt with yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStreamLag {
    /// Counted up to the limit.
    pub events: u64,
    pub next: Option<LogId>,
}

const COLUMNS: &str = "stream_id, document, secrets_sealed, status, created_at, version, position, settled_until, \
                       epoch, lease_end, next_try_at, failures, failing_since, last_error, last_error_at, \
                       last_success_at, delivered";

reads! {
    /// The stream with this id.
    first find_log_stream(id: &LogStreamId) -> Option<LogStreamRecord> = by_id;
    /// Every stream of the tenant, the oldest first.
    all list_log_streams() -> Vec<LogStreamRecord> = of_tenant;
}

impl Store {
    /// The active streams of all tenants, each with its next event: one look into the index of events a stream.
    pub async fn list_active_log_streams(&self) -> Result<Vec<WaitingLogStream>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, tenant_id, (SELECT e.log_id FROM events e WHERE e.tenant_id = log_streams.tenant_id \
             AND e.log_id > log_streams.position ORDER BY e.log_id LIMIT 1) \
             FROM log_streams WHERE status = 'active' ORDER BY tenant_id, stream_id"
        );
        self.all(Select::new(sql, Vec::new(), |row| {
            let record = read(row)?;
            Ok(WaitingLogStream {
                tenant: TenantId::new(row.text()?),
                record,
                next: row.maybe_text()?.map(LogId::new),
            })
        }))
        .await
    }
}

impl TenantStore {
    /// Makes a claim until `lease_end`, if the stream still is as it was seen and free at `now`.
    pub async fn claim_log_stream(
        &self,
        seen: &LogStreamRecord,
        now: Timestamp,
        lease_end: Timestamp,
        settled_until: Timestamp,
    ) -> Result<Option<LogStreamRecord>, StoreError> {
        let (id, epoch) = (seen.stream.id.clone(), seen.delivery.epoch);
        let claimed = self.write(async move |work: &mut Work| {
            let sql = format!(
                "UPDATE log_streams SET epoch = epoch + 1, lease_end = $5, settled_until = $6 \
                 WHERE tenant_id = $1 AND stream_id = $2 AND epoch = $3 AND status = 'active' \
                 AND lease_end <= $4 AND next_try_at <= $4 RETURNING {COLUMNS}"
            );
            let arguments = arguments![&work.tenant, &id, epoch, now, lease_end, settled_until];
            work.returning(Select::new(sql, arguments, read)).await
        });
        Ok(claimed.await?.pop())
    }

    /// How many events there are after a position, and the first of them.
    pub async fn find_log_stream_lag(
        &self,
        position: &LogId,
        limit: u32,
    ) -> Result<LogStreamLag, StoreError> {
        let counted = self.first(Select::new(
            "SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE tenant_id = $1 AND log_id > $2 LIMIT $3) AS counted",
            arguments![&self.tenant, position, limit],
            Row::count,
        ));
        let next = self.first(Select::new(
            "SELECT log_id FROM events WHERE tenant_id = $1 AND log_id > $2 ORDER BY log_id LIMIT 1",
            arguments![&self.tenant, position],
            Row::text,
        ));
        Ok(LogStreamLag {
            events: counted.await?.unwrap_or_default(),
            next: next.await?.map(LogId::new),
        })
    }
}

impl Work {
    /// Adds a stream; its version becomes 1.
    pub async fn add_log_stream(&mut self, record: &LogStreamRecord) -> Result<Added, StoreError> {
        let delivery = &record.delivery;
        let arguments = arguments![
            &self.tenant,
            &record.stream.id,
            json(&record.stream.settings)?,
            record.secrets_sealed.clone(),
            record.stream.status.as_str(),
            record.created_at,
            &delivery.position,
            delivery.settled_until,
            delivery.lease_end,
            delivery.next_try_at,
        ];
        let done = self
            .execute(
                "INSERT INTO log_streams (tenant_id, stream_id, document, secrets_sealed, status, created_at, \
                 version, position, settled_until, epoch, lease_end, next_try_at, failures, delivered) \
                 VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, 0, $9, $10, 0, 0) ON CONFLICT DO NOTHING",
                arguments,
            )
            .await?;
        Ok(match done {
            0 => Added::IdTaken,
            _ => Added::Done,
        })
    }

    /// Changes what administrators choose, guarded by the version that was read. A stream that is set going again is due
    /// at once, and its failures are forgotten; a claim that is under way goes on.
    pub async fn set_log_stream(
        &mut self,
        record: &LogStreamRecord,
        resumed_at: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let id = &record.stream.id;
        let done = self
            .execute(
                "UPDATE log_streams SET document = $4, secrets_sealed = $5, status = $6, version = version + 1 \
                 WHERE tenant_id = $1 AND stream_id = $2 AND version = $3",
                arguments![
                    &self.tenant,
                    id,
                    record.version,
                    json(&record.stream.settings)?,
                    record.secrets_sealed.clone(),
                    record.stream.status.as_str(),
                ],
            )
            .await?;
        if done == 0 {
            return Ok(match self.find_log_stream(id).await? {
                None => Written::Missing,
                Some(_) => Written::Moved,
            });
        }
        if let Some(at) = resumed_at {
            self.execute(
                "UPDATE log_streams SET next_try_at = $3, failures = 0, failing_since = NULL \
                 WHERE tenant_id = $1 AND stream_id = $2",
                arguments![&self.tenant, id, at],
            )
            .await?;
        }
        Ok(Written::Done)
    }

    /// Removes a stream; whether there was one.
    pub async fn remove_log_stream(&mut self, id: &LogStreamId) -> Result<bool, StoreError> {
        let removed = self
            .execute(
                "DELETE FROM log_streams WHERE tenant_id = $1 AND stream_id = $2",
                arguments![&self.tenant, id],
            )
            .await?;
        Ok(removed > 0)
    }

    /// Writes what came of an attempt at `at`, and keeps the claim until `lease_end`. Answers the stream's status by
    /// then, or none if the claim was overtaken or the stream is gone: nothing was written.
    pub async fn settle_log_stream(
        &mut self,
        claim: &LogStreamClaim,
        outcome: &LogStreamOutcome,
        at: Timestamp,
        lease_end: Timestamp,
    ) -> Result<Option<LogStreamStatus>, StoreError> {
        let select = match outcome {
            LogStreamOutcome::Passed {
                position,
                delivered,
            } => Select::new(
                "UPDATE log_streams SET position = $4, lease_end = $5, delivered = delivered + $6, failures = 0, \
                 failing_since = NULL, last_success_at = COALESCE($7, last_success_at) \
                 WHERE tenant_id = $1 AND stream_id = $2 AND epoch = $3 RETURNING status",
                arguments![
                    &self.tenant,
                    &claim.id,
                    claim.epoch,
                    position,
                    lease_end,
                    *delivered,
                    (*delivered > 0).then_some(at),
                ],
                status,
            ),
            LogStreamOutcome::Failed {
                error,
                next_try_at,
                suspend,
            } => {
                let becomes = match suspend {
                    true => LogStreamStatus::Suspended,
                    false => LogStreamStatus::Active,
                };
                Select::new(
                    "UPDATE log_streams SET lease_end = $4, next_try_at = $5, failures = failures + 1, \
                     failing_since = COALESCE(failing_since, $6), last_error = $7, last_error_at = $6, \
                     status = CASE WHEN status = 'active' THEN $8 ELSE status END \
                     WHERE tenant_id = $1 AND stream_id = $2 AND epoch = $3 RETURNING status",
                    arguments![
                        &self.tenant,
                        &claim.id,
                        claim.epoch,
                        lease_end,
                        *next_try_at,
                        at,
                        error,
                        becomes.as_str(),
                    ],
                    status,
                )
            }
        };
        Ok(self.returning(select).await?.pop())
    }
}

fn by_id(tenant: &TenantId, id: &LogStreamId) -> Select<LogStreamRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM log_streams WHERE tenant_id = $1 AND stream_id = $2"),
        arguments![tenant, id],
        read,
    )
}

fn of_tenant(tenant: &TenantId) -> Select<LogStreamRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM log_streams WHERE tenant_id = $1 ORDER BY created_at, stream_id"
        ),
        arguments![tenant],
        read,
    )
}

fn status(row: &mut Row) -> Result<LogStreamStatus, StoreError> {
    let word = row.text()?;
    LogStreamStatus::from_word(&word)
        .ok_or_else(|| StoreError::Unreadable(format!("log stream status {word}")))
}

fn read(row: &mut Row) -> Result<LogStreamRecord, StoreError> {
    let id = LogStreamId::new(row.text()?);
    let settings = row.json()?;
    let secrets_sealed = row.maybe_bytes()?;
    Ok(LogStreamRecord {
        stream: LogStream {
            id,
            settings,
            status: status(row)?,
        },
        secrets_sealed,
        created_at: row.time()?,
        version: row.int()?,
        delivery: LogStreamDelivery {
            position: LogId::new(row.text()?),
            settled_until: row.time()?,
            epoch: row.int()?,
            lease_end: row.time()?,
            next_try_at: row.time()?,
            failures: row.count()?,
            failing_since: row.maybe_time()?,
            last_error: row.maybe_text()?,
            last_error_at: row.maybe_time()?,
            last_success_at: row.maybe_time()?,
            delivered: row.int()?,
        },
    })
}
