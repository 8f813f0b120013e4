//! Connections, found by id, name or realm. Removing one removes its users.

use jiff::Timestamp;
use model::{ClientId, Connection, ConnectionId, DATABASE_STRATEGY, TenantId};

use crate::statement::{Row, Select, arguments, json, tuples};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Added, Listed, Page, StoreError, TenantStore, Work, Written};

/// A connection, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionRecord {
    pub connection: Connection,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Equalities a list of connections may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    pub strategy: Option<String>,
    pub name: Option<String>,
}

const COLUMNS: &str = "document, created_at, updated_at, version";

reads! {
    /// The connection with this id.
    first find_connection(id: &ConnectionId) -> Option<ConnectionRecord> = by_id;
    /// The connection with this name.
    first find_connection_by_name(name: &str) -> Option<ConnectionRecord> = by_name;
    /// The connection a realm leads to; where several claim it, the one with the lowest id.
    first find_connection_by_realm(realm: &str) -> Option<ConnectionRecord> = by_realm;
    /// Every connection whose passwords are kept here, by id.
    all list_database_connections() -> Vec<ConnectionRecord> = of_database_strategy;
}

impl TenantStore {
    /// Connections, the oldest first.
    pub async fn list_connections(
        &self,
        page: Page,
        filter: &ConnectionFilter,
    ) -> Result<Listed<ConnectionRecord>, StoreError> {
        self.list(Listing {
            columns: COLUMNS,
            table: "connections",
            conditions: Conditions::of(&self.tenant)
                .and("strategy =", filter.strategy.as_deref())
                .and("name =", filter.name.as_deref()),
            order: "created_at, connection_id",
            id: "connection_id",
            page,
            total_limit: None,
            read,
        })
        .await
    }
}

impl Work {
    /// Adds a connection; its version becomes 1.
    pub async fn add_connection(&mut self, record: &ConnectionRecord) -> Result<Added, StoreError> {
        let connection = &record.connection;
        let done = self
            .execute(
                "INSERT INTO connections (tenant_id, connection_id, name, strategy, document, created_at, updated_at, \
                 version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &connection.id,
                    &connection.name,
                    &connection.strategy,
                    json(connection)?,
                    record.created_at,
                    record.updated_at,
                ],
            )
            .await?;
        match done {
            0 if self.find_connection(&connection.id).await?.is_some() => Ok(Added::IdTaken),
            0 => Ok(Added::IdentifierTaken),
            _ => {
                self.add_realms(connection).await?;
                Ok(Added::Done)
            }
        }
    }

    /// Changes a connection, guarded by the version that was read. Its name and strategy never change.
    pub async fn set_connection(
        &mut self,
        record: &ConnectionRecord,
    ) -> Result<Written, StoreError> {
        let connection = &record.connection;
        let done = self
            .execute(
                "UPDATE connections SET document = $6, updated_at = $7, version = version + 1 \
                 WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND name = $4 AND strategy = $5",
                arguments![
                    &self.tenant,
                    &connection.id,
                    record.version,
                    &connection.name,
                    &connection.strategy,
                    json(connection)?,
                    record.updated_at,
                ],
            )
            .await?;
        match done {
            0 if self.find_connection(&connection.id).await?.is_none() => Ok(Written::Missing),
            0 => Ok(Written::Moved),
            _ => {
                self.remove_of_connection("connection_realms", &connection.id)
                    .await?;
                self.add_realms(connection).await?;
                Ok(Written::Done)
            }
        }
    }

    /// Removes a connection with its users, each table in one statement.
    pub async fn remove_connection(&mut self, id: &ConnectionId) -> Result<bool, StoreError> {
        self.execute(
            "DELETE FROM password_history WHERE tenant_id = $1 AND user_id IN \
             (SELECT user_id FROM users WHERE tenant_id = $1 AND connection_id = $2)",
            arguments![&self.tenant, id],
        )
        .await?;
        for table in ["identifiers", "users", "password_mix", "connection_realms"] {
            self.remove_of_connection(table, id).await?;
        }
        Ok(self.remove_of_connection("connections", id).await? > 0)
    }

    /// Takes an application out of every connection's list.
    pub(crate) async fn disable_client(&mut self, client: &ClientId) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connections WHERE tenant_id = $1 ORDER BY connection_id{}",
            self.lock()
        );
        let select = Select::new(sql, arguments![&self.tenant], read);
        for mut record in self.all(select).await? {
            if !record.connection.is_enabled_for(client) {
                continue;
            }
            record
                .connection
                .enabled_clients
                .retain(|enabled| enabled != client);
            if self.set_connection(&record).await? == Written::Moved {
                return Err(StoreError::Rerun);
            }
        }
        Ok(())
    }

    async fn add_realms(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut realms = connection.realms.clone();
        if realms.is_empty() {
            realms.push(connection.name.clone());
        }
        realms.sort_unstable();
        realms.dedup();
        let mut arguments = Vec::with_capacity(realms.len() * 3);
        for realm in &realms {
            arguments.extend(arguments![&self.tenant, realm, &connection.id]);
        }
        let sql = format!(
            "INSERT INTO connection_realms (tenant_id, realm, connection_id) VALUES {}",
            tuples(1, realms.len(), 3)
        );
        self.execute(sql, arguments).await.map(drop)
    }

    async fn remove_of_connection(
        &mut self,
        table: &str,
        id: &ConnectionId,
    ) -> Result<u64, StoreError> {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND connection_id = $2");
        self.execute(sql, arguments![&self.tenant, id]).await
    }
}

fn by_id(tenant: &TenantId, id: &ConnectionId) -> Select<ConnectionRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM connections WHERE tenant_id = $1 AND connection_id = $2"),
        arguments![tenant, id],
        read,
    )
}

fn by_name(tenant: &TenantId, name: &str) -> Select<ConnectionRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM connections WHERE tenant_id = $1 AND name = $2"),
        arguments![tenant, name],
        read,
    )
}

fn by_realm(tenant: &TenantId, realm: &str) -> Select<ConnectionRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM connections WHERE tenant_id = $1 AND connection_id = \
             (SELECT connection_id FROM connection_realms WHERE tenant_id = $1 AND realm = $2 \
             ORDER BY connection_id LIMIT 1)"
        ),
        arguments![tenant, realm],
        read,
    )
}

fn of_database_strategy(tenant: &TenantId) -> Select<ConnectionRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM connections WHERE tenant_id = $1 AND strategy = $2 ORDER BY connection_id"
        ),
        arguments![tenant, DATABASE_STRATEGY],
        read,
    )
}

fn read(row: &mut Row) -> Result<ConnectionRecord, StoreError> {
    Ok(ConnectionRecord {
        connection: row.json()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        version: row.int()?,
    })
}
