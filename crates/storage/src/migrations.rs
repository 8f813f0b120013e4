//! The schema, one DDL statement a migration, in two folders with equal names.
//!
//! Expand before contract: a migration never takes away what the version before it still reads.
//! Several processes may migrate at once: each step is a unit that first locks a row, then looks whether it is still due.

use crate::statement::{Row, Select, arguments};
use crate::{Store, StoreError, Work};

/// A step of the schema.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) ddl: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        pub(crate) const SQLITE: &[Migration] = &[$(Migration {
            name: $name,
            ddl: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
        }),+];

        pub(crate) const POSTGRES: &[Migration] = &[$(Migration {
            name: $name,
            ddl: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),+];
    };
}

migrations! {
    "0001_deployment",
    "0002_tenants",
    "0003_tenant_hosts",
    "0004_clients",
    "0005_clients_by_age",
    "0006_resource_servers",
    "0007_resource_servers_by_identifier",
    "0008_client_grants",
    "0009_client_grants_by_subject",
    "0010_connections",
    "0011_connections_by_name",
    "0012_connection_realms",
    "0013_connection_realms_by_connection",
    "0014_password_mix",
    "0015_users",
    "0016_users_by_age",
    "0017_users_by_connection",
    "0018_users_by_email",
    "0019_identifiers",
    "0020_signing_keys",
    "0021_signing_keys_by_state",
    "0022_access_tokens",
    "0023_access_tokens_by_expiry",
    "0024_meters",
    "0025_meters_by_account",
    "0026_meters_by_source",
    "0027_meters_by_expiry",
    "0028_events",
    "0029_events_by_user",
    "0030_clients_header_trust",
    "0031_mail_queue",
    "0032_mail_queue_by_next_try",
    "0033_tickets",
    "0034_tickets_by_expiry",
    "0035_tickets_by_user",
    "0040_email_providers",
    "0041_email_templates",
    "0045_password_history",
    "0046_jobs",
    "0047_jobs_by_expiry",
    "0050_breach_tallies",
    "0051_breach_digests",
    "0055_meters_told",
    "0056_meters_shown_user",
    "0057_meters_by_block",
    "0060_events_decision",
    "0061_events_decision_name",
    "0062_events_decided",
    "0063_events_decided_by_name",
    "0064_events_decided_by_ip",
    "0070_events_named",
    "0071_events_by_name",
    "0072_events_by_ip",
    "0073_events_by_client",
    "0074_events_by_type",
    "0075_tenants_logs",
    "0076_log_marks",
    "0077_daily_statistics",
    "0078_active_users",
    "0079_events_identifier",
    "0080_log_streams",
}

/// The row that those who migrate lock.
const LOCK: &str = "lock";
const TABLE: &str = "schema_migrations";
const DONE: &str = "SELECT name FROM schema_migrations WHERE name = $1";

impl Store {
    /// Runs what is pending and tells how many steps that were.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        self.make_table().await?;
        let mut done = 0;
        for migration in self.engine.migrations() {
            done += usize::from(
                self.write(async move |work| step(work, migration).await)
                    .await?,
            );
        }
        Ok(done)
    }

    /// How many steps are pending.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        let all = self.engine.migrations();
        if self.first(self.engine.table_exists(TABLE)).await? != Some(1) {
            return Ok(all.len());
        }
        let done = self
            .all(Select::new(
                "SELECT name FROM schema_migrations",
                Vec::new(),
                Row::text,
            ))
            .await?;
        let pending = all
            .iter()
            .filter(|migration| !done.iter().any(|name| name == migration.name));
        Ok(pending.count())
    }

    async fn make_table(&self) -> Result<(), StoreError> {
        if self.first(self.engine.table_exists(TABLE)).await? == Some(1) {
            return Ok(());
        }
        let made = self
            .write(async move |work: &mut Work| {
                work.define(
                    "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT NOT NULL PRIMARY KEY)",
                )
                .await
            })
            .await;
        match made {
            // PostgreSQL refuses the second of two that make one table at the same time.
            Err(StoreError::Refused(_))
                if self.first(self.engine.table_exists(TABLE)).await? == Some(1) =>
            {
                Ok(())
            }
            made => made,
        }
    }
}

/// One step, if it is still due.
async fn step(work: &mut Work, migration: &Migration) -> Result<bool, StoreError> {
    add(work, LOCK).await?;
    let lock = format!("{DONE}{}", work.lock());
    work.first(Select::new(lock, arguments![LOCK], Row::text))
        .await?;
    let done = Select::new(DONE, arguments![migration.name], Row::text);
    if work.first(done).await?.is_some() {
        return Ok(false);
    }
    work.define(migration.ddl).await?;
    add(work, migration.name).await?;
    Ok(true)
}

async fn add(work: &mut Work, name: &str) -> Result<(), StoreError> {
    work.execute(
        "INSERT INTO schema_migrations (name) VALUES ($1) ON CONFLICT DO NOTHING",
        arguments![name],
    )
    .await
    .map(drop)
}
