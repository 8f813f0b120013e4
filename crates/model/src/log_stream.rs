//! A log stream: where a tenant's events are sent as they happen, and which of them (`log-streams` of the Management API).
//!
//! The one kind that is built is `http`. What the receiver is told as a secret is not part of it. What may stand in it is
//! judged where it comes in; how far it has come is kept beside it.

use serde::{Deserialize, Serialize};

use crate::{EventCategory, LogStreamId};

/// A stream to an HTTP receiver, without its authorization and its custom headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    pub id: LogStreamId,
    pub status: LogStreamStatus,
    pub settings: LogStreamSettings,
}

/// What administrators choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStreamSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub endpoint: String,
    pub content_format: ContentFormat,
    pub content_type: String,
    /// Events of these categories alone; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<EventCategory>,
    /// Whether it waits for no stream that is not.
    #[serde(default)]
    pub is_priority: bool,
}

impl LogStreamSettings {
    /// Whether events of this category are sent.
    pub fn wants(&self, category: EventCategory) -> bool {
        self.filters.is_empty() || self.filters.contains(&category)
    }
}

/// How the events of one request are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentFormat {
    /// One event a line.
    #[serde(rename = "JSONLINES")]
    Lines,
    #[serde(rename = "JSONARRAY")]
    Array,
    /// One event a request.
    #[serde(rename = "JSONOBJECT")]
    Object,
}

/// Whether a stream sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStreamStatus {
    Active,
    /// An administrator stopped it.
    Paused,
    /// Its receiver failed for too long.
    Suspended,
}

impl LogStreamStatus {
    /// The word of the wire and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
        }
    }

    /// The status with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Suspended]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}
