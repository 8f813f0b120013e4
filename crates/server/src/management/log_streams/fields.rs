//! What a body may say of a log stream, and what comes of it.

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use model::{ContentFormat, EventCategory, LogStreamSettings, LogStreamStatus};
use reqwest::Url;
use serde_json::{Map, Value};

use super::super::body::Body;
use super::super::schema::{Field, Kind, field, judge, require};
use crate::answer::management::Problem;
use crate::log_streams::Secrets;
use crate::outgoing::{OutgoingSettings, address};

/// The one type that is built.
pub(super) const HTTP: &str = "http";

const MOST_HEADERS: usize = 20;

const FIELDS: &[Field] = &[
    field("name", Kind::Text(255)),
    field("type", Kind::OneOf(&[HTTP])),
    field("status", Kind::OneOf(&["active", "paused", "suspended"])),
    field("isPriority", Kind::Bool),
    field("startFrom", Kind::Text(64)),
    field(
        "filters",
        Kind::Objects(&[
            field("type", Kind::OneOf(&["category"])),
            field("name", Kind::OneOf(EventCategory::NAMES)),
        ]),
    ),
    field("pii_config", Kind::Inert(&[])),
    field(
        "sink",
        Kind::Object(&[
            field("httpEndpoint", Kind::Text(2_048)),
            field(
                "httpContentFormat",
                Kind::OneOf(&["JSONLINES", "JSONARRAY", "JSONOBJECT"]),
            ),
            field("httpContentType", Kind::Text(255)),
            field("httpAuthorization", Kind::NullableText(4_096)),
            field(
                "httpCustomHeaders",
                Kind::Objects(&[
                    field("header", Kind::Text(128)),
                    field("value", Kind::Text(4_096)),
                ]),
            ),
        ]),
    ),
];

/// Headers that say how a request is carried, or that have a member of their own.
const NOT_CUSTOM: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-portcullis-batch",
    "x-portcullis-log-stream",
];

/// What was sent.
pub(super) struct Sent {
    pub(super) members: Map<String, Value>,
}

/// Judges a body. The type comes first: it decides what the sink means.
pub(super) fn read(body: Body) -> Result<Sent, Problem> {
    let members = body.unjudged()?;
    let other = members.get("type").and_then(Value::as_str);
    if other.is_some_and(|other| other != HTTP) {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Value is not supported' on property type (this server streams to HTTP receivers alone; send http)."
                .to_owned(),
        ));
    }
    judge(FIELDS, &members)?;
    Ok(Sent { members })
}

impl Sent {
    /// From when on events are sent, where that was said.
    pub(super) fn start_from(&self) -> Result<Option<Timestamp>, Problem> {
        let text = self.members.get("startFrom").and_then(Value::as_str);
        let parsed = text.map(str::parse::<Timestamp>).transpose();
        parsed.map_err(|_| {
            Problem::InvalidBody(
                "Payload validation error: 'The value is no time' on property startFrom (send one like 2026-01-31T12:00:00.000Z)."
                    .to_owned(),
            )
        })
    }

    /// The status that is asked for. Only the server suspends; what is suspended may be left so.
    pub(super) fn status(&self, before: LogStreamStatus) -> Result<LogStreamStatus, Problem> {
        let word = self.members.get("status").and_then(Value::as_str);
        match word.and_then(LogStreamStatus::from_word) {
            None => Ok(before),
            Some(LogStreamStatus::Suspended) if before != LogStreamStatus::Suspended => {
                Err(Problem::InvalidBody(
                    "Payload validation error: 'Value is not supported' on property status (the server suspends a log stream itself; send paused to stop it)."
                        .to_owned(),
                ))
            }
            Some(status) => Ok(status),
        }
    }

    /// What the stream becomes; members that were not sent stay as they are.
    pub(super) fn onto(
        &self,
        outgoing: &OutgoingSettings,
        before: Option<(&LogStreamSettings, &Secrets)>,
    ) -> Result<(LogStreamSettings, Secrets), Problem> {
        let (mut settings, mut secrets) = match before {
            Some((settings, secrets)) => (settings.clone(), secrets.clone()),
            None => (fresh(), Secrets::default()),
        };
        if let Some(name) = self.members.get("name").and_then(Value::as_str) {
            settings.name = Some(name.to_owned());
        }
        if let Some(is_priority) = self.members.get("isPriority").and_then(Value::as_bool) {
            settings.is_priority = is_priority;
        }
        if let Some(filters) = self.members.get("filters").and_then(Value::as_array) {
            settings.filters = categories(filters)?;
        }
        if let Some(sink) = self.members.get("sink").and_then(Value::as_object) {
            require_in_sink(sink)?;
            merge(sink, &mut settings, &mut secrets)?;
            let url = address(outgoing, &settings.endpoint)
                .map_err(|error| refused("httpEndpoint", &error.to_string()))?;
            if let Some((old, kept)) = before {
                ask_again(sink, &url, &old.endpoint, kept)?;
            }
        }
        Ok((settings, secrets))
    }
}

