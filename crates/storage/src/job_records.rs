//! What was asked for and is done later, so that whoever asked can look it up.
//!
//! A record is kept for a while and removed; what a job does, and what of it is shown, is not decided here.

use jiff::Timestamp;
use model::TenantId;
use serde_json::{Map, Value};

use crate::statement::{Row, Select, arguments, json};
use crate::tenant_store::reads;
use crate::{StoreError, TenantStore, Work};

/// A job as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRecord {
    /// Unique within the tenant.
    pub job_id: String,
    pub document: Map<String, Value>,
    pub created_at: Timestamp,
    /// From then on nobody can look it up.
    pub expires_at: Timestamp,
}

reads! {
    /// The job with this id, while it is kept.
    first find_job(id: &str, now: Timestamp) -> Option<JobRecord> = by_id;
}

impl Work {
    /// Adds a job.
    pub async fn add_job(&mut self, job: &JobRecord) -> Result<(), StoreError> {
        let arguments = arguments![
            &self.tenant,
            &job.job_id,
            json(&job.document)?,
            job.created_at,
            job.expires_at,
        ];
        self.execute(
            "INSERT INTO jobs (tenant_id, job_id, document, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
            arguments,
        )
        .await
        .map(drop)
    }
}

impl TenantStore {
    /// Removes up to `limit` jobs that are no longer kept, and tells how many.
    pub async fn remove_expired_jobs(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.remove_expired("jobs", "job_id", now, limit).await
    }
}

fn by_id(tenant: &TenantId, id: &str, now: Timestamp) -> Select<JobRecord> {
    Select::new(
        "SELECT job_id, document, created_at, expires_at FROM jobs \
         WHERE tenant_id = $1 AND job_id = $2 AND expires_at > $3",
        arguments![tenant, id, now],
        read,
    )
}

fn read(row: &mut Row) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        job_id: row.text()?,
        document: row.json()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    })
}
