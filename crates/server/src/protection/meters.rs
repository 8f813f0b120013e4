//! The meters of one attempt: charged before the password is checked, settled before the outcome is told.
//!
//! The guard computes the rows, the store writes them guarded by their revisions; a row that moved makes the unit run again.

use guard::{
    Account, Attempt, Explained, Lost, MeterKind, Outcome, Plan, Policy, Raised, Reason,
    Reservation, Row, Verdict,
};
use jiff::Timestamp;
use keys::MeterKey as DigestKey;
use model::{ConnectionId, TenantId, UserId};
use storage::{MeterKey, MeterWrite, Shown, StoreError, Work};

use super::account::{account_key, source_key};
use super::client_secrets::{SecretPool, Spent};
use super::lifecycle::Block;
use crate::request::RequestContext;

/// Everything a charge and its settle need to know of an attempt.
pub(crate) struct Meters {
    plan: Plan,
    named: Vec<Named>,
    /// Of logins alone, as is the account.
    shown: Option<Shown>,
    account: Option<Account>,
}

/// A block that began or ended in a unit, to be told in it.
pub(crate) struct BlockTurn {
    pub(crate) is_begun: bool,
    pub(crate) block: Block,
}

struct Named {
    kind: MeterKind,
    key: MeterKey,
    account: Option<MeterKey>,
    source: Option<MeterKey>,
}

/// What a charge came to.
pub(crate) enum Charge {
    Permit(Reservation),
    Wait,
    Refuse {
        reason: Reason,
        until: Timestamp,
        /// Where an event is due, with what the meters said.
        notice_due: Option<Vec<Explained>>,
    },
}

/// What a settle came to.
pub(crate) type Settled = Result<Crossed, Lost>;

/// The lines that a settle crossed.
#[derive(Debug)]
pub(crate) struct Crossed {
    pub(crate) raised: Vec<Raised>,
    /// How the meters stand then, where a line was crossed.
    pub(crate) explained: Vec<Explained>,
}

impl Meters {
    /// The meters this attempt touches under this policy.
    pub(crate) fn of(
        policy: &Policy,
        attempt: Attempt,
        digests: &DigestKey,
        tenant: &TenantId,
        shown: Shown,
    ) -> Self {
        let plan = policy.plan(&attempt);
        Self {
            shown: Some(shown),
            account: Some(attempt.account),
            ..Self::of_pool(plan, digests, tenant)
        }
    }

    /// The meters of a pool: what is counted and is no login.
    pub(crate) fn of_pool(plan: Plan, digests: &DigestKey, tenant: &TenantId) -> Self {
        let named = plan
            .meters()
            .map(|meter| Named {
                kind: meter.kind,
                key: digests.digest(tenant.as_str(), &meter.canonical_bytes()),
                account: meter.account.as_ref().map(|(connection, account)| {
                    let connection = ConnectionId::new(connection.clone());
                    account_key(digests, tenant, &connection, account)
                }),
                source: meter
                    .network
                    .map(|net| source_key(digests, tenant, net.network(), net.prefix_len())),
            })
            .collect();
        Self {
            plan,
            named,
            shown: None,
            account: None,
        }
    }

    /// The account that is tried, where these are the meters of a login.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The meter on which attempts of this key queue up, and how many it lets in at once.
    pub(crate) fn line(&self, policy: &Policy) -> Option<(MeterKey, usize)> {
        let strict = |named: &&Named| matches!(named.kind, MeterKind::Pair | MeterKind::Identifier);
        let named = self.named.iter().find(strict)?;
        Some((
            named.key,
            usize::try_from(policy.brute_force.max_attempts).unwrap_or(usize::MAX),
        ))
    }

    /// What is counted here.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The key of every meter, in the order of the plan.
    pub(crate) fn keys(&self) -> Vec<MeterKey> {
        self.named.iter().map(|named| named.key).collect()
    }

