//! Hashes of the passwords a user had before, as many as the directory remembers.
//!
//! The hash in use stands with the user. Which old passwords may not come again is not decided here.

use jiff::Timestamp;
use model::{TenantId, UserId};

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

/// More than any directory may be told to remember.
const MOST: u32 = 24;

reads! {
    /// The hashes, the latest first.
    all list_password_history(user: &UserId) -> Vec<String> = of_user;
}

impl Work {
    /// Remembers a hash that was in use until now, and forgets all but the latest `keep`.
    pub async fn remember_password(
        &mut self,
        user: &UserId,
        hash: &str,
        ended_at: Timestamp,
        keep: u32,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO password_history (tenant_id, user_id, ended_at, hash) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            arguments![&self.tenant, user, ended_at, hash],
        )
        .await?;
        self.execute(
            "DELETE FROM password_history WHERE tenant_id = $1 AND user_id = $2 AND hash NOT IN \
             (SELECT hash FROM password_history WHERE tenant_id = $1 AND user_id = $2 \
             ORDER BY ended_at DESC, hash LIMIT $3)",
            arguments![&self.tenant, user, keep.min(MOST)],
        )
        .await
        .map(drop)
    }

    pub(crate) async fn forget_passwords(&mut self, user: &UserId) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM password_history WHERE tenant_id = $1 AND user_id = $2",
            arguments![&self.tenant, user],
        )
        .await
        .map(drop)
    }
}

fn of_user(tenant: &TenantId, user: &UserId) -> Select<String> {
    Select::new(
        format!(
            "SELECT hash FROM password_history WHERE tenant_id = $1 AND user_id = $2 \
             ORDER BY ended_at DESC, hash LIMIT {MOST}"
        ),
        arguments![tenant, user],
        Row::text,
    )
}
