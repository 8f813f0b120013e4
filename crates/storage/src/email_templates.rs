//! A tenant's own mail templates, by name. That they can be rendered is judged before they come here.

use model::{EmailTemplate, TenantId};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::reads;
use crate::{Added, StoreError, Work, Written};

/// A template, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailTemplateRecord {
    pub template: EmailTemplate,
    pub version: i64,
}

reads! {
    /// The tenant's own template of this name.
    first find_email_template(name: &str) -> Option<EmailTemplateRecord> = by_name;
}

impl Work {
    /// Adds a template, unless there is one of its name; its version becomes 1.
    pub async fn add_email_template(
        &mut self,
        template: &EmailTemplate,
    ) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO email_templates (tenant_id, name, document, version) \
                 VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING",
                arguments![&self.tenant, &template.template, json(template)?],
            )
            .await?;
        Ok(match done {
            0 => Added::IdTaken,
            _ => Added::Done,
        })
    }

    /// Changes a template, guarded by the version that was read. Its name never changes.
    pub async fn set_email_template(
        &mut self,
        record: &EmailTemplateRecord,
    ) -> Result<Written, StoreError> {
        let name = &record.template.template;
        let done = self
            .execute(
                "UPDATE email_templates SET document = $4, version = version + 1 \
                 WHERE tenant_id = $1 AND name = $2 AND version = $3",
                arguments![&self.tenant, name, record.version, json(&record.template)?],
            )
            .await?;
        match done {
            0 if self.find_email_template(name).await?.is_none() => Ok(Written::Missing),
            0 => Ok(Written::Moved),
            _ => Ok(Written::Done),
        }
    }
}

fn by_name(tenant: &TenantId, name: &str) -> Select<EmailTemplateRecord> {
    Select::new(
        "SELECT document, version FROM email_templates WHERE tenant_id = $1 AND name = $2",
        arguments![tenant, name],
        |row: &mut Row| {
            Ok(EmailTemplateRecord {
                template: row.json()?,
                version: row.int()?,
            })
        },
    )
}