fn fresh() -> LogStreamSettings {
    LogStreamSettings {
        name: None,
        endpoint: String::new(),
        content_format: ContentFormat::Lines,
        content_type: "application/json".to_owned(),
        filters: Vec::new(),
        is_priority: false,
    }
}

fn require_in_sink(sink: &Map<String, Value>) -> Result<(), Problem> {
    require(sink, &["httpEndpoint"]).map_err(|_| {
        refused(
            "httpEndpoint",
            "is missing; send the address of the receiver",
        )
    })
}

/// Each category once.
fn categories(filters: &[Value]) -> Result<Vec<EventCategory>, Problem> {
    let mut categories = Vec::new();
    for filter in filters {
        let name = filter["name"].as_str().and_then(EventCategory::from_name);
        let (Some(category), true) = (name, filter["type"] == "category") else {
            return Err(Problem::InvalidBody(
                "Payload validation error: 'A filter is incomplete' on property filters (send {\"type\": \"category\", \"name\": …} each)."
                    .to_owned(),
            ));
        };
        if !categories.contains(&category) {
            categories.push(category);
        }
    }
    Ok(categories)
}

fn merge(
    sink: &Map<String, Value>,
    settings: &mut LogStreamSettings,
    secrets: &mut Secrets,
) -> Result<(), Problem> {
    for (name, value) in sink {
        let text = || value.as_str().unwrap_or_default().to_owned();
        match name.as_str() {
            "httpEndpoint" => settings.endpoint = text(),
            "httpContentFormat" => {
                settings.content_format = serde_json::from_value(value.clone())
                    .map_err(|error| refused("httpContentFormat", &error.to_string()))?;
            }
            "httpContentType" => settings.content_type = header_value(name, text())?,
            "httpAuthorization" => {
                let text = text();
                // What the deploy CLI writes into an export: as a secret it would only fail at night.
                let is_placeholder = text == "_VALUE_NOT_SHOWN_"
                    || text.len() > 4 && text.starts_with("##") && text.ends_with("##");
                if is_placeholder {
                    return Err(refused(
                        name,
                        "is a placeholder that was not replaced; put the real one into AUTH0_KEYWORD_REPLACE_MAPPINGS, or leave it out to keep it",
                    ));
                }
                let authorization = (!text.is_empty()).then(|| header_value(name, text));
                secrets.authorization = authorization.transpose()?;
            }
            _ => secrets.headers = custom_headers(value.as_array().map_or(&[], Vec::as_slice))?,
        }
    }
    Ok(())
}

fn custom_headers(sent: &[Value]) -> Result<Vec<(String, String)>, Problem> {
    const PLACE: &str = "httpCustomHeaders";
    if sent.len() > MOST_HEADERS {
        return Err(refused(
            PLACE,
            &format!("has more than {MOST_HEADERS} headers; send fewer"),
        ));
    }
    let mut headers = Vec::new();
    for header in sent {
        let (Some(name), Some(value)) = (header["header"].as_str(), header["value"].as_str())
        else {
            return Err(refused(
                PLACE,
                "is incomplete; send a header and a value each",
            ));
        };
        let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(refused(
                PLACE,
                "names a header that cannot be sent; use letters, digits and hyphens",
            ));
        };
        if NOT_CUSTOM.contains(&known.as_str()) {
            return Err(refused(
                PLACE,
                &format!(
                    "names {known}, which is not a custom header; leave it out, or use its own member"
                ),
            ));
        }
        headers.push((name.to_owned(), header_value(PLACE, value.to_owned())?));
    }
    Ok(headers)
}

fn header_value(place: &str, text: String) -> Result<String, Problem> {
    let fits = HeaderValue::from_str(&text).is_ok_and(|value| value.to_str().is_ok());
    match fits && !text.is_empty() {
        true => Ok(text),
        false => Err(refused(
            place,
            "cannot be sent in a header; send visible ASCII characters",
        )),
    }
}

/// Secrets that are kept stay with the origin they were given for.
fn ask_again(
    sink: &Map<String, Value>,
    url: &Url,
    before: &str,
    kept: &Secrets,
) -> Result<(), Problem> {
    let moved = Url::parse(before).map_or(true, |before| before.origin() != url.origin());
    let keeps = [
        ("httpAuthorization", kept.authorization.is_some()),
        ("httpCustomHeaders", !kept.headers.is_empty()),
    ];
    for (name, is_kept) in keeps {
        if moved && is_kept && !sink.contains_key(name) {
            return Err(refused(
                name,
                "is missing; the kept one is for the receiver it was given for, so send it again with another httpEndpoint",
            ));
        }
    }
    Ok(())
}

fn refused(place: &str, complaint: &str) -> Problem {
    Problem::InvalidBody(format!(
        "Payload validation error: 'The value {complaint}' on property sink.{place}."
    ))
}
