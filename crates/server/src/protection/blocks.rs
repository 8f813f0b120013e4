//! The blocks of accounts and sources: how they are listed, and how they are lifted, by whomever.
//!
//! A block is a meter row with as many failures as the present threshold; there is no second record that could disagree.
//! Lifting drops the failures and leaves attempts in flight charged.

use std::net::IpAddr;

use guard::{Account, MeterKind, Source};
use model::{ConnectionId, Identifier, LogEvent, UserId, UserRecord};
use storage::{MeterKey, MeterRecord, MeterWrite, StoreError, Work};

use super::account::{account_key, account_of, source_key};
use super::lifecycle::{self, Block, LiftedBy};
use crate::event_log::stamp;
use crate::request::RequestContext;

/// One entry of `blocked_for`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockedEntry {
    pub(crate) identifier: String,
    /// Absent where the block holds from everywhere.
    pub(crate) ip: Option<String>,
    pub(crate) connection: String,
}

/// The blocks of a user.
pub(crate) async fn list_for_user(
    cx: &RequestContext,
    user: &UserRecord,
) -> Result<Vec<BlockedEntry>, StoreError> {
    let account = Account::Known(user.user.user_id.as_str().to_owned());
    list_for_accounts(cx, &[key_of(cx, &user.connection_id, &account)]).await
}

/// The blocks of an identifier in every connection, known or not.
pub(crate) async fn list_for_identifier(
    cx: &RequestContext,
    identifier: &Identifier,
) -> Result<Vec<BlockedEntry>, StoreError> {
    let accounts = accounts_of(cx, identifier).await?;
    let keys: Vec<MeterKey> = accounts.into_iter().map(|(key, _)| key).collect();
    list_for_accounts(cx, &keys).await
}

/// Lifts every block of a user, with the event of the call.
pub(crate) async fn lift_user(
    cx: &RequestContext,
    user: &UserRecord,
    by: LiftedBy,
    call: LogEvent,
) -> Result<(), StoreError> {
    let account = Account::Known(user.user.user_id.as_str().to_owned());
    let key = key_of(cx, &user.connection_id, &account);
    let accounts = vec![(key, Some(user.user.user_id.clone()))];
    lift_accounts(cx, accounts, by, call).await
}

/// Lifts every block of an identifier, in every connection, with the event of the call.
pub(crate) async fn lift_identifier(
    cx: &RequestContext,
    identifier: &Identifier,
    by: LiftedBy,
    call: LogEvent,
) -> Result<(), StoreError> {
    let accounts = accounts_of(cx, identifier).await?;
    lift_accounts(cx, accounts, by, call).await
}

/// Ends every block and count of a user, wherever from, in the unit that changes his password.
///
/// This node forgets its refusals only when the caller says so after the commit ([`crate::App::forget_cached`]).
/// An administrator's `blocked: true` is another thing and stays.
pub(crate) async fn end_all_for_account(
    work: &mut Work,
    cx: &RequestContext,
    connection: &ConnectionId,
    user: &UserId,
    by: &LiftedBy,
) -> Result<(), StoreError> {
    let account = Account::Known(user.as_str().to_owned());
    let key = key_of(cx, connection, &account);
    let meters = work.list_meters_of_account(&key).await?;
    lift(work, cx, &meters, Some(user), by).await
}

/// Ends what was counted against identifiers while nobody had them, in the unit that gives them to a user.
///
/// What was counted against somebody who has one of them is not touched: his identifier cannot be given to another.
pub(crate) async fn end_all_for_identifiers(
    work: &mut Work,
    cx: &RequestContext,
    connection: &ConnectionId,
    identifiers: &[Identifier],
    new_owner: &UserId,
    by: &LiftedBy,
) -> Result<(), StoreError> {
    for identifier in identifiers {
        let digests = &cx.app.secrets.meters;
        let unknown = account_of(digests, &cx.tenant().id, connection, identifier, None);
        let key = key_of(cx, connection, &unknown);
        let meters = work.list_meters_of_account(&key).await?;
        lift(work, cx, &meters, Some(new_owner), by).await?;
    }
    Ok(())
}

