//! The blocks an administrator sees and lifts: by user, by identifier, by source.
//!
//! A block is a meter row with as many failures as the present threshold; there is no second record that could disagree.
//! Lifting drops the failures and leaves attempts in flight charged.

use std::net::IpAddr;

use guard::{Account, MeterKind, Source};
use model::{ConnectionId, Identifier, UserRecord};
use storage::{MeterKey, MeterRecord, MeterWrite, StoreError, Work};

use super::account::{account_key, account_of, source_key};
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
    list_for_accounts(cx, &accounts_of(cx, identifier).await?).await
}

/// Lifts every block of a user.
pub(crate) async fn lift_user(cx: &RequestContext, user: &UserRecord) -> Result<(), StoreError> {
    let account = Account::Known(user.user.user_id.as_str().to_owned());
    lift_accounts(cx, vec![key_of(cx, &user.connection_id, &account)]).await
}

/// Lifts every block of an identifier, in every connection.
pub(crate) async fn lift_identifier(
    cx: &RequestContext,
    identifier: &Identifier,
) -> Result<(), StoreError> {
    let accounts = accounts_of(cx, identifier).await?;
    lift_accounts(cx, accounts).await
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

/// Lifts the throttling of a source and its parents, and the blocks of every account from it.
pub(crate) async fn lift_source(cx: &RequestContext, address: IpAddr) -> Result<(), StoreError> {
    let keys = source_keys(cx, address);
    let now = cx.now;
    let lifted = cx
        .store
        .write(async move |work: &mut Work| {
            for key in &keys {
                let meters = work.list_meters_of_source(key).await?;
                lift(work, &meters, now).await?;
            }
            Ok(())
        })
        .await;
    cx.app.forget_cached();
    lifted
}

/// Drops what was counted against identifiers while nobody had them, in the unit that gives them to a user.
pub(crate) async fn forget_unknown(
    work: &mut Work,
    cx: &RequestContext,
    connection: &ConnectionId,
    identifiers: &[Identifier],
) -> Result<(), StoreError> {
    for identifier in identifiers {
        let digests = &cx.app.secrets.meters;
        let unknown = account_of(digests, &cx.tenant().id, connection, identifier, None);
        let meters = work
            .list_meters_of_account(&key_of(cx, connection, &unknown))
            .await?;
        lift(work, &meters, cx.now).await?;
    }
    Ok(())
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

async fn lift_accounts(cx: &RequestContext, accounts: Vec<MeterKey>) -> Result<(), StoreError> {
    let now = cx.now;
    let lifted = cx
        .store
        .write(async move |work: &mut Work| {
            for account in &accounts {
                let meters = work.list_meters_of_account(account).await?;
                lift(work, &meters, now).await?;
            }
            Ok(())
        })
        .await;
    cx.app.forget_cached();
    lifted
}

async fn lift(
    work: &mut Work,
    meters: &[MeterRecord],
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let writes: Vec<MeterWrite> = meters
        .iter()
        .filter(|meter| kind_of(meter).is_some_and(MeterKind::is_lifted))
        .map(|meter| MeterWrite {
            key: meter.key,
            kind: meter.kind,
            row: meter.row.lift(now),
            revision_read: meter.revision,
            expires_at: meter.expires_at,
            account_key: meter.account_key,
            source_key: meter.source_key,
            shown: meter.shown.clone(),
        })
        .collect();
    if writes.is_empty() {
        Ok(())
    } else {
        work.write_meters(&writes).await
    }
}

async fn accounts_of(
    cx: &RequestContext,
    identifier: &Identifier,
) -> Result<Vec<MeterKey>, StoreError> {
    let mut accounts = Vec::new();
    for connection in cx.store.list_database_connections().await? {
        let id = &connection.connection.id;
        let user = cx.store.find_user_by_identifier(id, identifier).await?;
        let user = user.as_ref().map(|user| &user.user.user_id);
        let account = account_of(
            &cx.app.secrets.meters,
            &cx.tenant().id,
            id,
            identifier,
            user,
        );
        accounts.push(key_of(cx, id, &account));
    }
    Ok(accounts)
}

fn key_of(cx: &RequestContext, connection: &ConnectionId, account: &Account) -> MeterKey {
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

fn blocked(cx: &RequestContext, meter: &MeterRecord) -> bool {
    kind_of(meter).is_some_and(|kind| cx.facts.policy.blocked(kind, &meter.row, cx.now).is_some())
}

fn kind_of(meter: &MeterRecord) -> Option<MeterKind> {
    MeterKind::from_code(meter.kind)
}
