//! The secret that an HS256 API shares with this server (auth0-wire-facts §1.6): sealed at rest, given back on the wire.
//!
//! An API that signs with RS256 has none; one that changes over gets one.

use keys::Binding;
use model::{ResourceServer, SigningAlgorithm};
use storage::ResourceServerRecord;

use crate::answer::management::Problem;
use crate::bootstrap::SIGNING_SECRET_FIELD;
use crate::management::authorization::ManagementCall;

/// The sealed secret after a change: the one that was sent, the one it had, or a new one.
pub(super) fn sealed(
    call: &ManagementCall,
    server: &ResourceServer,
    sent: Option<&str>,
    before: Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    match (server.signing_alg, sent, before) {
        (SigningAlgorithm::RS256, ..) => None,
        (SigningAlgorithm::HS256, None, Some(kept)) => Some(kept),
        (SigningAlgorithm::HS256, sent, _) => {
            let entropy = &*call.app.entropy;
            let secret = sent.map_or_else(|| keys::client_secret(entropy), str::to_owned);
            let sealer = &call.app.secrets.sealer;
            Some(sealer.seal(&binding(call, server), secret.as_bytes(), entropy))
        }
    }
}

/// The secret in clear, for the answer.
pub(super) fn open(
    call: &ManagementCall,
    record: &ResourceServerRecord,
) -> Result<Option<String>, Problem> {
    let Some(sealed) = &record.signing_secret_sealed else {
        return Ok(None);
    };
    let binding = binding(call, &record.resource_server);
    let opened = call.app.secrets.sealer.open(&binding, sealed);
    let opened = opened.map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(Some(String::from_utf8_lossy(&opened).into_owned()))
}

fn binding<'a>(call: &'a ManagementCall, server: &'a ResourceServer) -> Binding<'a> {
    Binding {
        tenant: call.tenant().id.as_str(),
        row: server.id.as_str(),
        field: SIGNING_SECRET_FIELD,
    }
}