/// Whether suspicious IP throttling refuses this source now.
pub(crate) async fn source_is_blocked(
    cx: &RequestContext,
    address: IpAddr,
) -> Result<bool, StoreError> {
    for key in source_keys(cx, address) {
        for meter in cx.store.list_meters_of_source(&key).await? {
            let throttles = kind_of(&meter).is_some_and(|kind| kind.counts_source());
            if throttles && blocked(cx, &meter) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Lifts the throttling of a source and its parents, and the blocks of every account from it, with the event of the call.
pub(crate) async fn lift_source(
    cx: &RequestContext,
    address: IpAddr,
    by: LiftedBy,
    call: LogEvent,
) -> Result<(), StoreError> {
    let keys = source_keys(cx, address);
    let unit_cx = cx.clone();
    let lifted = cx
        .store
        .write(async move |work: &mut Work| {
            for key in &keys {
                let meters = work.list_meters_of_source(key).await?;
                lift(work, &unit_cx, &meters, None, &by).await?;
            }
            work.add_events(std::slice::from_ref(&call)).await
        })
        .await;
    cx.app.forget_cached();
    lifted
}

async fn list_for_accounts(
    cx: &RequestContext,
    accounts: &[MeterKey],
) -> Result<Vec<BlockedEntry>, StoreError> {
    let mut entries = Vec::new();
    for account in accounts {
        for meter in cx.store.list_meters_of_account(account).await? {
            let Some(shown) = &meter.shown else { continue };
            if !blocked(cx, &meter) {
                continue;
            }
            let everywhere = kind_of(&meter) == Some(MeterKind::Identifier);
            entries.push(BlockedEntry {
                identifier: shown.identifier.clone(),
                ip: (!everywhere).then(|| shown.address.clone()),
                connection: shown.connection.clone(),
            });
        }
    }
    Ok(entries)
}

async fn lift_accounts(
    cx: &RequestContext,
    accounts: Vec<(MeterKey, Option<UserId>)>,
    by: LiftedBy,
    call: LogEvent,
) -> Result<(), StoreError> {
    let unit_cx = cx.clone();
    let lifted = cx
        .store
        .write(async move |work: &mut Work| {
            for (account, user) in &accounts {
                let meters = work.list_meters_of_account(account).await?;
                lift(work, &unit_cx, &meters, user.as_ref(), &by).await?;
            }
            work.add_events(std::slice::from_ref(&call)).await
        })
        .await;
    // Also after an error: a commit whose answer was lost may hold.
    cx.app.forget_cached();
    lifted
}

/// Drops the failures of meters and tells of the blocks among them.
pub(super) async fn lift(
    work: &mut Work,
    cx: &RequestContext,
    meters: &[MeterRecord],
    user: Option<&UserId>,
    by: &LiftedBy,
) -> Result<(), StoreError> {
    let lifted: Vec<&MeterRecord> = meters
        .iter()
        .filter(|meter| kind_of(meter).is_some_and(MeterKind::is_lifted))
        .collect();
    let writes: Vec<MeterWrite> = lifted
        .iter()
        .map(|meter| rewritten(meter, meter.row.lift(cx.now)))
        .collect();
    let mut events = Vec::new();
    for meter in lifted {
        let Some(mut block) = Block::of(meter) else {
            continue;
        };
        block.shown.user = user.cloned().or(block.shown.user);
        if blocked(cx, meter) {
            events.push(lifecycle::lifted(cx.tenant(), &block, by, cx.now));
        } else if block.row.told > 0 {
            events.push(lifecycle::ended(cx.tenant(), &block, cx.now));
        }
    }
    stamp(&mut events, cx.now_again(), &*cx.app.entropy);
    work.write_meters(&writes).await?;
    work.add_events(&events).await
}

/// A meter with another row.
pub(super) fn rewritten(meter: &MeterRecord, row: guard::Row) -> MeterWrite {
    MeterWrite {
        key: meter.key,
        kind: meter.kind,
        row,
        revision_read: meter.revision,
        expires_at: meter.expires_at,
        account_key: meter.account_key,
        source_key: meter.source_key,
        shown: meter.shown.clone(),
    }
}

async fn accounts_of(
    cx: &RequestContext,
    identifier: &Identifier,
) -> Result<Vec<(MeterKey, Option<UserId>)>, StoreError> {
    let mut accounts = Vec::new();
    for connection in cx.store.list_database_connections().await? {
        let id = &connection.connection.id;
        let user = cx.store.find_user_by_identifier(id, identifier).await?;
        let user = user.map(|user| user.user.user_id);
        let account = account_of(
            &cx.app.secrets.meters,
            &cx.tenant().id,
            id,
            identifier,
            user.as_ref(),
        );
        accounts.push((key_of(cx, id, &account), user));
    }
    Ok(accounts)
}

pub(super) fn key_of(
    cx: &RequestContext,
    connection: &ConnectionId,
    account: &Account,
) -> MeterKey {
    account_key(&cx.app.secrets.meters, &cx.tenant().id, connection, account)
}

fn source_keys(cx: &RequestContext, address: IpAddr) -> Vec<MeterKey> {
    let source = Source::new(address);
    [Some(source.prefix()), source.prefix56(), source.prefix48()]
        .into_iter()
        .flatten()
        .map(|net| {
            source_key(
                &cx.app.secrets.meters,
                &cx.tenant().id,
                net.network(),
                net.prefix_len(),
            )
        })
        .collect()
}

pub(super) fn blocked(cx: &RequestContext, meter: &MeterRecord) -> bool {
    kind_of(meter).is_some_and(|kind| cx.facts.policy.blocked(kind, &meter.row, cx.now).is_some())
}

pub(super) fn kind_of(meter: &MeterRecord) -> Option<MeterKind> {
    MeterKind::from_code(meter.kind)
}
