//! `POST /dbconnections/change_password`: asks for the mail with a link to a new password.
//!
//! The answer is the same whether or not anybody has the address, after the same statements; the mail is composed when it
//! is sent, for whoever has the address by then. A source that asks too often is refused; a mailbox that got its share
//! gets no more, and nobody is told.

use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use model::{EventType, Identifier};
use protocol::ChangePasswordRequest;
use storage::Work;

use super::{
    arrived, asker, charge, directory, event, explain, is_on, log_refusal, own_source, unavailable,
};
use crate::account_mails::AccountMail;
use crate::answer::dbconnections::{Refusal, change_asked_for};
use crate::event_log::stamp;
use crate::protection::Meters;
use crate::protection::account::mailbox;
use crate::protection::decision::SourceFound;
use crate::request::RequestContext;

/// The endpoint.
pub(crate) async fn ask(
    cx: RequestContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match answer(&cx, &headers, body).await {
        Ok(()) => change_asked_for(),
        Err(refusal) => refusal.into_response(cx.now),
    }
}

async fn answer(
    cx: &RequestContext,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(), Refusal> {
    let arrived = arrived(headers, body)?;
    let request = ChangePasswordRequest::read(arrived.content_type, &arrived.body)
        .map_err(Refusal::Malformed)?;
    let asker = match &request.client_id {
        Some(id) => Some(
            asker(
                cx,
                headers,
                &arrived,
                id,
                EventType::PasswordChangeRequestFailed,
            )
            .await?,
        ),
        None => None,
    };
    let client = asker.as_ref().map(|asker| &*asker.client);
    let client_id = client.map(|facts| &facts.client.client_id);
    let source = match &asker {
        Some(asker) => asker.source.clone(),
        None => own_source(cx, headers),
    };
    let connection = directory(cx, &request.connection, client_id).await?;
    let address = Identifier::of(&request.email);
    let draft = |event_type| {
        let address = address.as_str();
        event(cx, event_type, client, Some(&connection), &source, address)
    };
    if is_on(&connection, "disable_self_service_change_password") {
        let refusal = Refusal::ChangeDisabled;
        let mut event = draft(EventType::PasswordChangeRequestFailed);
        explain(&mut event, &refusal);
        log_refusal(cx, event, &source.source).await?;
        return Err(refusal);
    }
    let connection_id = &connection.connection.id;
    let user = cx
        .store
        .find_user_by_identifier(connection_id, &address)
        .await
        .map_err(unavailable)?;

    let mail = AccountMail::reset(cx, connection_id, &address, client_id);
    let (digests, tenant) = (&cx.app.secrets.meters, &cx.tenant().id);
    let addressee = mailbox(digests, tenant, &address);
    let plan = cx
        .facts
        .policy
        .mail_asked_plan("reset_email", &addressee, &source.source);
    let asked = Meters::of_pool(plan, digests, tenant);
    let (event_type, text) = match &user {
        Some(_) => (
            EventType::PasswordChangeRequested,
            "Change password request",
        ),
        None => (
            EventType::PasswordChangeRequestFailed,
            "user does not exist.",
        ),
    };
    let mut event = draft(event_type);
    event.user_id = user.map(|user| user.user.user_id);
    text.clone_into(&mut event.description);
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    let mut refused = draft(EventType::PasswordChangeRequestFailed);
    explain(&mut refused, &Refusal::TooManyRequests);
    stamp(
        std::slice::from_mut(&mut refused),
        cx.now_again(),
        &*cx.app.entropy,
    );
    let found = SourceFound::of(&source);

    let unit_cx = cx.clone();
    let permitted = cx
        .store
        .write(async move |work: &mut Work| {
            let (reason, now) = (guard::Reason::Pool, unit_cx.now);
            let charged = charge(work, &asked, reason, &refused, &found, now).await?;
            if charged.permits {
                mail.put_down(work, &unit_cx).await?;
                work.add_events(std::slice::from_ref(&event)).await?;
            }
            Ok(charged.permits)
        })
        .await
        .map_err(unavailable)?;
    if permitted {
        return Ok(());
    }
    metrics::counter!("portcullis_refusals_total", "reason" => "pool").increment(1);
    Err(Refusal::TooManyRequests)
}
