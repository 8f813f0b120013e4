//! The secret of an application: long enough, kept as a digest beside a sealed copy, shown to those who may read keys.

use keys::{Binding, SecretDigest};
use model::{ClientId, ClientRecord};
use serde_json::{Map, Value};

use crate::answer::management::Problem;
use crate::bootstrap::CLIENT_SECRET_FIELD;
use crate::management::authorization::ManagementCall;

/// A secret that a caller chose.
pub(super) fn strong(secret: &str) -> Result<&str, Problem> {
    if secret.len() >= 32 {
        return Ok(secret);
    }
    Err(Problem::InvalidBody(
        "Payload validation error: 'String is too short' on property client_secret (at least 32 characters; leave it out to get one).".to_owned(),
    ))
}

/// The record with this secret.
pub(super) fn seal(call: &ManagementCall, record: ClientRecord, secret: &str) -> ClientRecord {
    let binding = binding(call, &record.client.client_id);
    let secret_sealed =
        call.app
            .secrets
            .sealer
            .seal(&binding, secret.as_bytes(), &*call.app.entropy);
    ClientRecord {
        secret_digest: SecretDigest::of(secret).to_bytes(),
        secret_sealed,
        ..record
    }
}

fn binding<'a>(call: &'a ManagementCall, id: &'a ClientId) -> Binding<'a> {
    Binding {
        tenant: call.tenant().id.as_str(),
        row: id.as_str(),
        field: CLIENT_SECRET_FIELD,
    }
}

/// Opens the sealed copy.
pub(super) fn open(call: &ManagementCall, record: &ClientRecord) -> Result<String, Problem> {
    let binding = binding(call, &record.client.client_id);
    let opened = call
        .app
        .secrets
        .sealer
        .open(&binding, &record.secret_sealed);
    let opened = opened.map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(String::from_utf8_lossy(&opened).into_owned())
}

/// Asks for the scope of what a change touches: the secret and the rest have scopes of their own.
pub(super) fn require_scopes(
    call: &ManagementCall,
    sent: &Map<String, Value>,
) -> Result<(), Problem> {
    let is_secret = |name: &String| name == "client_secret";
    if sent.keys().any(is_secret) {
        call.require(&["update:client_keys", "update:client_credentials"])?;
    }
    if sent.is_empty() || !sent.keys().all(is_secret) {
        call.require(&["update:clients"])?;
    }
    Ok(())
}
