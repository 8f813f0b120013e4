//! From an approval to tokens: the one gate at issuance. Nothing else in the server signs a token for a caller.

use jiff::Timestamp;
use keys::SecretDigest;
use protocol::{AccessTokenKind, Approved, Reason, TokenAnswer};
use storage::AccessTokenRecord;

use crate::directory::signing_keys;
use crate::request::RequestContext;

/// Tokens, and the row that makes an opaque one good.
pub(super) struct Issued {
    pub(super) answer: TokenAnswer,
    pub(super) opaque: Option<AccessTokenRecord>,
}

/// Signs what was approved.
pub(super) async fn issue(cx: &RequestContext, approved: &Approved, now: Timestamp) -> Result<Issued, Reason> {
    let keys = signing_keys(&cx.app, &cx.store).await.map_err(|error| {
        tracing::error!(%error, "signing keys not read");
        Reason::TemporarilyUnavailable
    })?;
    let key = keys.first().ok_or(Reason::ServerError)?;
    let issuer = cx.tenant().issuer();
    let entropy = &*cx.app.entropy;

    let (access_token, opaque) = match approved.access_token_kind() {
        AccessTokenKind::Jwt { header_type, .. } => {
            let claims = approved.access_token_claims(&issuer, now, keys::opaque_token(entropy));
            (key.sign(header_type, &claims), None)
        }
        AccessTokenKind::Opaque { lifetime } => {
            let token = keys::opaque_token(entropy);
            let record = AccessTokenRecord {
                digest: SecretDigest::of(&token).to_bytes(),
                user_id: approved.user_id().cloned(),
                client_id: approved.client_id().clone(),
                scope: approved.scope().to_string(),
                expires_at: now + lifetime,
            };
            (token, Some(record))
        }
    };
    let id_token = approved.id_token_claims(&issuer, now).map(|claims| key.sign("JWT", &claims));
    Ok(Issued { answer: approved.answer(access_token, id_token), opaque })
}
