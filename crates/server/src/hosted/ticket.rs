//! Looking at a one-time ticket and taking it, within the pool of its kind and of the source that holds it out.
//!
//! A wrong ticket is counted in the unit that looked, before anybody is told; a source whose pool is full learns nothing,
//! of right tickets either. Which page follows is the page's own matter.

use guard::{Outcome, Source};
use http::Uri;
use jiff::Timestamp;
use keys::SecretDigest;
use model::{LogEvent, TicketKind};
use storage::{StoreError, TicketRecord, Work};

use crate::event_log::stamp;
use crate::protection::{Charge, Meters, full_pool};
use crate::request::RequestContext;

/// What became of a ticket that was held out.
#[derive(Debug)]
pub(crate) enum Held<T> {
    /// It is good; with what taking it came to.
    Good(T),
    /// There is no such ticket any more, or there never was.
    Unknown,
    /// This source held out too many wrong ones; nothing was looked at.
    TooMany { until: Timestamp },
}

/// The ticket that a link names; empty, and so never good, where there is not exactly one or it is too long to be one.
pub(crate) fn in_query(uri: &Uri) -> String {
    const LONGEST: usize = 128;
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut named = form_urlencoded::parse(query).filter(|(name, _)| name == "ticket");
    match (named.next(), named.next()) {
        (Some((_, ticket)), None) if ticket.len() <= LONGEST => ticket.into_owned(),
        _ => String::new(),
    }
}

/// Looks at a ticket; it stays good.
pub(crate) async fn look(
    cx: &RequestContext,
    kind: TicketKind,
    ticket: &str,
) -> Result<Held<TicketRecord>, StoreError> {
    let digest = SecretDigest::of(ticket).to_bytes();
    let now = cx.now;
    held_out(cx, kind, async move |work: &mut Work| {
        work.find_ticket(kind, &digest, now).await
    })
    .await
}

/// Takes a ticket and runs what it is good for, in one unit; where that answers none, the ticket counts as unknown.
pub(crate) async fn take<T, F>(
    cx: &RequestContext,
    kind: TicketKind,
    ticket: &str,
    unit: F,
) -> Result<Held<T>, StoreError>
where
    T: Send + 'static,
    F: AsyncFn(&mut Work, TicketRecord) -> Result<Option<T>, StoreError> + Send + Sync + 'static,
{
    let digest = SecretDigest::of(ticket).to_bytes();
    let now = cx.now;
    held_out(cx, kind, async move |work: &mut Work| {
        match work.take_ticket(kind, &digest, now).await? {
            Some(taken) => unit(work, taken).await,
            None => Ok(None),
        }
    })
    .await
}

/// Writes the event of a good ticket whose use was refused; what cost work counts like a wrong ticket, so that nobody
/// makes the server work for a link he keeps.
pub(crate) async fn count_refused(
    cx: &RequestContext,
    kind: TicketKind,
    mut event: LogEvent,
    was_work: bool,
) -> Result<(), StoreError> {
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    held_out(cx, kind, async move |work: &mut Work| {
        work.add_events(std::slice::from_ref(&event)).await?;
        Ok((!was_work).then_some(()))
    })
    .await
    .map(drop)
}

async fn held_out<T, F>(
    cx: &RequestContext,
    kind: TicketKind,
    unit: F,
) -> Result<Held<T>, StoreError>
where
    T: Send + 'static,
    F: AsyncFn(&mut Work) -> Result<Option<T>, StoreError> + Send + Sync + 'static,
{
    let source = Source::new(cx.address());
    let plan = cx.facts.policy.ticket_plan(kind.as_str(), &source);
    let meters = Meters::of_pool(plan, &cx.app.secrets.meters, &cx.tenant().id);
    let now = cx.now;
    let within = cx.clone();
    cx.store
        .write(async move |work: &mut Work| {
            let reservation = match meters.charge(work, now).await? {
                Charge::Permit(reservation) => reservation,
                Charge::Refuse {
                    until, notice_due, ..
                } => {
                    if let Some(explained) = notice_due {
                        let event = full_pool::of_tickets(&within, kind, &explained);
                        work.add_events(&[event]).await?;
                    }
                    return Ok(Held::TooMany { until });
                }
                // Nobody is in flight between the units of this pool: each settles what it charged.
                Charge::Wait => return Ok(Held::TooMany { until: now }),
            };
            let found = unit(work).await?;
            let outcome = match found {
                Some(_) => Outcome::Undone,
                None => Outcome::Wrong,
            };
            // The charge is of this very unit, so it cannot have run out.
            let _ = meters.settle(work, &reservation, outcome, now).await?;
            Ok(found.map_or(Held::Unknown, Held::Good))
        })
        .await
}
