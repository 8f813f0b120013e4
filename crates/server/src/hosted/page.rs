//! How a page is answered: its headers, its style, and the plain message that most endings are.
//!
//! The policy lets a page do nothing but show itself and send its form back here; links of mails are secrets, so no page
//! is kept by anybody or tells another site where it came from.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use model::Tenant;
use serde_json::Value;

/// The one style, within each page.
pub(crate) const STYLE: &str = include_str!("../../../../pages/style.css");

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// A page that only tells something.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) title: &'a str,
    pub(crate) paragraphs: &'a [&'a str],
}

/// Answers a page.
pub(crate) fn answer(status: StatusCode, page: &impl Template) -> Response {
    answer_for(status, page, None)
}

/// Answers a page with a form whose sender is sent on to another address in the end.
pub(crate) fn answer_for(
    status: StatusCode,
    page: &impl Template,
    goes_on_to: Option<&str>,
) -> Response {
    let html = page.render().expect("our pages have only texts");
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Browsers hold where a form's answer leads against `form-action`, too.
    let wider = goes_on_to.and_then(origin).map(|origin| {
        POLICY.replace(
            "form-action 'self'",
            &format!("form-action 'self' {origin}"),
        )
    });
    if let Some(policy) = wider.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Scheme, host and port of an address; none if they hold anything that means something in a policy.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = |character: char| character.is_ascii_alphanumeric() || ".-:[]".contains(character);
    (matches!(scheme, "https" | "http") && !host.is_empty() && host.chars().all(plain))
        .then(|| format!("{scheme}://{host}"))
}

/// The name people know a tenant by.
pub(crate) fn name_of(tenant: &Tenant) -> &str {
    let friendly = tenant.settings.rest.get("friendly_name");
    friendly
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        .unwrap_or(&tenant.name)
}
