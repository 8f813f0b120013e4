//! `/outbox` and `/outbox.json`: the mails of demo and development, which go nowhere.
//!
//! They hold one-time links, so they are there only where mails stay on this node, and only for callers on this machine.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use mail::{Message, Outbox};
use serde_json::{Value, json};

use crate::answer::unkept;
use crate::app::App;
use crate::courier::DefaultWay;
use crate::hosted::page;
use crate::request::RequestContext;

/// The routes of a server with an outbox; none for any other.
pub(crate) fn routes(app: &App) -> Router<Arc<App>> {
    let DefaultWay::Outbox(outbox) = &app.settings.mail.default_way else {
        return Router::new();
    };
    let (shown, listed) = (outbox.clone(), outbox.clone());
    Router::new()
        .route(
            "/outbox",
            get(move |cx: RequestContext| async move { show(&cx, &shown) }),
        )
        .route(
            "/outbox.json",
            get(move |cx: RequestContext| async move { list(&cx, &listed) }),
        )
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct Page<'a> {
    tenant: &'a str,
    title: &'a str,
    mails: Vec<Shown>,
}

/// A mail as the page tells it.
struct Shown {
    to: String,
    from: String,
    subject: String,
    date: String,
    text: String,
    links: Vec<String>,
}

fn show(cx: &RequestContext, outbox: &Outbox) -> Response {
    if !is_of_this_machine(cx) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mails = outbox.mails().iter().rev().map(shown).collect();
    let page = Page {
        tenant: page::name_of(cx.tenant()),
        title: "Outbox",
        mails,
    };
    page::answer(StatusCode::OK, &page)
}

fn list(cx: &RequestContext, outbox: &Outbox) -> Response {
    if !is_of_this_machine(cx) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mails: Vec<Value> = outbox.mails().iter().rev().map(document).collect();
    unkept(StatusCode::OK, &Value::from(mails))
}

fn is_of_this_machine(cx: &RequestContext) -> bool {
    cx.address().to_canonical().is_loopback()
}

fn shown(mail: &Message) -> Shown {
    let text = mail.text();
    Shown {
        to: mail.to().to_string(),
        from: mail.from().to_string(),
        subject: mail.subject().to_owned(),
        date: mail.date().to_string(),
        links: links(&text),
        text,
    }
}

fn document(mail: &Message) -> Value {
    let text = mail.text();
    json!({
        "message_id": mail.message_id(),
        "date": mail.date().to_string(),
        "from": mail.from().to_string(),
        "to": mail.to().address(),
        "subject": mail.subject(),
        "links": links(&text),
        "text": text,
        "html": mail.html(),
    })
}

/// The addresses in a text, as they can be followed.
fn links(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || "()<>\"".contains(letter));
    words
        .filter(|word| word.starts_with("https://") || word.starts_with("http://"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_where_a_text_has_them() {
        let text =
            "Go on (https://one.example.com/u/x?ticket=T) or ask\nhttps://help.example.com/ today.";
        assert_eq!(
            links(text),
            [
                "https://one.example.com/u/x?ticket=T",
                "https://help.example.com/"
            ]
        );
    }
}
