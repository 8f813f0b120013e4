//! The page behind the link to a new password: it shows the rules and a form, and sets what is chosen.
//!
//! The password is judged and hashed first; the ticket is taken in the unit that writes it, so of many who use one link
//! at once one succeeds, and a password that is refused leaves the link good. Whose password it is stands with the ticket
//! alone; a link that was mailed is good while its user has the address it was mailed to (peers.md rows 3, 12, 17).
//! An administrator's `blocked: true` stays.

use askama::Template;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use credentials::{ClientStanding, Unfit};
use guard::Source;
use http::{HeaderMap, StatusCode, Uri, header};
use model::{Connection, EventType, Identifier, TicketKind, UserRecord};
use protocol::NewPasswordForm;
use storage::{StoreError, TicketRecord, Work, Written};

use super::ending::{self, Ending};
use super::page::{answer_for, name_of};
use super::{holder, ticket};
use crate::account_mails::AccountMail;
use crate::breach::{About, Stage};
use crate::event_log::{bounded, error_detail, stamp};
use crate::passwords::{self, Accepted, Proposal, Refused, Rules, person_of};
use crate::protection::share;
use crate::request::{RequestContext, only_one};

const KIND: TicketKind = TicketKind::PasswordReset;

/// The form.
#[derive(Template)]
#[template(path = "reset-password.html")]
struct Page<'a> {
    tenant: &'a str,
    title: &'a str,
    email: &'a str,
    rules: Vec<Rule>,
    problem: Option<String>,
    ticket: &'a str,
    action: &'static str,
}

/// A rule with its parts, in words.
struct Rule {
    text: String,
    items: Vec<String>,
}

/// A good ticket with whom it is for.
struct Holder {
    ticket: TicketRecord,
    user: UserRecord,
    connection: Connection,
}

/// `GET`: shows the form, and does nothing.
pub(crate) async fn show(cx: RequestContext, uri: Uri) -> Response {
    let ticket = ticket::in_query(&uri);
    match holder(&cx, &ticket).await {
        Ok(holder) => form(&cx, StatusCode::OK, &holder, &ticket, None),
        Err(ending) => ending.page(&cx),
    }
}

/// `POST`: sets the password.
pub(crate) async fn change(
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
    let ticket = sent.ticket.expose();
    let holder = match holder(&cx, ticket).await {
        Ok(holder) => holder,
        Err(ending) => return ending.page(&cx),
    };
    let again = |status, problem: String| form(&cx, status, &holder, ticket, Some(problem));
    let Some(password) = &sent.password else {
        return again(
            StatusCode::BAD_REQUEST,
            "Please type a new password.".to_owned(),
        );
    };
    if sent.confirmation.as_ref() != Some(password) {
        let problem = "The two passwords differ. Please type the same one twice.";
        return again(StatusCode::BAD_REQUEST, problem.to_owned());
    }
    let source = Source::new(cx.address());
    let proposal = Proposal {
        connection: &holder.connection,
        password: password.expose(),
        person: person_of(&holder.user.user),
        before: Some(&holder.user),
        share: share(&cx.app, &source, "reset-password", ClientStanding::Public),
    };
    let about = || About {
        source: &source,
        user: Some(&holder.user.user.user_id),
        event: *holder::event(
            &cx,
            EventType::BreachedPasswordAtChange,
            &holder.user,
            &holder.connection.name,
        ),
    };
    let accepted = match passwords::accept_chosen(&cx, proposal, Stage::Change, about).await {
        Ok(accepted) => accepted,
        Err(refused) => {
            return match refuse(&cx, &holder, &refused).await {
                Ok((status, problem)) => again(status, problem),
                Err(ending) => ending.page(&cx),
            };
        }
    };
    match write(&cx, ticket, accepted, holder.connection.name.clone()).await {
        Ok(ending) | Err(ending) => ending.page(&cx),
    }
}

/// Whom a ticket is for; it stays good.
async fn holder(cx: &RequestContext, ticket: &str) -> Result<Holder, Ending> {
    let (ticket, user) = holder::look(cx, KIND, ticket).await?;
    let connection = cx.store.find_connection(&user.connection_id).await;
    let connection = connection.map_err(ending::unavailable)?;
    Ok(Holder {
        connection: connection.ok_or(Ending::Unknown)?.connection,
        user,
        ticket,
    })
}

