//! How far something has come in a tenant's log: up to which event it is counted, up to which it is dropped.
//!
//! A mark only moves forward. The one of the statistics is moved by a guarded statement in the unit that counts, so that
//! of several nodes one counts; whoever else changes what is counted holds it for the length of his unit.

use model::{LogId, TenantId};

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

/// Whose mark it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMark {
    /// Every event up to it stands in the statistics.
    Counted,
    /// Events up to it may be gone: a reader that has not come so far has missed some.
    Dropped,
}

impl LogMark {
    fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Dropped => "dropped",
        }
    }
}

reads! {
    /// The last event up to which it is so; none before the first.
    first find_log_mark(mark: LogMark) -> Option<LogId> = by_name;
}

impl Work {
    /// Moves a mark from where it was read; false if somebody has moved it since.
    pub async fn move_log_mark(
        &mut self,
        mark: LogMark,
        from: Option<&LogId>,
        to: &LogId,
    ) -> Result<bool, StoreError> {
        let moved = match from {
            None => {
                self.execute(
                    "INSERT INTO log_marks (tenant_id, mark, log_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    arguments![&self.tenant, mark.name(), to],
                )
                .await?
            }
            Some(from) => {
                self.execute(
                    "UPDATE log_marks SET log_id = $4 WHERE tenant_id = $1 AND mark = $2 AND log_id = $3",
                    arguments![&self.tenant, mark.name(), from, to],
                )
                .await?
            }
        };
        Ok(moved > 0)
    }

    /// Moves a mark forward to this event, wherever it is by now.
    pub(crate) async fn raise_log_mark(
        &mut self,
        mark: LogMark,
        to: &LogId,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO log_marks (tenant_id, mark, log_id) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant_id, mark) DO UPDATE SET log_id = excluded.log_id \
             WHERE log_marks.log_id < excluded.log_id",
            arguments![&self.tenant, mark.name(), to],
        )
        .await
        .map(drop)
    }

    /// Keeps others from moving a mark until this unit ends; one that is not there is put before the first event.
    pub(crate) async fn hold_log_mark(&mut self, mark: LogMark) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO log_marks (tenant_id, mark, log_id) VALUES ($1, $2, '') \
             ON CONFLICT (tenant_id, mark) DO UPDATE SET log_id = log_marks.log_id",
            arguments![&self.tenant, mark.name()],
        )
        .await
        .map(drop)
    }
}

fn by_name(tenant: &TenantId, mark: LogMark) -> Select<LogId> {
    Select::new(
        "SELECT log_id FROM log_marks WHERE tenant_id = $1 AND mark = $2",
        arguments![tenant, mark.name()],
        |row: &mut Row| row.text().map(LogId::new),
    )
}
