//! From an approval to tokens: the one gate at issuance. Nothing else in the server signs a token for a caller.

use jiff::Timestamp;
use keys::{Binding, SecretDigest};
use model::{ClientId, SigningAlgorithm};
use protocol::{AccessTokenKind, Approved, Reason, TokenAnswer};
use storage::{AccessTokenRecord, StoreError};
use zeroize::Zeroizing;

use crate::bootstrap::{CLIENT_SECRET_FIELD, SIGNING_SECRET_FIELD};
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
    let keys = signing_keys(&cx.app, &cx.store)
        .await
        .map_err(|error| unavailable(&error))?;
    let key = keys.first().ok_or(Reason::ServerError)?;
    let issuer = cx.tenant().issuer();
    let entropy = &*cx.app.entropy;

    let (access_token, opaque) = match approved.access_token_kind() {
        AccessTokenKind::Jwt {
            header_type, alg, ..
        } => {
            let claims = approved.access_token_claims(&issuer, now, keys::opaque_token(entropy));
            let token = match alg {
                SigningAlgorithm::RS256 => key.sign(header_type, &claims),
                SigningAlgorithm::HS256 => {
                    let secret = api_secret(cx, approved.audience().unwrap_or_default()).await?;
                    keys::sign_hs256(&secret, header_type, &claims)
                }
            };
            (token, None)
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
    let directory = &cx.app.directory;
    let found = directory
        .client(&cx.store, &cx.tenant().id, id)
        .await
        .map_err(|error| unavailable(&error))?;
    let client = found.ok_or(Reason::Unauthorized)?;
    open(cx, id.as_str(), CLIENT_SECRET_FIELD, &client.secret_sealed)
}

/// The secret of an API, which it shares with this server (auth0-wire-facts §1.6).
async fn api_secret(cx: &RequestContext, audience: &str) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let directory = &cx.app.directory;
    let found = directory
        .resource_server(&cx.store, &cx.tenant().id, audience)
        .await
        .map_err(|error| unavailable(&error))?;
    let api = found.ok_or_else(|| Reason::ServiceNotEnabled(audience.to_owned()))?;
    let sealed = api.signing_secret_sealed.as_deref().unwrap_or_default();
    open(cx, api.server.id.as_str(), SIGNING_SECRET_FIELD, sealed)
}

fn open(
    cx: &RequestContext,
    row: &str,
    field: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let binding = Binding {
        tenant: cx.tenant().id.as_str(),
        row,
        field,
    };
    let opened = cx.app.secrets.sealer.open(&binding, sealed);
    opened.map_err(|error| {
        tracing::error!(%error, row, field, "secret not opened");
        Reason::ServerError
    })
}

fn unavailable(error: &StoreError) -> Reason {
    tracing::error!(%error, "keys or secrets not read");
    Reason::TemporarilyUnavailable
}
