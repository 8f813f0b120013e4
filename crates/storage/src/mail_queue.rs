//! Mail that waits to be sent: put down in the unit that caused it, claimed for a while, removed once it was settled.
//!
//! A claim moves the time of the next try to the end of its lease, so a mail whose sender died is due again by itself;
//! the number of attempts says which claim settles. What a mail says is sealed by the caller.
//! When to try again and when to give up is not decided here.

use jiff::Timestamp;
use model::TenantId;

use crate::statement::{Row, Select, arguments};
use crate::{Store, StoreError, TenantStore, Work};

/// A mail as it is put down.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Unique within the tenant.
    pub mail_id: String,
    /// What it is for, in the words of the caller.
    pub kind: String,
    pub recipient: String,
    /// The same in every attempt, so that a mail sent twice is seen to be one.
    pub message_id: String,
    /// The message, sealed.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// Not claimed before.
    pub next_try_at: Timestamp,
}

/// A mail that its claimer alone sends until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedMail {
    /// `next_try_at` is the end of the lease.
    pub mail: QueuedMail,
    /// How often it was claimed, with this claim; at least 1.
    pub attempt: u32,
    /// Why the attempt before failed.
    pub last_error: Option<String>,
}

/// What came of settling a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// The lease had ended and another claim was made, or the mail is gone; nothing was written.
    Overtaken,
}

const COLUMNS: &str =
    "mail_id, kind, recipient, message_id, sealed, created_at, next_try_at, attempts, last_error";

impl Store {
    /// Tenants with mail that is due.
    pub async fn list_tenants_with_due_mail(
        &self,
        now: Timestamp,
    ) -> Result<Vec<TenantId>, StoreError> {
        self.all(Select::new(
            "SELECT DISTINCT tenant_id FROM mail_queue WHERE next_try_at <= $1 ORDER BY tenant_id",
            arguments![now],
            |row| Ok(TenantId::new(row.text()?)),
        ))
        .await
    }

    /// How many mails of all tenants are not yet settled, counted up to `limit`.
    pub async fn count_queued_mails(&self, limit: u32) -> Result<u64, StoreError> {
        let counted = Select::new(
            "SELECT COUNT(*) FROM (SELECT 1 FROM mail_queue LIMIT $1) AS counted",
            arguments![limit],
            Row::count,
        );
        Ok(self.first(counted).await?.unwrap_or_default())
    }
}

impl Work {
    /// Puts a mail down; it will be sent if this unit is committed.
    pub async fn enqueue_mail(&mut self, mail: &QueuedMail) -> Result<(), StoreError> {
        let arguments = arguments![
            &self.tenant,
            &mail.mail_id,
            &mail.kind,
            &mail.recipient,
            &mail.message_id,
            mail.sealed.as_slice(),
            mail.created_at,
            mail.next_try_at,
        ];
        self.execute(
            "INSERT INTO mail_queue (tenant_id, mail_id, kind, recipient, message_id, sealed, created_at, \
             next_try_at, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
            arguments,
        )
        .await
        .map(drop)
    }

    /// Removes a mail that was sent, whoever claims it by now: sending it once more would be worse.
    pub async fn remove_sent_mail(&mut self, mail_id: &str) -> Result<Settled, StoreError> {
        let arguments = arguments![&self.tenant, mail_id];
        self.execute(
            "DELETE FROM mail_queue WHERE tenant_id = $1 AND mail_id = $2",
            arguments,
        )
        .await
        .map(settled)
    }

    /// Ends a claim whose attempt failed; the mail is due again at `next_try_at`.
    pub async fn retry_mail(
        &mut self,
        claimed: &ClaimedMail,
        next_try_at: Timestamp,
        error: &str,
    ) -> Result<Settled, StoreError> {
        let arguments = arguments![
            &self.tenant,
            &claimed.mail.mail_id,
            claimed.attempt,
            next_try_at,
            error
        ];
        self.execute(
            "UPDATE mail_queue SET next_try_at = $4, last_error = $5 \
             WHERE tenant_id = $1 AND mail_id = $2 AND attempts = $3",
            arguments,
        )
        .await
        .map(settled)
    }

    /// Removes a mail that is given up; the event that says so belongs into the same unit.
    pub async fn remove_failed_mail(
        &mut self,
        claimed: &ClaimedMail,
    ) -> Result<Settled, StoreError> {
        let arguments = arguments![&self.tenant, &claimed.mail.mail_id, claimed.attempt];
        self.execute(
            "DELETE FROM mail_queue WHERE tenant_id = $1 AND mail_id = $2 AND attempts = $3",
            arguments,
        )
        .await
        .map(settled)
    }
}

impl TenantStore {
    /// Claims up to `limit` mails that are due, the longest due first, until `lease_end`.
    pub async fn claim_mails(
        &self,
        now: Timestamp,
        limit: u32,
        lease_end: Timestamp,
    ) -> Result<Vec<ClaimedMail>, StoreError> {
        let mut claimed = self
            .write(async move |work: &mut Work| {
                // The condition stands twice: a mail may have been claimed between the inner and the outer statement.
                // The inner one is run once: PostgreSQL may run one within IN for each row, and then claims beyond the limit.
                let sql = format!(
                    "WITH due AS MATERIALIZED (SELECT mail_id FROM mail_queue WHERE tenant_id = $1 AND next_try_at <= $2 \
                     ORDER BY next_try_at, mail_id LIMIT $4{}) \
                     UPDATE mail_queue SET attempts = attempts + 1, next_try_at = $3 \
                     WHERE tenant_id = $1 AND next_try_at <= $2 AND mail_id IN (SELECT mail_id FROM due) \
                     RETURNING {COLUMNS}",
                    work.lock()
                );
                let arguments = arguments![&work.tenant, now, lease_end, limit];
                work.returning(Select::new(sql, arguments, read)).await
            })
            .await?;
        claimed.sort_by(|left, right| {
            let key =
                |claimed: &ClaimedMail| (claimed.mail.created_at, claimed.mail.mail_id.clone());
            key(left).cmp(&key(right))
        });
        Ok(claimed)
    }
}

fn settled(rows: u64) -> Settled {
    match rows {
        0 => Settled::Overtaken,
        _ => Settled::Done,
    }
}

fn read(row: &mut Row) -> Result<ClaimedMail, StoreError> {
    Ok(ClaimedMail {
        mail: QueuedMail {
            mail_id: row.text()?,
            kind: row.text()?,
            recipient: row.text()?,
            message_id: row.text()?,
            sealed: row.bytes()?,
            created_at: row.time()?,
            next_try_at: row.time()?,
        },
        attempt: row.count()?,
        last_error: row.maybe_text()?,
    })
}

impl std::fmt::Debug for QueuedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedMail")
            .field("mail_id", &self.mail_id)
            .field("kind", &self.kind)
            .field("next_try_at", &self.next_try_at)
            .finish_non_exhaustive()
    }
}
