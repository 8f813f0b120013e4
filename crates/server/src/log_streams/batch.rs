//! What one request carries: events in the stream's form, bounded by count and by bytes, under an id that is the same
//! whenever the same events are sent again.
//!
//! Wire: auth0-wire-facts §6.1, `{"log_id", "data"}`; the record's own members are those of `GET /logs`, but for
//! `is_mobile`, `tenant_name` and `$event_schema`.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use model::{ContentFormat, LogEvent, LogId, LogStream};
use serde_json::{Value, json};

use crate::management::logs::wire;

/// A body is not longer, unless one event alone is.
const MOST_BYTES: usize = 1 << 20;
/// Nor are there more events in it.
pub(super) const MOST_EVENTS: u32 = 200;

/// One request's worth of events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) id: String,
    /// The last of its events.
    pub(super) last: LogId,
    pub(super) events: u32,
    pub(super) body: Bytes,
}

/// Those of the events that the stream wants, in order, as requests.
pub(super) fn cut(stream: &LogStream, tenant_name: &str, events: &[LogEvent]) -> Vec<Batch> {
    let wanted = events
        .iter()
        .filter(|event| stream.settings.wants(event.event_type.category()));
    let mut batches = Vec::new();
    let mut open = Open::new(stream);
    for event in wanted {
        let text = in_stream(event, tenant_name).to_string();
        if !open.has_room(text.len()) {
            batches.extend(open.close());
            open = Open::new(stream);
        }
        open.push(event.log_id.clone(), &text);
    }
    batches.extend(open.close());
    batches
}

/// A batch that is being filled.
struct Open {
    format: ContentFormat,
    named: Context,
    last: Option<LogId>,
    events: u32,
    body: String,
}

impl Open {
    fn new(stream: &LogStream) -> Self {
        let mut named = Context::new(&SHA256);
        named.update(stream.id.as_str().as_bytes());
        Self {
            format: stream.settings.content_format,
            named,
            last: None,
            events: 0,
            body: String::new(),
        }
    }

    fn has_room(&self, more: usize) -> bool {
        let most = match self.format {
            ContentFormat::Object => 1,
            ContentFormat::Lines | ContentFormat::Array => MOST_EVENTS,
        };
        self.events == 0 || (self.events < most && self.body.len() + more < MOST_BYTES)
    }

    fn push(&mut self, id: LogId, text: &str) {
        self.named.update(b"\n");
        self.named.update(id.as_str().as_bytes());
        let before = match (self.format, self.events) {
            (ContentFormat::Array, 0) => "[",
            (ContentFormat::Array, _) => ",",
            (ContentFormat::Lines | ContentFormat::Object, _) => "",
        };
        self.body.push_str(before);
        self.body.push_str(text);
        if self.format == ContentFormat::Lines {
            self.body.push('\n');
        }
        self.events += 1;
        self.last = Some(id);
    }

    fn close(mut self) -> Option<Batch> {
        let last = self.last?;
        if self.format == ContentFormat::Array {
            self.body.push(']');
        }
        let digest = self.named.finish();
        let id = digest.as_ref().iter().take(16);
        Some(Batch {
            id: id.map(|byte| format!("{byte:02x}")).collect(),
            last,
            events: self.events,
            body: Bytes::from(self.body),
        })
    }
}

fn in_stream(event: &LogEvent, tenant_name: &str) -> Value {
    let mut data = wire(event);
    if let Some(members) = data.as_object_mut() {
        members.remove("_id");
        if let Some(is_mobile) = members.remove("isMobile") {
            members.insert("is_mobile".to_owned(), is_mobile);
        }
        members.insert("tenant_name".to_owned(), json!(tenant_name));
        members.insert("$event_schema".to_owned(), json!({ "version": "1.0.0" }));
    }
    json!({ "log_id": event.log_id, "data": data })
}

#[cfg(test)]
mod tests;