    /// Charges every meter, or none.
    pub(crate) async fn charge(
        &self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Charge, StoreError> {
        self.charge_telling(work, now, &mut Vec::new()).await
    }

    /// Charges a pool; whether it permits, and what its meters said where an event is due: of a refusal for this reason,
    /// or of one that a shield which only watches would have made.
    pub(crate) async fn charge_watched(
        &self,
        work: &mut Work,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(bool, Option<Vec<Explained>>), StoreError> {
        let read = self.read(work).await?;
        let before = read.plain();
        if self.plan.watched_notice(reason, &before, now).is_some()
            && let Verdict::Permit { rows, .. } = self.plan.charge(&before, now)
        {
            let charged: Vec<_> = rows.into_iter().map(Some).collect();
            let noticed = self.plan.watched_notice(reason, &charged, now);
            let rows = noticed.unwrap_or_else(|| charged.into_iter().flatten().collect());
            self.write(work, &read, rows).await?;
            return Ok((true, Some(self.plan.explain(&before, now))));
        }
        match self.charge_read(work, &read, now, &mut Vec::new()).await? {
            Charge::Permit(_) => Ok((true, None)),
            Charge::Wait => Ok((false, None)),
            Charge::Refuse { notice_due, .. } => Ok((false, notice_due)),
        }
    }

    /// Charges every meter, or none; with the blocks that this found to have begun or ended.
    pub(crate) async fn charge_telling(
        &self,
        work: &mut Work,
        now: Timestamp,
        turns: &mut Vec<BlockTurn>,
    ) -> Result<Charge, StoreError> {
        let read = self.read(work).await?;
        self.charge_read(work, &read, now, turns).await
    }

    /// Charges every meter, or none, after a look at the pool of the secret that the call came with, which is read along.
    pub(crate) async fn charge_beside(
        &self,
        pool: Option<&SecretPool>,
        work: &mut Work,
        cx: &RequestContext,
        now: Timestamp,
        turns: &mut Vec<BlockTurn>,
    ) -> Result<Result<Charge, Spent>, StoreError> {
        let Some(pool) = pool else {
            return Ok(Ok(self.charge_telling(work, now, turns).await?));
        };
        let (read, beside) = work.read_meters_beside(&self.keys(), pool.keys()).await?;
        let (read, beside) = (MeterRows(read), MeterRows(beside));
        if let Some(spent) = pool.judge(&beside.plain(), now) {
            pool.tell(work, cx, &beside).await?;
            return Ok(Err(spent));
        }
        Ok(Ok(self.charge_read(work, &read, now, turns).await?))
    }

    async fn charge_read(
        &self,
        work: &mut Work,
        read: &MeterRows,
        now: Timestamp,
        turns: &mut Vec<BlockTurn>,
    ) -> Result<Charge, StoreError> {
        let before = read.plain();
        match self.plan.charge(&before, now) {
            Verdict::Permit { rows, reservation } => {
                self.write_telling(work, read, rows, turns).await?;
                Ok(Charge::Permit(reservation))
            }
            Verdict::Wait => Ok(Charge::Wait),
            Verdict::Refuse { reason, until } => {
                let notice = self.plan.notice(reason, &before, now);
                let explained = match notice {
                    Some(rows) => {
                        self.write_telling(work, read, rows, turns).await?;
                        Some(self.plan.explain(&before, now))
                    }
                    None => None,
                };
                Ok(Charge::Refuse {
                    reason,
                    until,
                    notice_due: explained,
                })
            }
        }
    }

    /// Settles a charge, in the unit that also writes its events.
    pub(crate) async fn settle(
        &self,
        work: &mut Work,
        reservation: &Reservation,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        self.settle_telling(work, reservation, outcome, now, &mut Vec::new())
            .await
    }

    /// Settles a charge; with the block that this made or ended.
    pub(crate) async fn settle_telling(
        &self,
        work: &mut Work,
        reservation: &Reservation,
        outcome: Outcome,
        now: Timestamp,
        turns: &mut Vec<BlockTurn>,
    ) -> Result<Settled, StoreError> {
        let read = self.read(work).await?;
        match self.plan.settle(reservation, &read.plain(), outcome, now) {
            Ok(settlement) => {
                let explained = if settlement.raised.is_empty() {
                    Vec::new()
                } else {
                    let after: Vec<_> = settlement.rows.iter().cloned().map(Some).collect();
                    self.plan.explain(&after, now)
                };
                self.write_telling(work, &read, settlement.rows, turns)
                    .await?;
                Ok(Ok(Crossed {
                    raised: settlement.raised,
                    explained,
                }))
            }
            Err(lost) => Ok(Err(lost)),
        }
    }

    /// What lists and events show of a meter; whose it is stands only at blocks, and costs other rows nothing.
    fn shown_of(&self, named: &Named, row: &Row) -> Option<Shown> {
        if !named.kind.is_block() {
            return None;
        }
        let mut shown = self.shown.clone()?;
        if let (true, Some(Account::Known(user))) = (row.told > 0, &self.account) {
            shown.user = Some(UserId::new(user.clone()));
        }
        Some(shown)
    }

    /// The rows of every meter, kept from moving where the engine can.
    pub(crate) async fn read(&self, work: &mut Work) -> Result<MeterRows, StoreError> {
        Ok(MeterRows(work.read_meters(&self.keys()).await?))
    }

    /// Writes the rows that changed.
    pub(crate) async fn write(
        &self,
        work: &mut Work,
        read: &MeterRows,
        rows: Vec<Row>,
    ) -> Result<(), StoreError> {
        self.write_telling(work, read, rows, &mut Vec::new()).await
    }

    async fn write_telling(
        &self,
        work: &mut Work,
        read: &MeterRows,
        rows: Vec<Row>,
        turns: &mut Vec<BlockTurn>,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(rows.len());
        for ((named, before), row) in self.named.iter().zip(&read.0).zip(rows) {
            let unchanged = match before {
                Some((before, _)) => *before == row,
                None => row.is_blank(),
            };
            if unchanged {
                continue;
            }
            let shown = self.shown_of(named, &row);
            turns.extend(turn(
                named,
                before.as_ref().map(|(row, _)| row),
                &row,
                shown.as_ref(),
            ));
            writes.push(MeterWrite {
                key: named.key,
                kind: named.kind.code(),
                expires_at: self.plan.expires_at(named.kind, &row),
                row,
                revision_read: before.as_ref().map_or(0, |(_, revision)| *revision),
                account_key: named.account,
                source_key: named.source,
                shown,
            });
        }
        if writes.is_empty() {
            Ok(())
        } else {
            work.write_meters(&writes).await
        }
    }
}

/// The block of a row that began or ended with this write.
fn turn(
    named: &Named,
    before: Option<&Row>,
    after: &Row,
    shown: Option<&Shown>,
) -> Option<BlockTurn> {
    let was_told = before.is_some_and(|before| before.told > 0);
    if !named.kind.is_block() || was_told == (after.told > 0) {
        return None;
    }
    let row = if was_told { before? } else { after };
    Some(BlockTurn {
        is_begun: !was_told,
        block: Block {
            kind: named.kind,
            row: row.clone(),
            shown: shown?.clone(),
        },
    })
}

/// Rows of a plan's meters with their revisions, in its order.
pub(crate) struct MeterRows(Vec<Option<(Row, i64)>>);

impl MeterRows {
    pub(crate) fn new(read: Vec<Option<(Row, i64)>>) -> Self {
        Self(read)
    }

    /// As the guard takes them.
    pub(crate) fn plain(&self) -> Vec<Option<Row>> {
        self.0
            .iter()
            .map(|entry| entry.as_ref().map(|(row, _)| row.clone()))
            .collect()
    }
}
