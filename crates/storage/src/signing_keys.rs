//! Signing keys of a tenant: sealed private keys and their certificates.

use jiff::Timestamp;
use model::TenantId;

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::reads;
use crate::{Added, StoreError, Work};

/// A signing key, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyRecord {
    pub kid: String,
    /// PKCS#8 sealed under the root key.
    pub private_sealed: Vec<u8>,
    pub certificate_der: Vec<u8>,
    pub state: SigningKeyState,
    pub created_at: Timestamp,
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// Signs; there is one.
    Current,
    /// Published, so that it can become current at once; there is one.
    Next,
    /// Its tokens are still accepted.
    Previous,
}

reads! {
    /// All keys, the oldest first.
    all list_signing_keys() -> Vec<SigningKeyRecord> = of_tenant;
}

impl Work {
    /// Adds a key; where there is a current (or next) one already, a second is not added.
    pub async fn add_signing_key(
        &mut self,
        record: &SigningKeyRecord,
    ) -> Result<Added, StoreError> {
        let done = self
            .execute(
                "INSERT INTO signing_keys (tenant_id, kid, private_sealed, certificate_der, state, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    &record.kid,
                    &record.private_sealed[..],
                    &record.certificate_der[..],
                    code(record.state),
                    record.created_at,
                ],
            )
            .await?;
        if done > 0 {
            return Ok(Added::Done);
        }
        let known = self.list_signing_keys().await?;
        let same = known.iter().any(|key| key.kid == record.kid);
        Ok(if same {
            Added::IdTaken
        } else {
            Added::IdentifierTaken
        })
    }
}

fn of_tenant(tenant: &TenantId) -> Select<SigningKeyRecord> {
    Select::new(
        "SELECT kid, private_sealed, certificate_der, state, created_at FROM signing_keys \
         WHERE tenant_id = $1 ORDER BY created_at, kid",
        arguments![tenant],
        read,
    )
}

fn read(row: &mut Row) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        kid: row.text()?,
        private_sealed: row.bytes()?,
        certificate_der: row.bytes()?,
        state: match row.text()?.as_str() {
            "current" => SigningKeyState::Current,
            "next" => SigningKeyState::Next,
            "previous" => SigningKeyState::Previous,
            other => return Err(StoreError::Unreadable(format!("signing key state {other}"))),
        },
        created_at: row.time()?,
    })
}

fn code(state: SigningKeyState) -> &'static str {
    match state {
        SigningKeyState::Current => "current",
        SigningKeyState::Next => "next",
        SigningKeyState::Previous => "previous",
    }
}
