//! Meter rows: read, computed by `guard`, and written in one statement guarded by their revisions.
//!
//! A row is keyed by a digest of what it counts. Its revision is opaque: a write says which one it read, and a row
//! that has another one by then sends the whole unit back to its start. Why: `docs/decisions/0003-meter-rows-by-revision.md`.

use guard::Row as MeterRow;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use model::{TenantId, UserId};

use crate::statement::{Row, Select, Value, arguments, tuples};
use crate::tenant_store::reads;
use crate::{StoreError, TenantStore, Work};

/// Digest of what a meter counts, or of the account or source it belongs to.
pub type MeterKey = [u8; 32];

/// A meter as it is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterWrite {
    pub key: MeterKey,
    pub kind: i16,
    pub row: MeterRow,
    /// The revision that was read with the row; 0 where there was none.
    pub revision_read: i64,
    /// From then on the row equals an absent one. It is kept up to an hour longer.
    pub expires_at: Timestamp,
    pub account_key: Option<MeterKey>,
    pub source_key: Option<MeterKey>,
    pub shown: Option<Shown>,
}

/// What administrators are shown of a meter, since digests cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub identifier: String,
    pub address: String,
    pub connection: String,
    /// Whose it is; known of blocks of known users alone.
    pub user: Option<UserId>,
}

/// A meter as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterRecord {
    pub key: MeterKey,
    pub kind: i16,
    pub row: MeterRow,
    pub revision: i64,
    pub expires_at: Timestamp,
    pub account_key: Option<MeterKey>,
    pub source_key: Option<MeterKey>,
    pub shown: Option<Shown>,
}

const COLUMNS: &str = "key, kind, revision, charged, failed, epoch, open_until, failed_at, noticed_at, written_at, \
                       seen, expires_at, account_key, source_key, shown_identifier, shown_address, shown_connection, \
                       shown_user, told";
const COLUMN_COUNT: usize = 20;

reads! {
    /// Meters of an account, by key.
    all list_meters_of_account(account: &MeterKey) -> Vec<MeterRecord> = of_account;
    /// Meters of a source, by key.
    all list_meters_of_source(source: &MeterKey) -> Vec<MeterRecord> = of_source;
    /// Blocks of a kind that were told with fewer failures than these, up to `limit`.
    all list_blocks_told_below(kind: i16, failures: u32, limit: u32) -> Vec<MeterRecord> = told_below;
}

