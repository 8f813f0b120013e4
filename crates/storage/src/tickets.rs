//! One-time tickets, found by the digest of what stands in the link: looked at as often as one likes, taken once.
//!
//! What a taken ticket does, and whether it may be looked at, is not decided here.

use jiff::Timestamp;
use model::{TenantId, TicketKind, UserId};
use serde_json::{Map, Value};

use crate::statement::{Row, Select, arguments, json, unreadable};
use crate::tenant_store::reads;
use crate::{StoreError, TenantStore, Work};

/// A ticket that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRecord {
    /// SHA-256 of the ticket.
    pub digest: [u8; 32],
    pub kind: TicketKind,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// What its taking needs to know; no secrets.
    pub document: Map<String, Value>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "digest, kind, user_id, document, created_at, expires_at";

reads! {
    /// The ticket of this kind with this digest, while it lives and nobody has taken it.
    first find_ticket(kind: TicketKind, digest: &[u8; 32], now: Timestamp) -> Option<TicketRecord> = living;
}

impl Work {
    /// Adds a ticket; a ticket that is there already stays as it is, so that this may be repeated.
    pub async fn add_ticket(&mut self, ticket: &TicketRecord) -> Result<(), StoreError> {
        let arguments = arguments![
            &self.tenant,
            ticket.digest,
            ticket.kind.as_str(),
            ticket.user_id.as_ref(),
            json(&ticket.document)?,
            ticket.created_at,
            ticket.expires_at,
        ];
        self.execute(
            "INSERT INTO tickets (tenant_id, digest, kind, user_id, document, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            arguments,
        )
        .await
        .map(drop)
    }

    /// Takes a ticket; whoever comes second, or too late, gets none.
    pub async fn take_ticket(
        &mut self,
        kind: TicketKind,
        digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRecord>, StoreError> {
        let sql = format!(
            "UPDATE tickets SET consumed_at = $4 WHERE tenant_id = $1 AND digest = $2 AND kind = $3 \
             AND consumed_at IS NULL AND expires_at > $4 RETURNING {COLUMNS}"
        );
        let arguments = arguments![&self.tenant, *digest, kind.as_str(), now];
        let taken = self.returning(Select::new(sql, arguments, read)).await?;
        Ok(taken.into_iter().next())
    }

    /// Removes every ticket of this kind that a user has, taken or not.
    pub async fn remove_tickets_of_user(
        &mut self,
        user: &UserId,
        kind: TicketKind,
    ) -> Result<u64, StoreError> {
        let arguments = arguments![&self.tenant, user, kind.as_str()];
        self.execute(
            "DELETE FROM tickets WHERE tenant_id = $1 AND user_id = $2 AND kind = $3",
            arguments,
        )
        .await
    }
}

impl TenantStore {
    /// Removes up to `limit` tickets that no longer live, and tells how many.
    pub async fn remove_expired_tickets(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.remove_expired("tickets", "digest", now, limit).await
    }
}

fn living(
    tenant: &TenantId,
    kind: TicketKind,
    digest: &[u8; 32],
    now: Timestamp,
) -> Select<TicketRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM tickets WHERE tenant_id = $1 AND digest = $2 AND kind = $3 \
             AND consumed_at IS NULL AND expires_at > $4"
        ),
        arguments![tenant, digest, kind.as_str(), now],
        read,
    )
}

fn read(row: &mut Row) -> Result<TicketRecord, StoreError> {
    Ok(TicketRecord {
        digest: row.digest()?,
        kind: TicketKind::from_word(&row.text()?).ok_or_else(|| unreadable("a ticket's kind"))?,
        user_id: row.maybe_text()?.map(UserId::new),
        document: row.json()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}
