//! Tenants and the hosts that lead to them: the only rows that are looked for before a tenant is known.

use model::{Tenant, TenantId};

use crate::statement::{Row, Select, arguments, json, tuples};
use crate::tenant_store::reads;
use crate::{Added, Store, StoreError, TenantStore, Work, Written};

const COLUMNS: &str =
    "t.tenant_id, t.name, t.domain, t.aliases, t.settings, t.attack_protection, t.logs, t.version";

/// Every table with rows of tenants, but for the tenants themselves and their hosts. Events come first: what is made of
/// them is removed when nothing more can be made.
const TABLES: [&str; 24] = [
    "events",
    "access_tokens",
    "active_users",
    "breach_digests",
    "breach_tallies",
    "client_grants",
    "clients",
    "connection_realms",
    "connections",
    "daily_statistics",
    "email_providers",
    "email_templates",
    "identifiers",
    "jobs",
    "log_marks",
    "log_streams",
    "mail_queue",
    "meters",
    "password_history",
    "password_mix",
    "resource_servers",
    "signing_keys",
    "tickets",
    "users",
];

impl Store {
    /// The tenant under this host (with the port where it is not 443), be it its domain or an alias.
    pub async fn find_tenant_by_host(&self, host: &str) -> Result<Option<Tenant>, StoreError> {
        self.first(Select::new(
            format!(
                "SELECT {COLUMNS} FROM tenant_hosts h JOIN tenants t ON t.tenant_id = h.tenant_id \
                 WHERE h.host = $1"
            ),
            arguments![host],
            read,
        ))
        .await
    }

    /// Every tenant, by id.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.all(Select::new(
            format!("SELECT {COLUMNS} FROM tenants t ORDER BY t.tenant_id"),
            Vec::new(),
            read,
        ))
        .await
    }

    /// Adds a tenant alone; where keys or APIs come with it, use [`Work::add_tenant`].
    pub async fn add_tenant(&self, tenant: &Tenant) -> Result<Added, StoreError> {
        let added = tenant.clone();
        self.tenant(&tenant.id)
            .write(async move |work| work.add_tenant(&added).await)
            .await
    }
}

reads! {
    /// The tenant itself.
    first find_tenant() -> Option<Tenant> = by_id;
}

impl TenantStore {
    /// Removes every row of this tenant from every other table, a unit each, and tells how many there were.
    pub async fn remove_rows(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for table in TABLES {
            let sql = format!("DELETE FROM {table} WHERE tenant_id = $1");
            removed += self
                .write(async move |work: &mut Work| {
                    let arguments = arguments![&work.tenant];
                    work.execute(sql.clone(), arguments).await
                })
                .await?;
        }
        Ok(removed)
    }
}