impl Work {
    /// The rows of these meters with their revisions, in the order asked.
    pub async fn read_meters(
        &mut self,
        keys: &[MeterKey],
    ) -> Result<Vec<Option<(MeterRow, i64)>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // Locked in the order of keys, so that units wait instead of disturbing each other; the guard holds without.
        let mut sorted: Vec<&MeterKey> = keys.iter().collect();
        sorted.sort_unstable();
        let sql = format!(
            "SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN {} ORDER BY key{}",
            tuples(2, 1, keys.len()),
            self.lock()
        );
        let mut arguments = arguments![&self.tenant];
        arguments.extend(sorted.into_iter().map(Value::from));
        let found = self.all(Select::new(sql, arguments, read)).await?;
        Ok(in_order(keys, &found))
    }

    /// The rows of `charged` as [`Self::read_meters`] reads them, and those of `looked_at` without keeping them from
    /// moving, all in one statement: whoever only looks shall not wait for whoever writes.
    pub async fn read_meters_beside(
        &mut self,
        charged: &[MeterKey],
        looked_at: &[MeterKey],
    ) -> Result<(Vec<Option<(MeterRow, i64)>>, Vec<Option<(MeterRow, i64)>>), StoreError> {
        if charged.is_empty() || looked_at.is_empty() {
            return Ok((
                self.read_meters(charged).await?,
                self.look_at_meters(looked_at).await?,
            ));
        }
        let mut sorted: Vec<&MeterKey> = charged.iter().collect();
        sorted.sort_unstable();
        let sql = format!(
            "WITH charged_now AS (SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN {} ORDER BY key{}) \
             SELECT {COLUMNS} FROM charged_now UNION ALL \
             SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN {}",
            tuples(2, 1, charged.len()),
            self.lock(),
            tuples(2 + charged.len(), 1, looked_at.len()),
        );
        let mut arguments = arguments![&self.tenant];
        arguments.extend(sorted.into_iter().map(Value::from));
        arguments.extend(looked_at.iter().map(Value::from));
        let found = self.all(Select::new(sql, arguments, read)).await?;
        Ok((in_order(charged, &found), in_order(looked_at, &found)))
    }

    /// The rows of these meters with their revisions, in the order asked, free to move.
    pub async fn look_at_meters(
        &mut self,
        keys: &[MeterKey],
    ) -> Result<Vec<Option<(MeterRow, i64)>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let select = unlocked(&self.tenant, keys);
        let found = self.all(select).await?;
        Ok(in_order(keys, &found))
    }

    /// Writes meters, all of them or none: where one moved since it was read, the unit is run again.
    pub async fn write_meters(&mut self, meters: &[MeterWrite]) -> Result<(), StoreError> {
        if meters.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<&MeterWrite> = meters.iter().collect();
        sorted.sort_unstable_by_key(|meter| meter.key);
        let mut arguments = Vec::with_capacity(meters.len() * COLUMN_COUNT);
        for meter in sorted {
            self.push(&mut arguments, meter);
        }
        let sql = format!(
            "INSERT INTO meters (tenant_id, {COLUMNS}) VALUES {} \
             ON CONFLICT (tenant_id, key) DO UPDATE SET revision = excluded.revision, charged = excluded.charged, \
             failed = excluded.failed, epoch = excluded.epoch, open_until = excluded.open_until, \
             failed_at = excluded.failed_at, noticed_at = excluded.noticed_at, written_at = excluded.written_at, \
             seen = excluded.seen, expires_at = excluded.expires_at, shown_identifier = excluded.shown_identifier, \
             shown_address = excluded.shown_address, shown_connection = excluded.shown_connection, \
             shown_user = excluded.shown_user, told = excluded.told \
             WHERE meters.revision = excluded.revision - 1 RETURNING key",
            tuples(1, meters.len(), COLUMN_COUNT)
        );
        let written = self
            .returning(Select::new(sql, arguments, Row::digest))
            .await?;
        if written.len() < meters.len() {
            return Err(StoreError::Rerun);
        }
        Ok(())
    }

    fn push(&self, arguments: &mut Vec<Value>, meter: &MeterWrite) {
        let row = &meter.row;
        let shown = meter.shown.as_ref();
        arguments.extend(arguments![
            &self.tenant,
            meter.key,
            meter.kind,
            next_revision(meter),
            row.charged,
            row.failed,
            row.epoch,
            row.open_until,
            row.failed_at,
            row.noticed_at,
            row.written_at,
            row.seen.cast_signed(),
            whole_hour(meter.expires_at),
            meter.account_key,
            meter.source_key,
            shown.map(|shown| &shown.identifier),
            shown.map(|shown| &shown.address),
            shown.map(|shown| &shown.connection),
            shown.and_then(|shown| shown.user.as_ref()),
            row.told,
        ]);
    }
}

impl TenantStore {
    /// The rows of these meters as they stand, in the order asked; outside of any unit.
    pub async fn look_at_meters(
        &self,
        keys: &[MeterKey],
    ) -> Result<Vec<Option<MeterRow>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.all(unlocked(&self.tenant, keys)).await?;
        let found = in_order(keys, &found).into_iter();
        Ok(found.map(|found| found.map(|(row, _)| row)).collect())
    }
}

