//! The signing keys of a tenant, parsed once and kept with the document that publishes them; the first one signs.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use keys::{Binding, Sealer, SigningKey};
use model::TenantId;
use serde_json::{Value, json};
use storage::{SigningKeyRecord, SigningKeyState, StoreError, TenantStore};

use crate::app::App;

/// Name of the sealed field, part of what the seal is bound to.
pub(crate) const PRIVATE_KEY_FIELD: &str = "signing_key";

/// Opens a key as it is kept; none where the root key is another one.
pub fn open_signing_key(
    sealer: &Sealer,
    tenant: &TenantId,
    record: &SigningKeyRecord,
) -> Option<SigningKey> {
    let binding = Binding {
        tenant: tenant.as_str(),
        row: &record.kid,
        field: PRIVATE_KEY_FIELD,
    };
    let der = sealer.open(&binding, &record.private_sealed).ok()?;
    SigningKey::from_pkcs8(&der, record.kid.clone(), record.certificate_der.clone()).ok()
}

/// All keys whose tokens are accepted, the current one first.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<SigningKey>>,
    /// Their public halves (RFC 7517 §5).
    pub(crate) published: Bytes,
}

impl KeySet {
    fn of(keys: Vec<Arc<SigningKey>>) -> Self {
        let published: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        Self {
            keys,
            published: Bytes::from(json!({ "keys": published }).to_string()),
        }
    }
}

impl Deref for KeySet {
    type Target = [Arc<SigningKey>];

    fn deref(&self) -> &[Arc<SigningKey>] {
        &self.keys
    }
}

/// The tenant's keys.
pub(crate) async fn signing_keys(
    app: &App,
    store: &TenantStore,
) -> Result<Arc<KeySet>, StoreError> {
    let cache = &app.directory.signing_keys;
    let tenant = store.tenant_id().clone();
    if let Some(known) = cache.get(&tenant) {
        return Ok(known);
    }
    let reading = cache.begin();
    let parsed_before = cache.last(&tenant).unwrap_or_default();
    let mut records = store.list_signing_keys().await?;
    records.sort_by_key(|record| record.state != SigningKeyState::Current);
    let parsed = records
        .iter()
        .filter_map(|record| {
            if let Some(known) = parsed_before.iter().find(|key| key.kid() == record.kid) {
                return Some(Arc::clone(known));
            }
            let key = open_signing_key(&app.secrets.sealer, &tenant, record);
            if key.is_none() {
                tracing::error!(
                    kid = record.kid,
                    "signing key cannot be opened with this root key"
                );
            }
            key.map(Arc::new)
        })
        .collect();
    let parsed = Arc::new(KeySet::of(parsed));
    cache.put(tenant, Arc::clone(&parsed), reading);
    Ok(parsed)
}
