//! Opaque access tokens, found by the digest of the token.

use jiff::Timestamp;
use model::{ClientId, TenantId, UserId};

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{StoreError, TenantStore, Work};

/// What an opaque access token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRecord {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    pub user_id: Option<UserId>,
    pub client_id: ClientId,
    /// Space-separated, as granted.
    pub scope: String,
    pub expires_at: Timestamp,
}

reads! {
    /// The token with this digest, if it still lives.
    first find_access_token(digest: &[u8; 32], now: Timestamp) -> Option<AccessTokenRecord> = living;
}

impl Work {
    /// Adds a token; its digest is new, since tokens are random.
    pub async fn add_access_token(&mut self, record: &AccessTokenRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO access_tokens (tenant_id, digest, user_id, client_id, scope, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            arguments![
                &self.tenant,
                record.digest,
                record.user_id.as_ref(),
                &record.client_id,
                &record.scope,
                record.expires_at,
            ],
        )
        .await
        .map(drop)
    }
}

impl TenantStore {
    /// Removes up to `limit` tokens that no longer live, and tells how many.
    pub async fn remove_expired_access_tokens(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.remove_expired("access_tokens", "digest", now, limit)
            .await
    }
}

fn living(tenant: &TenantId, digest: &[u8; 32], now: Timestamp) -> Select<AccessTokenRecord> {
    Select::new(
        "SELECT digest, user_id, client_id, scope, expires_at FROM access_tokens \
         WHERE tenant_id = $1 AND digest = $2 AND expires_at > $3",
        arguments![tenant, digest, now],
        read,
    )
}

fn read(row: &mut Row) -> Result<AccessTokenRecord, StoreError> {
    Ok(AccessTokenRecord {
        digest: row.digest()?,
        user_id: row.maybe_text()?.map(UserId::new),
        client_id: ClientId::new(row.text()?),
        scope: row.text()?,
        expires_at: row.time()?,
    })
}
