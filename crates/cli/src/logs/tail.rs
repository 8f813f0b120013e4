//! `portcullis logs tail`: events on standard output as they are written, until it is stopped.
//!
//! What was written a moment ago is shown at once. An event may be committed after a younger one, so the last
//! seconds are looked at again each time; such an event is shown late, but shown, and each is shown once.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use model::{EventType, Identifier, LogEvent, LogId};
use server::{Clock, SystemClock};
use storage::TenantStore;

use super::text::{json_line, plain_line};
use super::{Whose, moment};
use crate::{Failure, serve};

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    whose: Whose,
    /// Begin with events of this time, such as 2026-01-31T12:00:00Z or 2026-01-31 [default: now].
    #[arg(long, value_parser = moment)]
    from: Option<Timestamp>,
    /// Only events of this type, such as fp or limit_wc; may be given several times.
    #[arg(long = "type", value_name = "CODE", value_parser = event_type)]
    types: Vec<EventType>,
    /// Only events of this user: a user id, or an identifier in any spelling.
    #[arg(long)]
    user: Option<String>,
    /// One JSON object a line, as the Management API has it.
    #[arg(long)]
    json: bool,
}

const EVERY: Duration = Duration::from_millis(500);
const PAGE: u32 = 1_000;
/// So far back an event may still be committed.
const LATE: SignedDuration = SignedDuration::from_secs(20);
/// Clocks of nodes differ.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// Shows events until a signal, or until nobody reads them any more.
pub(super) async fn run(options: &Tail) -> Result<(), Failure> {
    let (store, tenant) = options.whose.open().await?;
    let rows = store.tenant(&tenant.id);
    let mut shown = Shown {
        after: LogId::first_of(options.from.unwrap_or_else(|| SystemClock.now())),
        young: BTreeSet::new(),
    };
    tokio::select! {
        () = serve::stop_signal() => Ok(()),
        ended = follow(&rows, options, &mut shown) => ended,
    }
}

async fn follow(rows: &TenantStore, options: &Tail, shown: &mut Shown) -> Result<(), Failure> {
    loop {
        let now = SystemClock.now();
        let settled = LogId::first_of(now.checked_sub(LATE)?);
        let until = LogId::first_of(now.checked_add(AHEAD)?);
        let mut cursor = shown.after.clone();
        loop {
            // Ids first, since most of what is looked at again has been shown.
            let ids = rows.list_log_ids(&cursor, &until, PAGE).await?;
            if let Some(place) = ids.iter().position(|id| !shown.has(id)) {
                let after = place.checked_sub(1).map_or(&cursor, |before| &ids[before]);
                let last = ids.last().unwrap_or(&until);
                for event in rows.list_events_between(after, last, PAGE).await? {
                    let is_new = shown.is_new(&event.log_id, &settled);
                    if is_new && options.wants(&event) && !show(&event, options.json)? {
                        return Ok(());
                    }
                }
            }
            match ids.last() {
                Some(last) if ids.len() == PAGE as usize => cursor = last.clone(),
                _ => break,
            }
        }
        shown.settle(settled);
        tokio::time::sleep(EVERY).await;
    }
}

/// Prints an event; false if nobody reads any more.
fn show(event: &LogEvent, as_json: bool) -> Result<bool, Failure> {
    let line = match as_json {
        true => json_line(event),
        false => plain_line(event),
    };
    let mut out = io::stdout().lock();
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}

/// What has been shown: everything up to an event, and some that are younger.
struct Shown {
    after: LogId,
    young: BTreeSet<LogId>,
}

impl Shown {
    /// Whether an event was not shown yet; it counts as shown from now on.
    fn is_new(&mut self, id: &LogId, settled: &LogId) -> bool {
        if id > settled {
            return self.young.insert(id.clone());
        }
        let is_new = *id > self.after && !self.young.contains(id);
        if is_new && self.young.is_empty() {
            self.after = id.clone();
        }
        is_new
    }

    fn has(&self, id: &LogId) -> bool {
        *id <= self.after || self.young.contains(id)
    }

    /// Nothing comes late any more up to this event.
    fn settle(&mut self, settled: LogId) {
        if settled > self.after {
            self.young = self.young.split_off(&settled);
            self.after = settled;
        }
    }
}

impl Tail {
    fn wants(&self, event: &LogEvent) -> bool {
        let is_type = self.types.is_empty() || self.types.contains(&event.event_type);
        is_type
            && self
                .user
                .as_deref()
                .is_none_or(|user| is_about(event, user))
    }
}

fn is_about(event: &LogEvent, user: &str) -> bool {
    let id = event.user_id.as_ref().map(|id| id.as_str());
    let name = event.user_name.as_deref().map(Identifier::of);
    id == Some(user) || name == Some(Identifier::of(user))
}

fn event_type(code: &str) -> Result<EventType, String> {
    EventType::from_code(code).ok_or_else(|| {
        let known: Vec<&str> = EventType::ALL.iter().map(|known| known.code()).collect();
        format!("there are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::event;
    use super::*;

    fn id(number: u32) -> LogId {
        LogId::new(number.to_string())
    }

    #[test]
    fn each_event_is_shown_once_and_late_ones_are_shown_too() {
        let mut shown = Shown {
            after: id(100),
            young: BTreeSet::new(),
        };
        let mut look = |ids: &[u32], settled: u32| -> Vec<u32> {
            let new = ids
                .iter()
                .filter(|number| shown.is_new(&id(**number), &id(settled)));
            let new = new.copied().collect();
            shown.settle(id(settled));
            new
        };
        assert_eq!(look(&[110, 150, 160], 140), [110, 150, 160]);
        assert_eq!(look(&[150, 155, 160], 140), [155], "committed after 160");
        assert_eq!(look(&[150, 155, 160, 170], 158), [170]);
        assert_eq!(look(&[160, 165, 170], 200), [165]);
        assert!(look(&[], 200).is_empty());
        assert!(shown.young.is_empty());
    }

    #[test]
    fn users_are_meant_by_id_or_by_any_spelling_of_their_identifier() {
        let mut event = event("1", "");
        assert!(is_about(&event, " ANA@example.com"));
        assert!(!is_about(&event, "ben@example.com"));
        event.user_id = Some(model::UserId::new("auth0|1"));
        assert!(is_about(&event, "auth0|1"));
    }
}
