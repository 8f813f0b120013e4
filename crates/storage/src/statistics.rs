//! Figures of each day, and the day on which each user was last active: added to by whoever follows the log.
//!
//! A day's row also counts the users whose last active day it is, so that active users are a sum over days. A user moves
//! that count with his own row, by as many rows as a statement says it changed. All of it is written in units that move or
//! hold the mark [`LogMark::Counted`], one after the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{EventType, LogId, TenantId, UserId};

use crate::log_marks::LogMark;
use crate::statement::{Row, Select, Value, arguments, padded, tuples};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

/// What of an event decides where it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHead {
    pub log_id: LogId,
    pub date: Timestamp,
    /// None where a later version has written what this one does not know.
    pub event_type: Option<EventType>,
    pub user_id: Option<UserId>,
}

/// What is to be added to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCounts {
    /// Days since 1970-01-01.
    pub day: i64,
    pub logins: u32,
    pub signups: u32,
    /// The first event that counts.
    pub first_at: Timestamp,
}

/// The figures of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayStatistics {
    pub day: i64,
    pub logins: u64,
    pub signups: u64,
    /// About the first event that counts.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

reads! {
    /// The oldest events after one, up to and with another.
    all list_log_heads(after: &LogId, until: &LogId, limit: u32) -> Vec<LogHead> = heads;
    /// The figures from one day to another, both included; days on which nothing happened are left out.
    all list_daily_statistics(from: i64, to: i64) -> Vec<DayStatistics> = days;
    /// Users whose last active day is this one or a later one.
    first count_active_users(since: i64) -> Option<u64> = active;
}

impl Work {
    /// Adds to the figures of a day.
    pub async fn add_day_counts(
        &mut self,
        counts: &DayCounts,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO daily_statistics (tenant_id, day, logins, signups, last_active_users, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, 0, $5, $6) \
             ON CONFLICT (tenant_id, day) DO UPDATE SET logins = daily_statistics.logins + excluded.logins, \
             signups = daily_statistics.signups + excluded.signups, \
             updated_at = excluded.updated_at",
            arguments![
                &self.tenant,
                counts.day,
                counts.logins,
                counts.signups,
                counts.first_at,
                now,
            ],
        )
        .await
        .map(drop)
    }

    /// Notes that these users, each named once, were active on a day whose figures were added to before. Users who are
    /// gone are left out.
    pub async fn note_active_users(
        &mut self,
        day: i64,
        users: &[UserId],
    ) -> Result<(), StoreError> {
        if users.is_empty() {
            return Ok(());
        }
        let select = last_days(&self.tenant, users);
        let known: BTreeMap<UserId, i64> = self.all(select).await?.into_iter().collect();
        let mut earlier: BTreeMap<i64, Vec<UserId>> = BTreeMap::new();
        for (user, last) in &known {
            if *last < day {
                earlier.entry(*last).or_default().push(user.clone());
            }
        }
        let mut came = 0;
        for (last, users) in earlier {
            let moved = self.move_active_users(last, day, &users).await?;
            self.count_active(last, -moved).await?;
            came += moved;
        }
        let unknown = users.iter().filter(|user| !known.contains_key(user));
        let unknown: Vec<UserId> = unknown.cloned().collect();
        came += self.add_active_users(day, &unknown).await?;
        self.count_active(day, came).await
    }

    /// Forgets when a user was active, in the unit that removes him.
    pub(crate) async fn forget_active_user(&mut self, user: &UserId) -> Result<(), StoreError> {
        self.hold_log_mark(LogMark::Counted).await?;
        let select = Select::new(
            "DELETE FROM active_users WHERE tenant_id = $1 AND user_id = $2 RETURNING last_day",
            arguments![&self.tenant, user],
            Row::int,
        );
        for day in self.returning(select).await? {
            self.count_active(day, -1).await?;
        }
        Ok(())
    }

    async fn move_active_users(
        &mut self,
        from: i64,
        to: i64,
        users: &[UserId],
    ) -> Result<i64, StoreError> {
        let users = padded(users);
        let sql = format!(
            "UPDATE active_users SET last_day = $3 WHERE tenant_id = $1 AND last_day = $2 AND user_id IN {}",
            tuples(4, 1, users.len())
        );
        let mut arguments = arguments![&self.tenant, from, to];
        arguments.extend(users.into_iter().map(Value::from));
        self.execute(sql, arguments).await.map(signed)
    }

    async fn add_active_users(&mut self, day: i64, users: &[UserId]) -> Result<i64, StoreError> {
        if users.is_empty() {
            return Ok(0);
        }
        let users = padded(users);
        let sql = format!(
            "INSERT INTO active_users (tenant_id, user_id, last_day) \
             SELECT tenant_id, user_id, $2 FROM users WHERE tenant_id = $1 AND user_id IN {} ON CONFLICT DO NOTHING",
            tuples(3, 1, users.len())
        );
        let mut arguments = arguments![&self.tenant, day];
        arguments.extend(users.into_iter().map(Value::from));
        self.execute(sql, arguments).await.map(signed)
    }

    async fn count_active(&mut self, day: i64, by: i64) -> Result<(), StoreError> {
        if by == 0 {
            return Ok(());
        }
        self.execute(
            "UPDATE daily_statistics SET last_active_users = last_active_users + $3 WHERE tenant_id = $1 AND day = $2",
            arguments![&self.tenant, day, by],
        )
        .await
        .map(drop)
    }
}

fn signed(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn last_days(tenant: &TenantId, users: &[UserId]) -> Select<(UserId, i64)> {
    let users = padded(users);
    let sql = format!(
        "SELECT user_id, last_day FROM active_users WHERE tenant_id = $1 AND user_id IN {}",
        tuples(2, 1, users.len())
    );
    let mut arguments = arguments![tenant];
    arguments.extend(users.into_iter().map(Value::from));
    Select::new(sql, arguments, |row| {
        Ok((UserId::new(row.text()?), row.int()?))
    })
}

fn heads(tenant: &TenantId, after: &LogId, until: &LogId, limit: u32) -> Select<LogHead> {
    Select::new(
        "SELECT log_id, occurred_at, event_type, user_id FROM events \
         WHERE tenant_id = $1 AND log_id > $2 AND log_id <= $3 ORDER BY log_id LIMIT $4",
        arguments![tenant, after, until, limit],
        |row| {
            Ok(LogHead {
                log_id: LogId::new(row.text()?),
                date: row.time()?,
                event_type: EventType::from_code(&row.text()?),
                user_id: row.maybe_text()?.map(UserId::new),
            })
        },
    )
}

fn days(tenant: &TenantId, from: i64, to: i64) -> Select<DayStatistics> {
    Select::new(
        "SELECT day, logins, signups, created_at, updated_at \
         FROM daily_statistics WHERE tenant_id = $1 AND day >= $2 AND day <= $3 ORDER BY day",
        arguments![tenant, from, to],
        |row| {
            Ok(DayStatistics {
                day: row.int()?,
                logins: row.count()?,
                signups: row.count()?,
                created_at: row.time()?,
                updated_at: row.time()?,
            })
        },
    )
}

fn active(tenant: &TenantId, since: i64) -> Select<u64> {
    Select::new(
        "SELECT CAST(COALESCE(SUM(last_active_users), 0) AS BIGINT) FROM daily_statistics \
         WHERE tenant_id = $1 AND day >= $2",
        arguments![tenant, since],
        Row::count,
    )
}
