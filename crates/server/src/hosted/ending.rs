//! How following a link ends: a page, or the address that whoever made the link wants people to go on to.
//!
//! That address gets `success` and `message`, and the e-mail address where it was asked for (auth0-wire-facts §7.2).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;
use storage::{StoreError, TicketRecord};

use super::page::{Message, answer, name_of};
use super::ticket::Held;
use crate::request::RequestContext;

/// What following a link came to.
pub(crate) enum Ending {
    Done {
        title: &'static str,
        text: &'static str,
        /// Where to go on to.
        result_url: Option<String>,
    },
    /// There is no such link any more, or there never was.
    Unknown,
    TooMany {
        until: Timestamp,
    },
    Unreadable,
    Unavailable,
}

/// What a ticket that was held out came to, or how it ends.
pub(super) fn held<T>(held: Result<Held<T>, StoreError>) -> Result<T, Ending> {
    match held.map_err(unavailable)? {
        Held::Good(found) => Ok(found),
        Held::Unknown => Err(Ending::Unknown),
        Held::TooMany { until } => Err(Ending::TooMany { until }),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
pub(super) fn unavailable(error: StoreError) -> Ending {
    tracing::error!(%error, "store failed under a hosted page");
    Ending::Unavailable
}

/// Where people go on to after this ticket.
pub(super) fn result_url(ticket: &TicketRecord) -> Option<&str> {
    ticket.document.get("result_url").and_then(Value::as_str)
}

impl Ending {
    /// The link did what it is for.
    pub(super) fn done(
        title: &'static str,
        text: &'static str,
        ticket: &TicketRecord,
        email: Option<String>,
    ) -> Self {
        let with_email = ticket.document.get("include_email") == Some(&Value::Bool(true));
        let email = email.filter(|_| with_email);
        let go_on = |url: &str| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if let Some(email) = &email {
                query.append_pair("email", email);
            }
            query.append_pair("success", "true");
            query.append_pair("message", text);
            let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
            let joint = if address.contains('?') { '&' } else { '?' };
            let fragment = if fragment.is_empty() {
                String::new()
            } else {
                format!("#{fragment}")
            };
            format!("{address}{joint}{}{fragment}", query.finish())
        };
        Self::Done {
            title,
            text,
            result_url: result_url(ticket).map(go_on),
        }
    }

    /// The answer.
    pub(super) fn page(&self, cx: &RequestContext) -> Response {
        let (status, title, text) = match self {
            Self::Done {
                result_url: Some(url),
                ..
            } if let Ok(location) = HeaderValue::from_str(url) => {
                return (
                    StatusCode::SEE_OTHER,
                    [
                        (header::LOCATION, location),
                        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                        (
                            header::REFERRER_POLICY,
                            HeaderValue::from_static("no-referrer"),
                        ),
                    ],
                )
                    .into_response();
            }
            Self::Done { title, text, .. } => (StatusCode::OK, *title, *text),
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "This link is no longer good",
                "It was used already, it is too old, or a newer one took its place. Ask for a new one where you sign in.",
            ),
            Self::TooMany { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many links that are not good",
                "Too many such links were opened from your network. Please wait a few minutes and try again.",
            ),
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "The form could not be read",
                "Please open the link of the mail again.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Please try again",
                "The server is busy. Your link is still good: please try again in a moment.",
            ),
        };
        let page = Message {
            tenant: name_of(cx.tenant()),
            title,
            paragraphs: &[text],
        };
        let mut response = answer(status, &page);
        let seconds = match self {
            Self::TooMany { until } => until
                .duration_since(cx.now)
                .as_secs()
                .max(1)
                .cast_unsigned(),
            Self::Unavailable => 1,
            _ => return response,
        };
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}
