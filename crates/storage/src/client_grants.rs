//! Client grants: one per application, audience and subject type.

use model::{ClientGrant, ClientGrantId, ClientId, SubjectType, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Added, Listed, Page, StoreError, TenantStore, Work};

/// Equalities a list of grants may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    pub client_id: Option<ClientId>,
    pub audience: Option<String>,
    pub subject_type: Option<SubjectType>,
}

reads! {
    /// The grant with this id.
    first find_client_grant(id: &ClientGrantId) -> Option<ClientGrant> = by_id;
    /// The grant of an application for an audience, for itself or for its users.
    first find_client_grant_for(client: &ClientId, audience: &str, subject: SubjectType) -> Option<ClientGrant> = by_subject;
}

impl TenantStore {
    /// Grants, by id.
    pub async fn list_client_grants(
        &self,
        page: Page,
        filter: &GrantFilter,
    ) -> Result<Listed<ClientGrant>, StoreError> {
        self.list(Listing {
            columns: "document",
            table: "client_grants",
            conditions: Conditions::of(&self.tenant)
                .and("client_id =", filter.client_id.as_ref())
                .and("audience =", filter.audience.as_deref())
                .and("subject_type =", filter.subject_type.map(code)),
            order: "client_grant_id",
            id: "client_grant_id",
            page,
            total_limit: None,
            read: Row::json,
        })
        .await
    }
}

impl Work {
    /// Adds a grant; there is one per application, audience and subject type.
    pub async fn add_client_grant(&mut self, grant: &ClientGrant) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO client_grants (tenant_id, client_grant_id, client_id, audience, subject_type, document) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &grant.id,
                    &grant.client_id,
                    &grant.audience,
                    code(grant.subject_type),
                    json(grant)?,
                ],
            )
            .await?;
        match done {
            0 if self.find_client_grant(&grant.id).await?.is_some() => Ok(Added::IdTaken),
            0 => Ok(Added::IdentifierTaken),
            _ => Ok(Added::Done),
        }
    }

    /// Changes a grant whose application, audience and subject type stay; whether it was there.
    pub async fn set_client_grant(&mut self, grant: &ClientGrant) -> Result<bool, StoreError> {
        let done = self
            .execute(
                "UPDATE client_grants SET document = $6 WHERE tenant_id = $1 AND client_grant_id = $2 \
                 AND client_id = $3 AND audience = $4 AND subject_type = $5",
                arguments![
                    &self.tenant,
                    &grant.id,
                    &grant.client_id,
                    &grant.audience,
                    code(grant.subject_type),
                    json(grant)?,
                ],
            )
            .await?;
        Ok(done > 0)
    }

    /// Removes a grant; whether it was there.
    pub async fn remove_client_grant(&mut self, id: &ClientGrantId) -> Result<bool, StoreError> {
        let done = self
            .execute(
                "DELETE FROM client_grants WHERE tenant_id = $1 AND client_grant_id = $2",
                arguments![&self.tenant, id],
            )
            .await?;
        Ok(done > 0)
    }
}

fn by_id(tenant: &TenantId, id: &ClientGrantId) -> Select<ClientGrant> {
    Select::new(
        "SELECT document FROM client_grants WHERE tenant_id = $1 AND client_grant_id = $2",
        arguments![tenant, id],
        Row::json,
    )
}

fn by_subject(
    tenant: &TenantId,
    client: &ClientId,
    audience: &str,
    subject: SubjectType,
) -> Select<ClientGrant> {
    Select::new(
        "SELECT document FROM client_grants \
         WHERE tenant_id = $1 AND client_id = $2 AND audience = $3 AND subject_type = $4",
        arguments![tenant, client, audience, code(subject)],
        Row::json,
    )
}

fn code(subject: SubjectType) -> &'static str {
    match subject {
        SubjectType::Client => "client",
        SubjectType::User => "user",
    }
}
