//! `POST /oauth/token`: parse, authenticate the caller, hand over to the grant.
//!
//! Order of work (design of the guard): whatever the caller controls is judged before anything is charged.

mod attempt;
mod client_credentials;
mod events;
mod issue;
mod password;
mod settle;

use attempt::Asked;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};
use protocol::{Parameters, PresentedClient, Reason, TokenAnswer, TokenRequest};
use tokio::time::Instant;

use super::client_authentication::{Authenticated, authenticate};
use super::unread;
use crate::answer::oauth::{Refusal, method_refused, success};
use crate::protection::Question;
use crate::request::{RequestContext, only_one};

/// The token endpoint.
pub(crate) async fn exchange(
    cx: RequestContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (grant, outcome) = answer(&cx, &headers, body).await;
    let word = match &outcome {
        Ok(_) => "success",
        Err(refusal) => refusal.reason.code().as_str(),
    };
    metrics::counter!("portcullis_token_requests_total", "grant" => grant, "outcome" => word)
        .increment(1);
    match outcome {
        Ok(answer) => success(&answer),
        Err(refusal) => refusal.into_response(cx.now),
    }
}

/// Any other method.
pub(crate) async fn method_not_allowed() -> Response {
    method_refused()
}

async fn answer(
    cx: &RequestContext,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> (&'static str, Result<TokenAnswer, Refusal>) {
    let arrived = Instant::now();
    let (presented, parameters, request) = match parse(headers, body) {
        Ok(parsed) => parsed,
        Err(reason) => return ("none", Err(reason.into())),
    };
    let grant = request.grant_type();
    let question = Question::of(cx, headers, &presented, &parameters);
    let refusals = &cx.app.protection.refusals;
    let known = question.and_then(|question| refusals.answer(&question, cx.now));
    let outcome = match authenticate(cx, &presented, events::failed(grant), known).await {
        Err(refusal) => Err(refusal),
        Ok(authenticated) => {
            let asked = Asked {
                pool: authenticated.pool.clone(),
                question,
                arrived,
            };
            let outcome = serve(cx, headers, &authenticated, asked, request).await;
            match authenticated.refusal(cx).await {
                Some(refusal) => Err(refusal),
                None => outcome,
            }
        }
    };
    (grant.label(), outcome)
}

type Parsed = (PresentedClient, Parameters, TokenRequest);

fn parse(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Parsed, Reason> {
    let body = body.map_err(|rejection| unread(&rejection))?;
    let content_type = only_one(headers, &header::CONTENT_TYPE).flatten();
    // Never ignored: what is meant to authenticate and cannot be read must not leave a public client behind.
    let authorization = only_one(headers, &header::AUTHORIZATION).ok_or(Reason::MalformedBasic)?;
    let parameters = Parameters::parse(content_type, &body)?;
    let presented = PresentedClient::read(authorization, &parameters)?;
    let request = TokenRequest::read(&parameters)?;
    Ok((presented, parameters, request))
}

async fn serve(
    cx: &RequestContext,
    headers: &HeaderMap,
    authenticated: &Authenticated,
    asked: Asked,
    request: TokenRequest,
) -> Result<TokenAnswer, Refusal> {
    let caller = authenticated.caller.clone();
    match request {
        TokenRequest::Password(request) => {
            let client = &authenticated.client;
            password::exchange(cx, headers, caller, client, asked, request).await
        }
        TokenRequest::ClientCredentials(request) => {
            client_credentials::exchange(cx, caller, asked.pool, request).await
        }
    }
}
