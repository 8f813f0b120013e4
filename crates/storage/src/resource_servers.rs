//! APIs: the document, and the sealed secret of those that sign with HS256.

use jiff::Timestamp;
use model::{ResourceServer, ResourceServerId, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Added, Listed, Page, StoreError, TenantStore, Work, Written};

/// An API, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceServerRecord {
    pub resource_server: ResourceServer,
    /// The HS256 secret sealed under the root key.
    pub signing_secret_sealed: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

const COLUMNS: &str = "document, signing_secret_sealed, created_at, updated_at, version";

reads! {
    /// The API with this id.
    first find_resource_server(id: &ResourceServerId) -> Option<ResourceServerRecord> = by_id;
    /// The API with this identifier (audience).
    first find_resource_server_by_identifier(identifier: &str) -> Option<ResourceServerRecord> = by_identifier;
}

impl TenantStore {
    /// APIs, the oldest first.
    pub async fn list_resource_servers(
        &self,
        page: Page,
    ) -> Result<Listed<ResourceServerRecord>, StoreError> {
        self.list(Listing {
            columns: COLUMNS,
            table: "resource_servers",
            conditions: Conditions::of(&self.tenant),
            order: "created_at, resource_server_id",
            id: "resource_server_id",
            page,
            total_limit: None,
            read,
        })
        .await
    }
}

impl Work {
    /// Adds an API; its version becomes 1.
    pub async fn add_resource_server(
        &mut self,
        record: &ResourceServerRecord,
    ) -> Result<Added, StoreError> {
        let api = &record.resource_server;
        let done = self
            .execute(
                "INSERT INTO resource_servers (tenant_id, resource_server_id, identifier, document, \
                 signing_secret_sealed, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1) \
                 ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &api.id,
                    &api.identifier,
                    json(api)?,
                    record.signing_secret_sealed.clone(),
                    record.created_at,
                    record.updated_at,
                ],
            )
            .await?;
        match done {
            0 if self.find_resource_server(&api.id).await?.is_some() => Ok(Added::IdTaken),
            0 => Ok(Added::IdentifierTaken),
            _ => Ok(Added::Done),
        }
    }

    /// Changes an API, guarded by the version that was read. Its identifier never changes.
    pub async fn set_resource_server(
        &mut self,
        record: &ResourceServerRecord,
    ) -> Result<Written, StoreError> {
        let api = &record.resource_server;
        let done = self
            .execute(
                "UPDATE resource_servers SET document = $5, signing_secret_sealed = $6, updated_at = $7, \
                 version = version + 1 \
                 WHERE tenant_id = $1 AND resource_server_id = $2 AND version = $3 AND identifier = $4",
                arguments![
                    &self.tenant,
                    &api.id,
                    record.version,
                    &api.identifier,
                    json(api)?,
                    record.signing_secret_sealed.clone(),
                    record.updated_at,
                ],
            )
            .await?;
        match done {
            0 if self.find_resource_server(&api.id).await?.is_none() => Ok(Written::Missing),
            0 => Ok(Written::Moved),
            _ => Ok(Written::Done),
        }
    }

    /// Removes an API with the grants that name it.
    pub async fn remove_resource_server(
        &mut self,
        id: &ResourceServerId,
    ) -> Result<bool, StoreError> {
        let removed = self
            .returning(Select::new(
                "DELETE FROM resource_servers WHERE tenant_id = $1 AND resource_server_id = $2 RETURNING identifier",
                arguments![&self.tenant, id],
                Row::text,
            ))
            .await?;
        for identifier in &removed {
            self.execute(
                "DELETE FROM client_grants WHERE tenant_id = $1 AND audience = $2",
                arguments![&self.tenant, identifier],
            )
            .await?;
        }
        Ok(!removed.is_empty())
    }
}

fn by_id(tenant: &TenantId, id: &ResourceServerId) -> Select<ResourceServerRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM resource_servers WHERE tenant_id = $1 AND resource_server_id = $2"
        ),
        arguments![tenant, id],
        read,
    )
}

fn by_identifier(tenant: &TenantId, identifier: &str) -> Select<ResourceServerRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM resource_servers WHERE tenant_id = $1 AND identifier = $2"),
        arguments![tenant, identifier],
        read,
    )
}

fn read(row: &mut Row) -> Result<ResourceServerRecord, StoreError> {
    Ok(ResourceServerRecord {
        resource_server: row.json()?,
        signing_secret_sealed: row.maybe_bytes()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        version: row.int()?,
    })
}
