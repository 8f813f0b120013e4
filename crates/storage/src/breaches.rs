//! How many breached passwords were met on each day, and up to which day administrators have been told.
//!
//! A day's tally is spread over several rows, so that many at once do not wait for one. A digest is taken by one
//! guarded statement: of several nodes, one has it.

use model::TenantId;

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{StoreError, Work};

/// One breached password that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachTally {
    /// Days since 1970-01-01.
    pub day: i64,
    pub stage: &'static str,
    /// Which of the day's rows counts it.
    pub shard: i16,
    pub refused: bool,
}

/// What was met at one stage in some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachCount {
    pub stage: String,
    pub found: u64,
    pub refused: u64,
}

/// How many were met at one stage on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBreaches {
    pub day: i64,
    pub stage: String,
    pub found: u64,
}

/// Whether a digest is to be sent by whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenDigest {
    /// With the day up to which the one before it told; none for the first.
    Taken { before: Option<i64> },
    /// Somebody has it.
    Spent,
}

reads! {
    /// The day up to which the digests of this frequency have told.
    first find_digest(frequency: &str) -> Option<i64> = digest;
    /// What was met from one day up to another, which is left out; stages without any are left out too.
    all count_breaches(from: i64, until: i64) -> Vec<BreachCount> = counts;
    /// What was met on each day, by stage, from one day to another, both included.
    all list_daily_breaches(from: i64, to: i64) -> Vec<DailyBreaches> = by_day;
}

impl Work {
    /// Counts one.
    pub async fn add_breach(&mut self, tally: &BreachTally) -> Result<(), StoreError> {
        let refused = i64::from(tally.refused);
        let arguments = arguments![&self.tenant, tally.day, tally.stage, tally.shard, refused];
        self.execute(
            "INSERT INTO breach_tallies (tenant_id, day, stage, shard, found, refused) VALUES ($1, $2, $3, $4, 1, $5) \
             ON CONFLICT (tenant_id, day, stage, shard) DO UPDATE \
             SET found = breach_tallies.found + 1, refused = breach_tallies.refused + excluded.refused",
            arguments,
        )
        .await
        .map(drop)
    }

    /// Takes the digest of this frequency up to a day.
    pub async fn take_digest(
        &mut self,
        frequency: &str,
        until: i64,
    ) -> Result<TakenDigest, StoreError> {
        let before = self.find_digest(frequency).await?;
        let written = match before {
            None => {
                self.execute(
                    "INSERT INTO breach_digests (tenant_id, frequency, until_day) VALUES ($1, $2, $3) \
                     ON CONFLICT DO NOTHING",
                    arguments![&self.tenant, frequency, until],
                )
                .await?
            }
            Some(known) if known >= until => 0,
            Some(known) => {
                self.execute(
                    "UPDATE breach_digests SET until_day = $3 \
                     WHERE tenant_id = $1 AND frequency = $2 AND until_day = $4",
                    arguments![&self.tenant, frequency, until, known],
                )
                .await?
            }
        };
        Ok(match written {
            0 => TakenDigest::Spent,
            _ => TakenDigest::Taken { before },
        })
    }

    /// Removes tallies of the days before this one.
    pub async fn remove_breaches_before(&mut self, day: i64) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM breach_tallies WHERE tenant_id = $1 AND day < $2",
            arguments![&self.tenant, day],
        )
        .await
    }
}

fn digest(tenant: &TenantId, frequency: &str) -> Select<i64> {
    Select::new(
        "SELECT until_day FROM breach_digests WHERE tenant_id = $1 AND frequency = $2",
        arguments![tenant, frequency],
        Row::int,
    )
}

fn counts(tenant: &TenantId, from: i64, until: i64) -> Select<BreachCount> {
    Select::new(
        "SELECT stage, CAST(SUM(found) AS BIGINT), CAST(SUM(refused) AS BIGINT) FROM breach_tallies \
         WHERE tenant_id = $1 AND day >= $2 AND day < $3 GROUP BY stage ORDER BY stage",
        arguments![tenant, from, until],
        |row| {
            Ok(BreachCount {
                stage: row.text()?,
                found: row.count()?,
                refused: row.count()?,
            })
        },
    )
}

fn by_day(tenant: &TenantId, from: i64, to: i64) -> Select<DailyBreaches> {
    Select::new(
        "SELECT day, stage, CAST(SUM(found) AS BIGINT) FROM breach_tallies \
         WHERE tenant_id = $1 AND day >= $2 AND day <= $3 GROUP BY day, stage ORDER BY day, stage",
        arguments![tenant, from, to],
        |row| {
            Ok(DailyBreaches {
                day: row.int()?,
                stage: row.text()?,
                found: row.count()?,
            })
        },
    )
}
