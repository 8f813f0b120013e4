//! The signing keys of a tenant, parsed once and kept; the first is the one that signs.

use std::sync::Arc;

use keys::{Binding, Sealer, SigningKey};
use model::TenantId;
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
pub(crate) async fn signing_keys(
    app: &App,
    store: &TenantStore,
) -> Result<Arc<Vec<Arc<SigningKey>>>, StoreError> {
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
    let parsed = Arc::new(parsed);
    cache.put(tenant, Arc::clone(&parsed), reading);
    Ok(parsed)
}
