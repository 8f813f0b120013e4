//! The page behind the link of the verification mail: its button verifies the address.
//!
//! Opening the page verifies nothing, since scanners of mails open every link. The link is good while its user has the
//! address it was mailed to. A user whose address was not verified before is welcomed.

use askama::Template;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};
use model::{EventType, Identifier, TicketKind};
use protocol::NewPasswordForm;
use storage::{StoreError, TicketRecord, Work, Written};

use super::ending::{self, Ending};
use super::page::{answer_for, name_of};
use super::{holder, ticket};
use crate::account_mails::AccountMail;
use crate::event_log::stamp;
use crate::request::{RequestContext, only_one};

const KIND: TicketKind = TicketKind::EmailVerification;

/// The page with the button.
#[derive(Template)]
#[template(path = "email-verification.html")]
struct Page<'a> {
    tenant: &'a str,
    title: &'a str,
    email: &'a str,
    ticket: &'a str,
    action: &'static str,
}

/// `GET`: shows whose address it is, and does nothing.
pub(crate) async fn show(cx: RequestContext, uri: Uri) -> Response {
    let ticket = ticket::in_query(&uri);
    match holder::look(&cx, KIND, &ticket).await {
        Ok((record, user)) => {
            let page = Page {
                tenant: name_of(cx.tenant()),
                title: "Confirm your address",
                email: user.user.email.as_deref().unwrap_or_default(),
                ticket: &ticket,
                action: KIND.path(),
            };
            answer_for(StatusCode::OK, &page, ending::result_url(&record))
        }
        Err(ending) => ending.page(&cx),
    }
}

/// `POST`: verifies.
pub(crate) async fn verify(
    cx: RequestContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let content_type = only_one(&headers, &header::CONTENT_TYPE).flatten();
    let sent = body
        .ok()
        .and_then(|body| NewPasswordForm::read(content_type, &body).ok());
    let Some(sent) = sent else {
        return Ending::Unreadable.page(&cx);
    };
    let unit_cx = cx.clone();
    let unit =
        async move |work: &mut Work, ticket: TicketRecord| mark(work, &unit_cx, ticket).await;
    let taken = ticket::take(&cx, KIND, sent.ticket.expose(), unit).await;
    match ending::held(taken) {
        Ok((ticket, email)) => {
            let text = "Your email was verified. You can continue using the application.";
            Ending::done("Your address is confirmed", text, &ticket, email).page(&cx)
        }
        Err(ending) => ending.page(&cx),
    }
}

/// Within the unit that took the ticket; none where its user is gone or has another address.
async fn mark(
    work: &mut Work,
    cx: &RequestContext,
    ticket: TicketRecord,
) -> Result<Option<(TicketRecord, Option<String>)>, StoreError> {
    let Some(mut user) = holder::of_taken(work, &ticket).await? else {
        return Ok(None);
    };
    let was_verified = std::mem::replace(&mut user.user.email_verified, true);
    user.updated_at = cx.now;
    let connection = user.user.identities.first();
    let connection = connection.map_or_else(String::new, |identity| identity.connection.clone());
    let mut event = *holder::event(cx, EventType::EmailVerified, &user, &connection);
    match work.set_user(&user).await? {
        Written::Done => {}
        // Somebody changed him in between: the ticket stays, and the unit runs again.
        Written::Moved => return Err(StoreError::Rerun),
        Written::Missing | Written::IdentifierTaken => return Ok(None),
    }
    "Your email was verified. You can continue using the application."
        .clone_into(&mut event.description);
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    work.add_events(std::slice::from_ref(&event)).await?;
    let email = user.user.email.clone();
    if let Some(email) = email.as_deref().filter(|_| !was_verified) {
        let mail = AccountMail::welcome(cx, &user.user.user_id, &Identifier::of(email));
        mail.put_down(work, cx).await?;
    }
    Ok(Some((ticket, email)))
}