impl Work {
    /// Adds the tenant of this unit; one whose host leads elsewhere already is not added.
    pub async fn add_tenant(&mut self, tenant: &Tenant) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO tenants (tenant_id, name, domain, aliases, settings, attack_protection, logs, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &tenant.name,
                    &tenant.domain,
                    json(&tenant.aliases)?,
                    json(&tenant.settings)?,
                    json(&tenant.attack_protection)?,
                    json(&tenant.logs)?,
                ],
            )
            .await?;
        if done == 0 {
            return Ok(Added::IdTaken);
        }
        if self.add_hosts(&hosts_of(tenant)).await? {
            return Ok(Added::Done);
        }
        self.execute(
            "DELETE FROM tenants WHERE tenant_id = $1",
            arguments![&self.tenant],
        )
        .await?;
        Ok(Added::IdentifierTaken)
    }

    /// Changes the tenant of this unit, guarded by the version that was read.
    pub async fn set_tenant(&mut self, tenant: &Tenant) -> Result<Written, StoreError> {
        let select = by_id(&self.tenant);
        let Some(before) = self.first(select).await? else {
            return Ok(Written::Missing);
        };
        if before.version != tenant.version {
            return Ok(Written::Moved);
        }
        let (old, new) = (hosts_of(&before), hosts_of(tenant));
        let fresh: Vec<String> = new
            .iter()
            .filter(|host| !old.contains(host))
            .cloned()
            .collect();
        if !self.add_hosts(&fresh).await? {
            return Ok(Written::IdentifierTaken);
        }
        let done = self
            .execute(
                "UPDATE tenants SET name = $3, domain = $4, aliases = $5, settings = $6, attack_protection = $7, \
                 logs = $8, version = version + 1 WHERE tenant_id = $1 AND version = $2",
                arguments![
                    &self.tenant,
                    tenant.version,
                    &tenant.name,
                    &tenant.domain,
                    json(&tenant.aliases)?,
                    json(&tenant.settings)?,
                    json(&tenant.attack_protection)?,
                    json(&tenant.logs)?,
                ],
            )
            .await?;
        if done == 0 {
            self.remove_hosts(&fresh).await?;
            return Ok(Written::Moved);
        }
        let gone: Vec<String> = old.into_iter().filter(|host| !new.contains(host)).collect();
        self.remove_hosts(&gone).await?;
        Ok(Written::Done)
    }

    /// Removes the hosts of this unit's tenant, so that nothing leads to it any more; whether it had one.
    pub async fn close_tenant(&mut self) -> Result<bool, StoreError> {
        let done = self
            .execute(
                "DELETE FROM tenant_hosts WHERE tenant_id = $1",
                arguments![&self.tenant],
            )
            .await?;
        Ok(done > 0)
    }

    /// Removes the tenant of this unit and its hosts; whether it was there. It comes last, after
    /// [`TenantStore::remove_rows`]: rows of a tenant that is not there any more could not be found again.
    pub async fn remove_tenant(&mut self) -> Result<bool, StoreError> {
        self.close_tenant().await?;
        let done = self
            .execute(
                "DELETE FROM tenants WHERE tenant_id = $1",
                arguments![&self.tenant],
            )
            .await?;
        Ok(done > 0)
    }

    /// Adds all hosts or none.
    async fn add_hosts(&mut self, hosts: &[String]) -> Result<bool, StoreError> {
        if hosts.is_empty() {
            return Ok(true);
        }
        let sql = format!(
            "INSERT INTO tenant_hosts (host, tenant_id) VALUES {} ON CONFLICT DO NOTHING RETURNING host",
            tuples(1, hosts.len(), 2)
        );
        let mut arguments = Vec::with_capacity(hosts.len() * 2);
        for host in hosts {
            arguments.extend(arguments![host, &self.tenant]);
        }
        let added = self
            .returning(Select::new(sql, arguments, Row::text))
            .await?;
        if added.len() == hosts.len() {
            return Ok(true);
        }
        self.remove_hosts(&added).await?;
        Ok(false)
    }

    async fn remove_hosts(&mut self, hosts: &[String]) -> Result<(), StoreError> {
        for host in hosts {
            let arguments = arguments![host, &self.tenant];
            self.execute(
                "DELETE FROM tenant_hosts WHERE host = $1 AND tenant_id = $2",
                arguments,
            )
            .await?;
        }
        Ok(())
    }
}

fn by_id(tenant: &TenantId) -> Select<Tenant> {
    Select::new(
        format!("SELECT {COLUMNS} FROM tenants t WHERE t.tenant_id = $1"),
        arguments![tenant],
        read,
    )
}

/// Domain and aliases, each once, in an order in which two units cannot wait for each other.
fn hosts_of(tenant: &Tenant) -> Vec<String> {
    let mut hosts = vec![tenant.domain.clone()];
    hosts.extend(tenant.aliases.iter().cloned());
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn read(row: &mut Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId::new(row.text()?),
        name: row.text()?,
        domain: row.text()?,
        aliases: row.json()?,
        settings: row.json()?,
        attack_protection: row.json()?,
        logs: row.json()?,
        version: row.int()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::TABLES;

    /// A table of a later migration cannot be forgotten.
    #[test]
    fn every_table_with_tenants_is_emptied() {
        for engine in ["sqlite", "postgres"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
            let mut declared = BTreeSet::new();
            for entry in std::fs::read_dir(folder.join(engine)).unwrap() {
                let sql = std::fs::read_to_string(entry.unwrap().path()).unwrap();
                let table = sql.trim_start().strip_prefix("CREATE TABLE ");
                if let Some((name, columns)) = table.and_then(|table| table.split_once(' '))
                    && columns.contains("tenant_id")
                {
                    declared.insert(name.to_owned());
                }
            }
            let known = TABLES.iter().chain(&["tenants", "tenant_hosts"]);
            let known: BTreeSet<String> = known.map(|&name| name.to_owned()).collect();
            assert_eq!(declared, known, "{engine}");
        }
    }
}
