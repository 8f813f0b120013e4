//! The meters of one attempt: charged before the password is checked, settled before the outcome is told.
//!
//! The guard computes the rows, the store writes them guarded by their revisions; a row that moved makes the unit run again.

use guard::{
    Attempt, Lost, MeterKind, Outcome, Plan, Policy, Raised, Reason, Reservation, Row, Verdict,
};
use jiff::Timestamp;
use keys::MeterKey as DigestKey;
use model::{ConnectionId, TenantId};
use storage::{MeterKey, MeterWrite, Shown, StoreError, Work};

use super::account::{account_key, source_key};

/// Everything a charge and its settle need to know of an attempt.
pub(crate) struct Meters {
    plan: Plan,
    named: Vec<Named>,
    shown: Option<Shown>,
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
        notice_due: bool,
    },
}

/// What a settle came to: the lines it crossed.
pub(crate) type Settled = Result<Vec<Raised>, Lost>;

impl Meters {
    /// The meters this attempt touches under this policy.
    pub(crate) fn of(
        policy: &Policy,
        attempt: &Attempt,
        digests: &DigestKey,
        tenant: &TenantId,
        shown: Shown,
    ) -> Self {
        Self::named(policy.plan(attempt), digests, tenant, Some(shown))
    }

    /// The meters of a pool: what is counted and is no login.
    pub(crate) fn of_pool(plan: Plan, digests: &DigestKey, tenant: &TenantId) -> Self {
        Self::named(plan, digests, tenant, None)
    }

    fn named(plan: Plan, digests: &DigestKey, tenant: &TenantId, shown: Option<Shown>) -> Self {
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
        Self { plan, named, shown }
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

    /// Charges every meter, or none.
    pub(crate) async fn charge(
        &self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Charge, StoreError> {
        let read = self.read(work).await?;
        match self.plan.charge(&rows(&read), now) {
            Verdict::Permit { rows, reservation } => {
                self.write(work, &read, rows).await?;
                Ok(Charge::Permit(reservation))
            }
            Verdict::Wait => Ok(Charge::Wait),
            Verdict::Refuse { reason, until } => {
                let notice = self.plan.notice(reason, &rows(&read), now);
                let notice_due = notice.is_some();
                if let Some(rows) = notice {
                    self.write(work, &read, rows).await?;
                }
                Ok(Charge::Refuse {
                    reason,
                    until,
                    notice_due,
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
        let read = self.read(work).await?;
        match self.plan.settle(reservation, &rows(&read), outcome, now) {
            Ok(settlement) => {
                self.write(work, &read, settlement.rows).await?;
                Ok(Ok(settlement.raised))
            }
            Err(lost) => Ok(Err(lost)),
        }
    }

    async fn read(&self, work: &mut Work) -> Result<Vec<Option<(Row, i64)>>, StoreError> {
        let keys: Vec<MeterKey> = self.named.iter().map(|named| named.key).collect();
        work.read_meters(&keys).await
    }

    /// Writes the rows that changed.
    async fn write(
        &self,
        work: &mut Work,
        read: &[Option<(Row, i64)>],
        rows: Vec<Row>,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(rows.len());
        for ((named, before), row) in self.named.iter().zip(read).zip(rows) {
            let unchanged = match before {
                Some((before, _)) => *before == row,
                None => row.is_blank(),
            };
            if unchanged {
                continue;
            }
            writes.push(MeterWrite {
                key: named.key,
                kind: named.kind.code(),
                expires_at: self.plan.expires_at(named.kind, &row),
                row,
                revision_read: before.as_ref().map_or(0, |(_, revision)| *revision),
                account_key: named.account,
                source_key: named.source,
                shown: matches!(named.kind, MeterKind::Pair | MeterKind::Identifier)
                    .then(|| self.shown.clone())
                    .flatten(),
            });
        }
        if writes.is_empty() {
            Ok(())
        } else {
            work.write_meters(&writes).await
        }
    }
}

fn rows(read: &[Option<(Row, i64)>]) -> Vec<Option<Row>> {
    read.iter()
        .map(|entry| entry.as_ref().map(|(row, _)| row.clone()))
        .collect()
}
