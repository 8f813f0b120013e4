//! A tenant's own way to send mail: at most one, its password sealed by the caller.

use model::{EmailProvider, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::reads;
use crate::{Added, StoreError, Work, Written};

/// A provider, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailProviderRecord {
    pub provider: EmailProvider,
    /// The password sealed under the root key.
    pub password_sealed: Option<Vec<u8>>,
    pub version: i64,
}

reads! {
    /// The tenant's provider.
    first find_email_provider() -> Option<EmailProviderRecord> = of_tenant;
}

impl Work {
    /// Adds the provider of this unit's tenant, unless it has one; its version becomes 1.
    pub async fn add_email_provider(
        &mut self,
        record: &EmailProviderRecord,
    ) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO email_providers (tenant_id, document, password_sealed, version) \
                 VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    json(&record.provider)?,
                    record.password_sealed.clone(),
                ],
            )
            .await?;
        Ok(match done {
            0 => Added::IdTaken,
            _ => Added::Done,
        })
    }

    /// Changes the provider, guarded by the version that was read.
    pub async fn set_email_provider(
        &mut self,
        record: &EmailProviderRecord,
    ) -> Result<Written, StoreError> {
        let done = self
            .execute(
                "UPDATE email_providers SET document = $3, password_sealed = $4, version = version + 1 \
                 WHERE tenant_id = $1 AND version = $2",
                arguments![
                    &self.tenant,
                    record.version,
                    json(&record.provider)?,
                    record.password_sealed.clone(),
                ],
            )
            .await?;
        match done {
            0 if self.find_email_provider().await?.is_none() => Ok(Written::Missing),
            0 => Ok(Written::Moved),
            _ => Ok(Written::Done),
        }
    }

    /// Removes the provider with its password; whether there was one.
    pub async fn remove_email_provider(&mut self) -> Result<bool, StoreError> {
        let removed = self
            .execute(
                "DELETE FROM email_providers WHERE tenant_id = $1",
                arguments![&self.tenant],
            )
            .await?;
        Ok(removed > 0)
    }
}

fn of_tenant(tenant: &TenantId) -> Select<EmailProviderRecord> {
    Select::new(
        "SELECT document, password_sealed, version FROM email_providers WHERE tenant_id = $1",
        arguments![tenant],
        |row: &mut Row| {
            Ok(EmailProviderRecord {
                provider: row.json()?,
                password_sealed: row.maybe_bytes()?,
                version: row.int()?,
            })
        },
    )
}
