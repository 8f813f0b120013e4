//! Where a stream's events go: one HTTP receiver, called as the operator's rules for outgoing requests allow.
//!
//! A 2xx answer means that the receiver has the batch. Of any other, only the status and the wait it wishes for are
//! looked at: what else it says is shown to nobody, so that a stream reads nothing for whoever made it.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use storage::LogStreamRecord;

use super::batch::Batch;
use super::secrets::{Secrets, opened};
use crate::app::App;
use crate::outgoing;

/// From the connection to the head of the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// What is left of an answer is read for so long, that its connection may be used again.
const DRAINING: Duration = Duration::from_secs(1);
const MOST_DRAINED: usize = 64 * 1024;
const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));
/// The same whenever the same events are sent again.
const BATCH: HeaderName = HeaderName::from_static("x-portcullis-batch");
const STREAM: HeaderName = HeaderName::from_static("x-portcullis-log-stream");

/// A receiver that can be called.
pub(super) struct Sink {
    pub(super) version: i64,
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// Why a batch was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// How long the receiver wishes to be left alone.
    pub(super) wish: Option<Duration>,
}

impl Failure {
    fn of(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            wish: None,
        }
    }
}

impl Sink {
    /// The receiver as the record says. An endpoint that the operator no longer allows is a failure like any other.
    pub(super) fn open(
        app: &App,
        tenant: &str,
        record: &LogStreamRecord,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let settings = &record.stream.settings;
        let secrets = opened(app, tenant, record).map_err(Failure::of)?;
        let (client, url) = outgoing::client(&app.settings.outgoing, &settings.endpoint, timeout)
            .map_err(|error| Failure::of(format!("the endpoint {error}")))?;
        let headers = headers(&settings.content_type, &record.stream.id, &secrets);
        Ok(Self {
            version: record.version,
            client,
            url,
            headers: headers.ok_or_else(|| Failure::of("a header cannot be sent"))?,
        })
    }

    /// Sends a batch; the receiver has it if there is no failure.
    pub(super) async fn send(&self, batch: &Batch, now: Timestamp) -> Result<(), Failure> {
        let request = self.client.post(self.url.clone());
        let request = request.headers(self.headers.clone());
        let request = request.header(BATCH, &batch.id).body(batch.body.clone());
        let response = request.send().await.map_err(|error| {
            Failure::of(format!(
                "it cannot be reached in time: {}",
                outgoing::cause(&error)
            ))
        })?;
        let status = response.status();
        let wish = response.headers().get(RETRY_AFTER);
        let wish = wish.and_then(|wish| waiting(wish.to_str().ok()?, now));
        // It has the batch by now, however the rest of its answer comes.
        let _ = tokio::time::timeout(DRAINING, drained(response)).await;
        if status.is_success() {
            return Ok(());
        }
        let beside = match status.is_redirection() {
            true => ", and no redirect is followed",
            false => "",
        };
        Err(Failure {
            reason: format!("it answers with status {}{beside}", status.as_u16()),
            wish,
        })
    }
}

fn headers(
    content_type: &str,
    stream: &model::LogStreamId,
    secrets: &Secrets,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &secrets.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, secret(value)?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).ok()?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(STREAM, HeaderValue::from_str(stream.as_str()).ok()?);
    if let Some(authorization) = &secrets.authorization {
        headers.insert(AUTHORIZATION, secret(authorization)?);
    }
    Some(headers)
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn drained(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(part)) = response.chunk().await {
        read += part.len();
        if read > MOST_DRAINED {
            return;
        }
    }
}

/// A wait in seconds or until a time (RFC 9110 §10.2.3).
fn waiting(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_in_seconds_or_a_time() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let wish = |text: &str| waiting(text, now).map(|wait| wait.as_secs());
        assert_eq!(wish("120"), Some(120));
        assert_eq!(wish("Thu, 01 Jan 2026 00:01:00 GMT"), Some(60));
        assert_eq!(wish("Wed, 31 Dec 2025 00:01:00 GMT"), None);
        assert_eq!(wish("soon"), None);
        assert_eq!(wish("-1"), None);
    }
}
