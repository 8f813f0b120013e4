//! Rows that are no longer kept go in portions, the oldest first, so that a sweep holds nobody up for long.

use jiff::Timestamp;

use crate::statement::arguments;
use crate::{StoreError, TenantStore, Work};

impl TenantStore {
    /// Removes up to `limit` rows of a table that ended by `now`, and tells how many; `key` is what names a row within
    /// its tenant.
    pub(crate) async fn remove_expired(
        &self,
        table: &'static str,
        key: &'static str,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = format!(
            "DELETE FROM {table} WHERE tenant_id = $1 AND {key} IN \
             (SELECT {key} FROM {table} WHERE tenant_id = $1 AND expires_at <= $2 \
             ORDER BY expires_at LIMIT $3)"
        );
        self.write(async move |work: &mut Work| {
            let arguments = arguments![&work.tenant, now, limit];
            work.execute(sql.clone(), arguments).await
        })
        .await
    }
}
