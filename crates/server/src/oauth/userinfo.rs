//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3; auth0-wire-facts §9.1): what a user's own access token lets
//! its bearer know.
//!
//! Good are an opaque token of ours, and a token of ours whose audience names this address; nothing else, whatever it is
//! signed with.

use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};
use jiff::SignedDuration;
use keys::{Expected, SecretDigest, verify_own};
use protocol::{
    BearerRefusal, OPAQUE_LIFETIME, Parameters, Scope, UserInfo, UserInfoToken, presented_token,
};
use storage::StoreError;

use super::unread;
use crate::answer::bearer::{refused, told, unavailable};
use crate::answer::oauth::Refusal;
use crate::directory::signing_keys;
use crate::request::{RequestContext, only_one};

/// The user as far as the token's scope goes.
pub(crate) async fn show(
    cx: RequestContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return Refusal::from(unread(&rejection)).into_response(cx.now),
    };
    match answer(&cx, &headers, &body).await {
        Ok(Ok(info)) => told(&info),
        Ok(Err(refusal)) => refused(refusal),
        Err(error) => {
            tracing::error!(%error, "token or user not read");
            unavailable()
        }
    }
}

async fn answer(
    cx: &RequestContext,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<UserInfo, BearerRefusal>, StoreError> {
    let media_type = only_one(headers, &header::CONTENT_TYPE).flatten();
    let parameters = Parameters::parse(media_type, body).ok();
    let in_body = parameters
        .as_ref()
        .and_then(|sent| sent.get("access_token"));
    let Some(in_header) = only_one(headers, &header::AUTHORIZATION) else {
        return Ok(Err(BearerRefusal::InvalidToken));
    };
    let token = match presented_token(in_header, in_body) {
        Ok(token) => token,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(token) = read(cx, token.expose()).await? else {
        return Ok(Err(BearerRefusal::InvalidToken));
    };
    let found = cx.store.find_user(&token.user_id).await?;
    let user = found
        .as_ref()
        .map(|record| (&record.user, record.created_at));

    if let Err(refusal) = token.admit(user) {
        return Ok(Err(refusal));
    }
    let info = found.map(|record| UserInfo::of(&record.user, record.updated_at, &token.scope));
    Ok(info.ok_or(BearerRefusal::InvalidToken))
}

/// What the token says, if it is one of ours for this address.
async fn read(cx: &RequestContext, token: &str) -> Result<Option<UserInfoToken>, StoreError> {
    if !token.contains('.') {
        let digest = SecretDigest::of(token).to_bytes();
        let row = cx.store.find_access_token(&digest, cx.now).await?;
        return Ok(row.and_then(|row| {
            Some(UserInfoToken {
                user_id: row.user_id?,
                scope: Scope::of(row.scope.split(' ')),
                issued_at: row.expires_at - SignedDuration::from_secs(i64::from(OPAQUE_LIFETIME)),
            })
        }));
    }
    let keys = signing_keys(&cx.app, &cx.store).await?;
    let (issuer, audience) = (cx.tenant().issuer(), cx.tenant().userinfo_audience());
    let expected = Expected {
        issuer: &issuer,
        audience: &audience,
        now: cx.now,
    };
    let claims = verify_own(token, &keys, &expected).ok();
    Ok(claims.and_then(|claims| UserInfoToken::read(&claims).ok()))
}
