//! The page behind the link of the mail about a block: it shows who was tried, from where and when; its button lifts that
//! block and takes the ticket, in one unit.
//!
//! Wire: auth0-wire-facts §7.3. There the page sends its own form; here only a person does, since scanners run scripts too.
//! The legacy path `/lo/unblock` shows the same page and never lifts anything itself. A click goes on to where the mail's
//! template says (`resultUrl`, §7.2).

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, StatusCode, Uri, header};
use jiff::Timestamp;
use model::{EventType, TicketKind, UserId};
use serde_json::json;
use storage::{StoreError, TicketRecord, Work};

use super::ending::{Ending, result_url};
use super::page::{Message, answer, answer_for, name_of};
use super::ticket::{self, Held};
use crate::event_log::{address_text, database_strategy, draft, stamp};
use crate::protection::lifecycle;
use crate::protection::unblock_link::UnblockLink;
use crate::request::RequestContext;

/// The page with the button.
#[derive(Template)]
#[template(path = "unblock.html")]
struct Page<'a> {
    tenant: &'a str,
    title: &'a str,
    identifier: &'a str,
    address: String,
    at: String,
    everywhere: bool,
    action: String,
}

/// What following a link came to, and with which ticket and address of the user people go on.
struct Followed {
    lifted: bool,
    ticket: TicketRecord,
    email: Option<String>,
}

/// A good link that was looked at.
struct Looked {
    ticket: TicketRecord,
    link: UnblockLink,
    /// Whether what it is about still stands.
    stands: bool,
}

const LIFTED: (&str, &str) = (
    "You can try again",
    "The block is lifted. Go back to where you wanted to sign in, and try your password again.",
);
const OVER: (&str, &str) = (
    "Nothing is blocked any more",
    "The block that this link is about has ended. You can sign in as always.",
);

/// `GET`: shows what the link would do, and does nothing.
pub(crate) async fn show(cx: RequestContext, uri: Uri) -> Response {
    let ticket = ticket::in_query(&uri);
    match looked_at(&cx, &ticket).await {
        Ok(Held::Good(looked)) if looked.stands => page(&cx, &looked, &ticket),
        Ok(Held::Good(_)) => told(&cx, StatusCode::OK, OVER.0, &[OVER.1]),
        Ok(Held::Unknown) => no_longer_good(&cx),
        Ok(Held::TooMany { until }) => too_many(&cx, until),
        Err(error) => unavailable(&cx, &error),
    }
}

/// `POST`: lifts.
pub(crate) async fn lift(cx: RequestContext, uri: Uri) -> Response {
    let ticket = ticket::in_query(&uri);
    let unit_cx = cx.clone();
    let followed = ticket::take(
        &cx,
        TicketKind::Unblock,
        &ticket,
        async move |work: &mut Work, ticket: TicketRecord| follow(work, &unit_cx, ticket).await,
    )
    .await;
    // Also after an error: a commit whose answer was lost may hold.
    cx.app.protection.forget();
    match followed {
        Ok(Held::Good(followed)) => {
            let (title, text) = if followed.lifted { LIFTED } else { OVER };
            Ending::done(title, text, &followed.ticket, followed.email).page(&cx)
        }
        Ok(Held::Unknown) => no_longer_good(&cx),
        Ok(Held::TooMany { until }) => too_many(&cx, until),
        Err(error) => unavailable(&cx, &error),
    }
}

async fn looked_at(cx: &RequestContext, ticket: &str) -> Result<Held<Looked>, StoreError> {
    let ticket = match ticket::look(cx, TicketKind::Unblock, ticket).await? {
        Held::Good(ticket) => ticket,
        Held::Unknown => return Ok(Held::Unknown),
        Held::TooMany { until } => return Ok(Held::TooMany { until }),
    };
    let Some((link, user)) = whose(&ticket) else {
        return Ok(Held::Unknown);
    };
    let known = cx.store.find_user(&user).await?;
    if known.is_none_or(|known| known.connection_id != link.connection_id) {
        return Ok(Held::Unknown);
    }
    Ok(Held::Good(Looked {
        stands: link.stands(cx).await?,
        ticket,
        link,
    }))
}

/// Within the unit that took the ticket; none where its user is gone.
async fn follow(
    work: &mut Work,
    cx: &RequestContext,
    ticket: TicketRecord,
) -> Result<Option<Followed>, StoreError> {
    let Some((link, user)) = whose(&ticket) else {
        return Ok(None);
    };
    let known = work.find_user(&user).await?;
    let Some(known) = known.filter(|known| known.connection_id == link.connection_id) else {
        return Ok(None);
    };
    let followed = |lifted| Followed {
        lifted,
        ticket,
        email: known.user.email,
    };
    if !link.lift(work, cx, &user).await? {
        return Ok(Some(followed(false)));
    }
    let mut event = draft(cx, EventType::UserUnblocked);
    event.user_id = Some(user);
    event.user_name = Some(link.identifier.clone());
    event.connection = Some(link.connection.clone());
    event.connection_id = Some(link.connection_id.clone());
    database_strategy(&mut event);
    lifecycle::put(&mut event, "source", json!(address_text(link.address)));
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    work.add_events(std::slice::from_ref(&event)).await?;
    Ok(Some(followed(true)))
}

fn whose(ticket: &TicketRecord) -> Option<(UnblockLink, UserId)> {
    let link = UnblockLink::of_document(ticket.document.clone())?;
    let user = link.user_id.clone()?;
    Some((link, user))
}

fn page(cx: &RequestContext, looked: &Looked, ticket: &str) -> Response {
    let link = &looked.link;
    let page = Page {
        tenant: name_of(cx.tenant()),
        title: "Attempts to sign in were stopped",
        identifier: &link.identifier,
        address: link.address.to_string(),
        at: link.at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        everywhere: link.everywhere,
        action: format!("{}?ticket={ticket}", TicketKind::Unblock.path()),
    };
    answer_for(StatusCode::OK, &page, result_url(&looked.ticket))
}

fn no_longer_good(cx: &RequestContext) -> Response {
    told(
        cx,
        StatusCode::NOT_FOUND,
        "This link is no longer good",
        &[
            "It was used already, it is too old, or it is not complete. Nothing was changed.",
            "If you still cannot sign in, look for a newer mail, choose a new password, or ask those who run the site.",
        ],
    )
}

fn too_many(cx: &RequestContext, until: Timestamp) -> Response {
    let mut response = told(
        cx,
        StatusCode::TOO_MANY_REQUESTS,
        "Too many links",
        &[
            "Too many links that are not good were opened from your network. Wait a few minutes, and open yours again.",
        ],
    );
    let seconds = until.duration_since(cx.now).as_secs().clamp(1, 3_600);
    if let Ok(seconds) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn unavailable(cx: &RequestContext, error: &StoreError) -> Response {
    tracing::error!(%error, "a link was not looked at");
    told(
        cx,
        StatusCode::SERVICE_UNAVAILABLE,
        "Please try again",
        &["Something is wrong on our side. Wait a minute, and open the link of your mail again."],
    )
}

fn told(cx: &RequestContext, status: StatusCode, title: &str, paragraphs: &[&str]) -> Response {
    let message = Message {
        tenant: name_of(cx.tenant()),
        title,
        paragraphs,
    };
    answer(status, &message)
}
