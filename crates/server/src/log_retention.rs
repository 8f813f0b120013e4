//! Dropping events that are older than a tenant keeps them (`/api/v2/portcullis/logs`), a bounded range at a time.
//!
//! Two things are kept for longer: events that are not yet in the statistics, and what explains a block that still stands
//! (the records of its refusals, and the event of its beginning). A stream or export that has not come so far misses what
//! is dropped; the mark [`LogMark::Dropped`] tells it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use guard::{BLOCK_LIFE, MeterKind};
use jiff::{SignedDuration, Timestamp};
use model::{EventType, Identifier, LogId, Tenant, UserId};
use storage::{BlockEvent, LogMark, StoreError, TenantStore, Work};
use tokio::time::Instant;

use crate::app::App;
use crate::protection::decision::BRUTE_FORCE;
use crate::protection::policy::policy_of;

/// Events a unit: it holds up the logins beside it by some milliseconds.
const STEP: u32 = 500;
/// Between two units at least; as long as the last one took, if that was longer.
const PAUSE: Duration = Duration::from_millis(10);
/// Units a round. Other tenants wait meanwhile, and the next round goes on.
const MOST_STEPS: usize = 2_000;
/// Where more blocks than this stand, the record of each refusal is kept for as long as a block can stand.
const MOST_BLOCKS: u32 = 50_000;

/// Drops what is old in one tenant.
pub(crate) async fn drop_old(
    app: &Arc<App>,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = app.tenant(&tenant.id);
    let Some(counted) = rows.find_log_mark(LogMark::Counted).await? else {
        return Ok(());
    };
    // A machine whose clock runs ahead would drop what is young.
    let theirs = app.store.clock().await?;
    let kept_for = SignedDuration::from_hours(24 * i64::from(tenant.logs.retention_days));
    let old = before(theirs.map_or(now, |theirs| theirs.min(now)), kept_for);
    let until = LogId::first_of(old).min(counted);
    let mut after = LogId::new("");
    let mut blocks = Blocks::Unknown;
    for _ in 0..MOST_STEPS {
        let began = Instant::now();
        let ids = rows.list_log_ids(&after, &until, STEP).await?;
        let Some(last) = ids.last().cloned() else {
            return Ok(());
        };
        let kept = kept(&rows, tenant, &after, &last, now, &mut blocks).await?;
        if kept.len() < ids.len() {
            let (from, to) = (after, last.clone());
            let dropped = rows
                .write(async move |work: &mut Work| work.drop_events(&from, &to, &kept).await)
                .await?;
            metrics::counter!("portcullis_log_events_dropped_total").increment(dropped);
        }
        if ids.len() < STEP as usize {
            return Ok(());
        }
        after = last;
        tokio::time::sleep(began.elapsed().max(PAUSE)).await;
    }
    Ok(())
}

/// Which events of a range explain a block that stands.
async fn kept(
    rows: &TenantStore,
    tenant: &Tenant,
    after: &LogId,
    last: &LogId,
    now: Timestamp,
    blocks: &mut Blocks,
) -> Result<Vec<LogId>, StoreError> {
    // A day more than a block lives, for clocks that differ.
    let life = SignedDuration::from_hours(24)
        + SignedDuration::try_from(BLOCK_LIFE).unwrap_or(SignedDuration::MAX);
    if *last < LogId::first_of(before(now, life)) {
        return Ok(Vec::new());
    }
    let found = rows
        .list_block_events(after, last, BRUTE_FORCE, EventType::BlockCreated)
        .await?;
    let mut kept = Vec::new();
    for event in found {
        if ends_at(&event).is_some_and(|ends_at| ends_at > now)
            && blocks.explained_by(&event, rows, tenant, now).await?
        {
            kept.push(event.log_id);
        }
    }
    Ok(kept)
}

/// When the block ends of which an event tells, if nothing lifts it.
fn ends_at(event: &BlockEvent) -> Option<Timestamp> {
    let ours = event.details.get("portcullis")?;
    let told = ours.get("decision").or_else(|| ours.get("block"))?;
    told.get("ends_at")?.as_str()?.parse().ok()
}

fn before(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The blocks that stand, looked for once a round, and only where an event may explain one.
enum Blocks {
    Unknown,
    TooMany,
    Known {
        names: HashSet<Identifier>,
        users: HashSet<UserId>,
    },
}

impl Blocks {
    /// Whether the account of an event is blocked, from wherever.
    async fn explained_by(
        &mut self,
        event: &BlockEvent,
        rows: &TenantStore,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if matches!(self, Self::Unknown) {
            *self = Self::find(rows, tenant, now).await?;
        }
        let Self::Known { names, users } = self else {
            return Ok(true);
        };
        let name = event.user_name.as_deref().map(Identifier::of);
        let is_named = name.as_ref().is_some_and(|name| names.contains(name));
        let is_user = |user: &UserId| users.contains(user);
        if is_named || event.user_id.as_ref().is_some_and(is_user) {
            return Ok(true);
        }
        // A user may have been tried under one identifier and be shown under another.
        let (Some(name), Some(connection), false) = (&name, &event.connection_id, users.is_empty())
        else {
            return Ok(false);
        };
        let found = rows.find_user_by_identifier(connection, name).await?;
        Ok(found.is_some_and(|found| is_user(&found.user.user_id)))
    }

    async fn find(rows: &TenantStore, tenant: &Tenant, now: Timestamp) -> Result<Self, StoreError> {
        let policy = policy_of(&tenant.attack_protection);
        let (mut names, mut users) = (HashSet::new(), HashSet::new());
        for kind in MeterKind::BLOCKS {
            let found = rows
                .list_blocks_told_below(kind.code(), u32::MAX, MOST_BLOCKS + 1)
                .await?;
            if found.len() > MOST_BLOCKS as usize {
                return Ok(Self::TooMany);
            }
            for meter in found {
                if policy.blocked(kind, &meter.row, now).is_none() {
                    continue;
                }
                let Some(shown) = meter.shown else { continue };
                names.insert(Identifier::of(&shown.identifier));
                users.extend(shown.user);
            }
        }
        Ok(Self::Known { names, users })
    }
}
