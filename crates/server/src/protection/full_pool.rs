//! The events of pools that are full: what is no longer given, to whom, and the record of why, once an hour.
//!
//! Of client secrets that is `client_secrets`, of breached passwords the event of the login itself, of sign-ups `limit_mu`.

use guard::{Explained, MeterKind, Reason};
use model::{EventType, LogEvent, TicketKind};

use super::decision::{SourceFound, record};
use crate::event_log::{bounded, draft, stamp};
use crate::request::RequestContext;

/// Links of this kind are looked at no more for the caller's address.
pub(crate) fn of_tickets(
    cx: &RequestContext,
    kind: TicketKind,
    explained: &[Explained],
) -> LogEvent {
    let address = cx.address();
    let text = format!(
        "Too many links to {} that are not good came from {address}. Links from there are refused until the count drains, \
         good ones too. DELETE /api/v2/anomaly/blocks/ips/{address} ends it at once.",
        kind.path()
    );
    warning(cx, &text, explained)
}

/// Mails of this purpose to an address are put down no more; none where only the hour's mail about one source is spent,
/// which is as it should be.
pub(crate) fn of_mailbox(
    cx: &RequestContext,
    purpose: &str,
    whose: &str,
    explained: &[Explained],
) -> Option<LogEvent> {
    let is_full = |meter: &Explained| meter.name.kind == MeterKind::MailTo && meter.refuses();
    if !explained.iter().any(is_full) {
        return None;
    }
    let text = format!(
        "So many mails were caused ({purpose}) that {whose} gets no more of them but one an hour, until the count drains. \
         Who asks for them is not told."
    );
    let mut event = warning(cx, &text, explained);
    event.user_name = Some(bounded(whose));
    Some(event)
}

fn warning(cx: &RequestContext, text: &str, explained: &[Explained]) -> LogEvent {
    let mut event = draft(cx, EventType::Warning);
    event.description = bounded(text);
    record(
        &mut event,
        Reason::Pool,
        explained,
        &SourceFound::own(cx.address()),
    );
    stamp(
        std::slice::from_mut(&mut event),
        cx.now_again(),
        &*cx.app.entropy,
    );
    event
}