impl Work {
    /// Removes up to `limit` meters that equal absent ones, and answers them as they were: whoever removes a row has it
    /// alone.
    pub async fn take_expired_meters(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<MeterRecord>, StoreError> {
        // The condition stands twice: a row may have been charged between the inner and the outer statement.
        let sql = format!(
            "DELETE FROM meters WHERE tenant_id = $1 AND expires_at <= $2 AND key IN \
             (SELECT key FROM meters WHERE tenant_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3) \
             RETURNING {COLUMNS}"
        );
        let arguments = arguments![&self.tenant, now, limit];
        self.returning(Select::new(sql, arguments, read)).await
    }
}

/// The revision a write gives its row: one more than it read.
///
/// A new row starts at the second of its birth times 2^20. So the writer of a deleted row can never take a row born
/// later for the one it read, and a second birth never looks like the successor of the first.
fn next_revision(meter: &MeterWrite) -> i64 {
    match meter.revision_read {
        0 => (meter.row.written_at.as_second().max(0) << 20) + 1,
        read => read + 1,
    }
}

/// Rounded up, so that most writes leave the index on `expires_at` alone and PostgreSQL can update in place.
fn whole_hour(at: Timestamp) -> Timestamp {
    let rounding = TimestampRound::new()
        .smallest(Unit::Hour)
        .mode(RoundMode::Ceil);
    at.round(rounding).unwrap_or(Timestamp::MAX)
}

fn unlocked(tenant: &TenantId, keys: &[MeterKey]) -> Select<MeterRecord> {
    let sql = format!(
        "SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN {}",
        tuples(2, 1, keys.len())
    );
    let mut arguments = arguments![tenant];
    arguments.extend(keys.iter().map(Value::from));
    Select::new(sql, arguments, read)
}

fn in_order(keys: &[MeterKey], found: &[MeterRecord]) -> Vec<Option<(MeterRow, i64)>> {
    let of = |key: &MeterKey| {
        let meter = found.iter().find(|meter| meter.key == *key)?;
        Some((meter.row.clone(), meter.revision))
    };
    keys.iter().map(of).collect()
}

/// In two steps: asked in one, SQLite walks all meters in the order of keys.
fn of_account(tenant: &TenantId, account: &MeterKey) -> Select<MeterRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN \
             (SELECT m.key FROM meters m WHERE m.tenant_id = $1 AND m.account_key = $2) ORDER BY key"
        ),
        arguments![tenant, account],
        read,
    )
}

fn of_source(tenant: &TenantId, source: &MeterKey) -> Select<MeterRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND key IN \
             (SELECT m.key FROM meters m WHERE m.tenant_id = $1 AND m.source_key = $2) ORDER BY key"
        ),
        arguments![tenant, source],
        read,
    )
}

fn told_below(tenant: &TenantId, kind: i16, failures: u32, limit: u32) -> Select<MeterRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM meters WHERE tenant_id = $1 AND kind = $2 AND told > 0 AND told < $3 \
             ORDER BY told LIMIT $4"
        ),
        arguments![tenant, kind, failures, limit],
        read,
    )
}

fn read(row: &mut Row) -> Result<MeterRecord, StoreError> {
    let key = row.digest()?;
    let kind = row.count()?;
    let revision = row.int()?;
    let mut meter = MeterRow {
        charged: row.count()?,
        failed: row.count()?,
        epoch: row.count()?,
        open_until: row.time()?,
        failed_at: row.time()?,
        noticed_at: row.time()?,
        written_at: row.time()?,
        seen: row.int()?.cast_unsigned(),
        told: 0,
    };
    let expires_at = row.time()?;
    let (account_key, source_key) = (row.maybe_digest()?, row.maybe_digest()?);
    let (identifier, address, connection) =
        (row.maybe_text()?, row.maybe_text()?, row.maybe_text()?);
    let user = row.maybe_text()?.map(UserId::new);
    meter.told = row.count()?;
    let shown = identifier.zip(address).zip(connection);
    Ok(MeterRecord {
        key,
        kind,
        row: meter,
        revision,
        expires_at,
        account_key,
        source_key,
        shown: shown.map(|((identifier, address), connection)| Shown {
            identifier,
            address,
            connection,
            user,
        }),
    })
}
