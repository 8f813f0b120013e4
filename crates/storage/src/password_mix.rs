//! How many users of a connection have a password hash of which format and cost.
//!
//! The mix is what an unknown user's decoy hash is picked from. It is kept by the functions that write users.
//! Counts are spread over a few rows by user id, so that importing users in parallel does not queue up at one row.

use model::{ConnectionId, TenantId, UserId};

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

const SHARDS: u32 = 8;

reads! {
    /// Formats in use and their numbers of users, by format.
    all list_password_mix(connection: &ConnectionId) -> Vec<(String, i64)> = of_connection;
}

impl Work {
    /// Counts a user whose hash went from one format to another.
    pub(crate) async fn move_in_mix(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), StoreError> {
        if from == to {
            return Ok(());
        }
        let mut changes: Vec<(&str, i64)> = Vec::with_capacity(2);
        changes.extend(from.map(|scheme| (scheme, -1)));
        changes.extend(to.map(|scheme| (scheme, 1)));
        // In an order in which two units cannot wait for each other.
        changes.sort_unstable();
        for (scheme, change) in changes {
            self.count(connection, user, scheme, change).await?;
        }
        Ok(())
    }

    async fn count(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        scheme: &str,
        change: i64,
    ) -> Result<(), StoreError> {
        let shard = shard_of(user);
        self.execute(
            "INSERT INTO password_mix (tenant_id, connection_id, scheme, shard, users) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant_id, connection_id, scheme, shard) \
             DO UPDATE SET users = password_mix.users + excluded.users",
            arguments![&self.tenant, connection, scheme, shard, change],
        )
        .await?;
        if change < 0 {
            self.remove_uncounted(connection, user, scheme).await?;
        }
        Ok(())
    }

    /// Takes `less` users (0 or -1) off, in the same statements for both.
    pub(crate) async fn uncount(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        scheme: &str,
        less: i64,
    ) -> Result<(), StoreError> {
        self.count(connection, user, scheme, less).await?;
        if less < 0 {
            return Ok(());
        }
        self.remove_uncounted(connection, user, scheme).await
    }

    async fn remove_uncounted(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        scheme: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM password_mix WHERE tenant_id = $1 AND connection_id = $2 AND scheme = $3 \
             AND shard = $4 AND users <= 0",
            arguments![&self.tenant, connection, scheme, shard_of(user)],
        )
        .await
        .map(drop)
    }
}

fn of_connection(tenant: &TenantId, connection: &ConnectionId) -> Select<(String, i64)> {
    Select::new(
        "SELECT scheme, CAST(SUM(users) AS BIGINT) FROM password_mix \
         WHERE tenant_id = $1 AND connection_id = $2 GROUP BY scheme ORDER BY scheme",
        arguments![tenant, connection],
        |row: &mut Row| Ok((row.text()?, row.int()?)),
    )
}

fn shard_of(user: &UserId) -> u32 {
    user.as_str().bytes().map(u32::from).sum::<u32>() % SHARDS
}
