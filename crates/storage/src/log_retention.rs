//! Dropping old events: a range of log ids at a time, but for those that are named.
//!
//! Which ones are old, and which of them are kept, is decided by the caller; he also sees to it that a range is short.

use model::{ConnectionId, EventType, LogId, TenantId, UserId};
use serde_json::{Map, Value as Json};

use crate::log_marks::LogMark;
use crate::statement::{Row, Select, Value, arguments, padded, tuples};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

/// What an event says of the block that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockEvent {
    pub log_id: LogId,
    pub connection_id: Option<ConnectionId>,
    pub user_id: Option<UserId>,
    pub user_name: Option<String>,
    pub details: Map<String, Json>,
}

reads! {
    /// The oldest events after one, up to and with another.
    all list_log_ids(after: &LogId, until: &LogId, limit: u32) -> Vec<LogId> = ids;
    /// Events of the same range that are records of refusals for this reason, or of this type.
    all list_block_events(after: &LogId, until: &LogId, reason: &str, event_type: EventType) -> Vec<BlockEvent> = of_blocks;
}

impl Work {
    /// Drops the events after one, up to and with another, but for those that are kept; tells how many are gone.
    pub async fn drop_events(
        &mut self,
        after: &LogId,
        until: &LogId,
        kept: &[LogId],
    ) -> Result<u64, StoreError> {
        let mut arguments = arguments![&self.tenant, after, until];
        let mut sql =
            "DELETE FROM events WHERE tenant_id = $1 AND log_id > $2 AND log_id <= $3".to_owned();
        if !kept.is_empty() {
            let kept = padded(kept);
            sql.push_str(&format!(" AND log_id NOT IN {}", tuples(4, 1, kept.len())));
            arguments.extend(kept.into_iter().map(Value::from));
        }
        let dropped = self.execute(sql, arguments).await?;
        self.raise_log_mark(LogMark::Dropped, until).await?;
        Ok(dropped)
    }
}

fn ids(tenant: &TenantId, after: &LogId, until: &LogId, limit: u32) -> Select<LogId> {
    Select::new(
        "SELECT log_id FROM events WHERE tenant_id = $1 AND log_id > $2 AND log_id <= $3 ORDER BY log_id LIMIT $4",
        arguments![tenant, after, until, limit],
        |row: &mut Row| row.text().map(LogId::new),
    )
}

fn of_blocks(
    tenant: &TenantId,
    after: &LogId,
    until: &LogId,
    reason: &str,
    event_type: EventType,
) -> Select<BlockEvent> {
    Select::new(
        "SELECT log_id, connection_id, user_id, user_name, details FROM events \
         WHERE tenant_id = $1 AND log_id > $2 AND log_id <= $3 AND (decision = $4 OR event_type = $5) ORDER BY log_id",
        arguments![tenant, after, until, reason, event_type.code()],
        |row| {
            Ok(BlockEvent {
                log_id: LogId::new(row.text()?),
                connection_id: row.maybe_text()?.map(ConnectionId::new),
                user_id: row.maybe_text()?.map(UserId::new),
                user_name: row.maybe_text()?,
                details: row.json()?,
            })
        },
    )
}