/// Writes the event of a refused password, and says what the form shows. What cost hashes counts like a wrong ticket.
async fn refuse(
    cx: &RequestContext,
    holder: &Holder,
    refused: &Refused,
) -> Result<(StatusCode, String), Ending> {
    let problem = match refused {
        Refused::NotAPassword(why) => format!("This cannot be a password: {why}."),
        Refused::Unfit(Unfit::Weak(_)) => {
            "This password is too weak. Please keep to the rules below.".to_owned()
        }
        Refused::Unfit(Unfit::InDictionary) => {
            "This password is too common. Please choose one that others do not use.".to_owned()
        }
        Refused::Unfit(Unfit::Personal) => {
            "This password holds a part of your name or address. Please choose another one."
                .to_owned()
        }
        Refused::Reused => {
            "You have used this password before. Please choose a new one.".to_owned()
        }
        Refused::Leaked => {
            "This password is in a list of passwords that were stolen from another site. Please choose one that you use nowhere else."
                .to_owned()
        }
        Refused::Busy { .. } => return Err(Ending::Unavailable),
        Refused::Store(error) => return Err(ending::unavailable(error.clone())),
    };
    let mut event = holder::event(
        cx,
        EventType::PasswordChangeFailed,
        &holder.user,
        &holder.connection.name,
    );
    event.description = bounded(&problem);
    error_detail(&mut event, &problem);
    let was_work = matches!(refused, Refused::Reused | Refused::Leaked);
    let counted = ticket::count_refused(cx, KIND, *event, was_work).await;
    counted.map_err(ending::unavailable)?;
    Ok((StatusCode::BAD_REQUEST, problem))
}

/// Takes the ticket and writes the password, in one unit.
async fn write(
    cx: &RequestContext,
    ticket: &str,
    accepted: Accepted,
    connection: String,
) -> Result<Ending, Ending> {
    let unit_cx = cx.clone();
    let taken = ticket::take(
        cx,
        KIND,
        ticket,
        async move |work: &mut Work, ticket: TicketRecord| {
            set(work, &unit_cx, &ticket, &accepted, &connection).await
        },
    )
    .await;
    // Also after an error: a commit whose answer was lost may hold.
    cx.app.protection.forget();
    let (ticket, email) = ending::held(taken)?;
    let text = "You can now sign in with your new password.";
    Ok(Ending::done(
        "Your password was changed",
        text,
        &ticket,
        email,
    ))
}

async fn set(
    work: &mut Work,
    cx: &RequestContext,
    ticket: &TicketRecord,
    accepted: &Accepted,
    connection: &str,
) -> Result<Option<(TicketRecord, Option<String>)>, StoreError> {
    let Some(mut user) = holder::of_taken(work, ticket).await? else {
        return Ok(None);
    };
    let id = user.user.user_id.clone();
    if ticket.document.get("mark_email_as_verified") == Some(&true.into()) {
        user.user.email_verified = true;
    }
    let mut event = *holder::event(cx, EventType::PasswordChanged, &user, connection);
    let email = user.user.email.clone();
    match accepted.write(work, cx, user).await? {
        Written::Done => {}
        // He has another password since, and with it this link ended.
        Written::Moved | Written::Missing | Written::IdentifierTaken => return Ok(None),
    }
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    work.add_events(std::slice::from_ref(&event)).await?;
    if let Some(email) = &email {
        let mail = AccountMail::password_changed(cx, &id, &Identifier::of(email));
        mail.put_down(work, cx).await?;
    }
    Ok(Some((ticket.clone(), email)))
}

fn form(
    cx: &RequestContext,
    status: StatusCode,
    holder: &Holder,
    ticket: &str,
    problem: Option<String>,
) -> Response {
    let rules = Rules::of(&holder.connection.options);
    let rule = |rule: credentials::RuleOutcome| Rule {
        text: rule.text(),
        items: rule.items.iter().map(|item| item.text()).collect(),
    };
    let page = Page {
        tenant: name_of(cx.tenant()),
        title: "Choose a new password",
        email: holder.user.user.email.as_deref().unwrap_or_default(),
        rules: rules.policy.rules().into_iter().map(rule).collect(),
        problem,
        ticket,
        action: KIND.path(),
    };
    answer_for(status, &page, ending::result_url(&holder.ticket))
}
