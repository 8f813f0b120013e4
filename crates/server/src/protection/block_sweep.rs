//! Blocks that end without anybody's doing: told by the sweep, in the unit that removes or rewrites the row, so that of
//! several nodes one tells it.
//!
//! A block ends the moment its time is over or the settings say so; this only writes it down. An attempt that comes first
//! tells it itself.

use guard::MeterKind;
use jiff::Timestamp;
use model::{LogEvent, Tenant};
use storage::{MeterRecord, MeterWrite, StoreError, Work};

use super::blocks::rewritten;
use super::lifecycle::{self, Block};
use super::policy::policy_of;
use crate::app::App;
use crate::event_log::stamp;

const STEP: u32 = 1_000;

/// Removes meters that have come to equal absent ones; of blocks among them it is told that they are over.
pub(crate) async fn remove_expired(
    app: &std::sync::Arc<App>,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<(), StoreError> {
    loop {
        let (unit_app, of) = (std::sync::Arc::clone(app), tenant.clone());
        let removed = app
            .tenant(&tenant.id)
            .write(async move |work: &mut Work| {
                let removed = work.take_expired_meters(now, STEP).await?;
                let told = removed.iter().filter(|meter| meter.row.told > 0);
                let mut events = ends(&of, told, now);
                stamp(&mut events, unit_app.clock.now(), &*unit_app.entropy);
                work.add_events(&events).await?;
                Ok(removed.len())
            })
            .await?;
        if removed < STEP as usize {
            return Ok(());
        }
    }
}

/// Tells of blocks that the present settings make none any more: a raised threshold, watching only, switched off,
/// another way of counting.
pub(crate) async fn tell_ended_by_settings(
    app: &std::sync::Arc<App>,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<(), StoreError> {
    for kind in MeterKind::BLOCKS {
        while ended_step(app, tenant, kind, now).await? == STEP as usize {}
    }
    Ok(())
}

async fn ended_step(
    app: &std::sync::Arc<App>,
    tenant: &Tenant,
    kind: MeterKind,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let policy = policy_of(&tenant.attack_protection);
    let threshold = policy.block_threshold(kind).unwrap_or(u32::MAX);
    let rows = app.tenant(&tenant.id);
    // Almost always there are none, and no unit is opened.
    let first = rows
        .list_blocks_told_below(kind.code(), threshold, 1)
        .await?;
    if first.is_empty() {
        return Ok(0);
    }
    let (unit_app, of) = (std::sync::Arc::clone(app), tenant.clone());
    rows.write(async move |work: &mut Work| {
        let found = work
            .list_blocks_told_below(kind.code(), threshold, STEP)
            .await?;
        let stands = |meter: &MeterRecord| policy.blocked(kind, &meter.row, now).is_some();
        let writes: Vec<MeterWrite> = found
            .iter()
            .map(|meter| {
                let told = if stands(meter) { meter.row.failed } else { 0 };
                rewritten(
                    meter,
                    guard::Row {
                        told,
                        ..meter.row.clone()
                    },
                )
            })
            .collect();
        let mut events = ends(&of, found.iter().filter(|meter| !stands(meter)), now);
        stamp(&mut events, unit_app.clock.now(), &*unit_app.entropy);
        work.write_meters(&writes).await?;
        work.add_events(&events).await?;
        Ok(found.len())
    })
    .await
}

fn ends<'m>(
    tenant: &Tenant,
    meters: impl Iterator<Item = &'m MeterRecord>,
    now: Timestamp,
) -> Vec<LogEvent> {
    meters
        .filter_map(Block::of)
        .map(|block| lifecycle::ended(tenant, &block, now))
        .collect()
}
