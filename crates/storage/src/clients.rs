//! Applications: the document, the digest of the secret to compare, and the secret sealed.

use model::{ClientId, ClientRecord, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Added, Listed, Page, StoreError, TenantStore, Work, Written};

const COLUMNS: &str =
    "document, secret_digest, secret_sealed, header_trust, created_at, updated_at, version";

reads! {
    /// The application with this id.
    first find_client(id: &ClientId) -> Option<ClientRecord> = by_id;
}

impl TenantStore {
    /// Applications, the oldest first.
    pub async fn list_clients(&self, page: Page) -> Result<Listed<ClientRecord>, StoreError> {
        self.list(Listing {
            columns: COLUMNS,
            table: "clients",
            conditions: Conditions::of(&self.tenant),
            order: "created_at, client_id",
            id: "client_id",
            page,
            total_limit: None,
            read,
        })
        .await
    }
}

impl Work {
    /// Adds an application; its version becomes 1.
    pub async fn add_client(&mut self, record: &ClientRecord) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO clients (tenant_id, client_id, document, secret_digest, secret_sealed, header_trust, \
                 created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &record.client.client_id,
                    json(&record.client)?,
                    record.secret_digest,
                    &record.secret_sealed[..],
                    json(&record.header_trust)?,
                    record.created_at,
                    record.updated_at,
                ],
            )
            .await?;
        Ok(if done == 0 {
            Added::IdTaken
        } else {
            Added::Done
        })
    }

    /// Changes an application, guarded by the version that was read.
    pub async fn set_client(&mut self, record: &ClientRecord) -> Result<Written, StoreError> {
        let id = &record.client.client_id;
        let done = self
            .execute(
                "UPDATE clients SET document = $4, secret_digest = $5, secret_sealed = $6, header_trust = $7, \
                 updated_at = $8, version = version + 1 WHERE tenant_id = $1 AND client_id = $2 AND version = $3",
                arguments![
                    &self.tenant,
                    id,
                    record.version,
                    json(&record.client)?,
                    record.secret_digest,
                    &record.secret_sealed[..],
                    json(&record.header_trust)?,
                    record.updated_at,
                ],
            )
            .await?;
        match done {
            0 if self.find_client(id).await?.is_none() => Ok(Written::Missing),
            0 => Ok(Written::Moved),
            _ => Ok(Written::Done),
        }
    }

    /// Removes an application with its grants, and from the connections it was enabled for.
    pub async fn remove_client(&mut self, id: &ClientId) -> Result<bool, StoreError> {
        let done = self
            .execute(
                "DELETE FROM clients WHERE tenant_id = $1 AND client_id = $2",
                arguments![&self.tenant, id],
            )
            .await?;
        self.execute(
            "DELETE FROM client_grants WHERE tenant_id = $1 AND client_id = $2",
            arguments![&self.tenant, id],
        )
        .await?;
        self.disable_client(id).await?;
        Ok(done > 0)
    }
}

fn by_id(tenant: &TenantId, id: &ClientId) -> Select<ClientRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM clients WHERE tenant_id = $1 AND client_id = $2"),
        arguments![tenant, id],
        read,
    )
}

fn read(row: &mut Row) -> Result<ClientRecord, StoreError> {
    Ok(ClientRecord {
        client: row.json()?,
        secret_digest: row.digest()?,
        secret_sealed: row.bytes()?,
        header_trust: row.json()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        version: row.int()?,
    })
}
