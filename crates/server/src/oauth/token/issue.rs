//! From an approval to tokens: the one gate at issuance. Nothing else in the server signs a token for a caller.

use jiff::Timestamp;
use keys::{Binding, SecretDigest};
use model::{ClientId, SigningAlgorithm};
use protocol::{AccessTokenKind, Approved, Reason, TokenAnswer};
use storage::AccessTokenRecord;
use zeroize::Zeroizing;

use crate::bootstrap::CLIENT_SECRET_FIELD;
use crate::directory::signing_keys;
use crate::request::RequestContext;

/// Tokens, and the row that makes an opaque one good.
pub(super) struct Issued {
    pub(super) answer: TokenAnswer,
    pub(super) opaque: Option<AccessTokenRecord>,
}

/// Signs what was approved.
pub(super) async fn issue(
    cx: &RequestContext,
    approved: &Approved,
    now: Timestamp,
) -> Result<Issued, Reason> {
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
    let id_token = match (
        approved.id_token_claims(&issuer, now),
        approved.id_token_algorithm(),
    ) {
        (None, _) => None,
        (Some(claims), SigningAlgorithm::RS256) => Some(key.sign("JWT", &claims)),
        (Some(claims), SigningAlgorithm::HS256) => Some(keys::sign_hs256(
            &client_secret(cx, approved.client_id()).await?,
            "JWT",
            &claims,
        )),
    };
    Ok(Issued {
        answer: approved.answer(access_token, id_token),
        opaque,
    })
}

/// The secret of the application, with which its HS256 ID tokens are signed.
async fn client_secret(cx: &RequestContext, id: &ClientId) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let found = cx
        .app
        .directory
        .client(&cx.store, &cx.tenant().id, id)
        .await
        .map_err(|error| {
            tracing::error!(%error, "client not read");
            Reason::TemporarilyUnavailable
        })?;
    let record = found.ok_or(Reason::Unauthorized)?;
    let binding = Binding {
        tenant: cx.tenant().id.as_str(),
        row: id.as_str(),
        field: CLIENT_SECRET_FIELD,
    };
    cx.app
        .secrets
        .sealer
        .open(&binding, &record.secret_sealed)
        .map_err(|error| {
            tracing::error!(%error, client = id.as_str(), "client secret not opened");
            Reason::ServerError
        })
}
