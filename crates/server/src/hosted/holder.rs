//! Whose a ticket is: its user, while it still belongs to him, and the event of what he does with it.

use model::{EventType, Identifier, LogEvent, TicketKind, UserRecord};
use storage::{StoreError, TicketRecord, Work};

use super::ending::{self, Ending};
use super::ticket;
use crate::event_log::{bounded, database_strategy, draft};
use crate::request::RequestContext;

/// A good ticket and its user; it stays good.
pub(super) async fn look(
    cx: &RequestContext,
    kind: TicketKind,
    ticket: &str,
) -> Result<(TicketRecord, UserRecord), Ending> {
    let ticket = ending::held(ticket::look(cx, kind, ticket).await)?;
    let user = match &ticket.user_id {
        Some(id) => cx.store.find_user(id).await.map_err(ending::unavailable)?,
        None => None,
    };
    let user = user.filter(|user| is_for(&ticket, user));
    Ok((ticket, user.ok_or(Ending::Unknown)?))
}

/// The user of a ticket that was taken, in that unit.
pub(super) async fn of_taken(
    work: &mut Work,
    ticket: &TicketRecord,
) -> Result<Option<UserRecord>, StoreError> {
    let Some(id) = &ticket.user_id else {
        return Ok(None);
    };
    let user = work.find_user(id).await?;
    Ok(user.filter(|user| is_for(ticket, user)))
}

/// One that was mailed belongs to its user while he has the address.
fn is_for(ticket: &TicketRecord, user: &UserRecord) -> bool {
    let bound = ticket
        .document
        .get("email")
        .and_then(|email| email.as_str());
    let has = user.user.email.as_deref().map(Identifier::of);
    ticket.user_id.as_ref() == Some(&user.user.user_id)
        && bound.is_none_or(|bound| has.is_some_and(|has| has == Identifier::of(bound)))
}

/// An event about the user, without its text.
pub(super) fn event(
    cx: &RequestContext,
    event_type: EventType,
    user: &UserRecord,
    connection: &str,
) -> Box<LogEvent> {
    let mut event = draft(cx, event_type);
    event.user_id = Some(user.user.user_id.clone());
    event.user_name = user.user.email.as_deref().map(bounded);
    event.connection = Some(connection.to_owned());
    event.connection_id = Some(user.connection_id.clone());
    database_strategy(&mut event);
    Box::new(event)
}
