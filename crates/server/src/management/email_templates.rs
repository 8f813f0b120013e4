//! The tenant's own mails: `/api/v2/email-templates`.
//!
//! Wire: auth0-wire-facts §7. A template that could not be sent is refused when it is saved, with the place in it. Which
//! of the names the server sends stands in `docs/operate/mail.md`; all of them can be kept.

use axum::response::Response;
use http::StatusCode;
use mail::{Mailbox, ResultUrl, Template, TemplateName};
use model::EmailTemplate;
use serde_json::{Map, Value, json};
use storage::{EmailTemplateRecord, Work};

use super::audit;
use super::authorization::ManagementCall;
use super::body::Body;
use super::change::{self, commit};
use super::projection::Projection;
use super::schema::{Field, Kind, field, judge, require};
use super::uri::{Id, Query};
use crate::answer::management::{Problem, answer};
use crate::courier::source;

const MISSING: Problem = Problem::NotFound {
    code: Some("inexistent_email_template"),
    message: "The template does not exist.",
};

/// A year; a link that lives longer is a password.
const LONGEST_LIFETIME: i64 = 31_536_000;

const FIELDS: &[Field] = &[
    field("template", Kind::Text(64)),
    field("body", Kind::Text(mail::MAX_TEMPLATE)),
    field("from", Kind::Text(998)),
    field("subject", Kind::Text(998)),
    field("syntax", Kind::OneOf(&["liquid"])),
    field("resultUrl", Kind::Text(2_048)),
    field("urlLifetimeInSeconds", Kind::Integer(0, LONGEST_LIFETIME)),
    field("includeEmailInRedirect", Kind::Bool),
    field("enabled", Kind::Bool),
];

const REQUIRED: &[&str] = &["template", "body", "from", "subject", "syntax", "enabled"];

/// Members that null sets back.
const CLEARED_BY_NULL: [&str; 6] = [
    "body",
    "from",
    "subject",
    "syntax",
    "resultUrl",
    "urlLifetimeInSeconds",
];

/// `GET /email-templates/{name}`.
pub(super) async fn show(
    call: ManagementCall,
    Id(name): Id,
    query: Query,
) -> Result<Response, Problem> {
    call.require(&["read:email_templates"])?;
    let record = call
        .store
        .find_email_template(&name)
        .await?
        .ok_or(MISSING)?;
    let shown = Projection::read(&query).of(shown(&record.template));
    Ok(answer(StatusCode::OK, &shown))
}

/// `POST /email-templates`: 200, as on the wire.
pub(super) async fn create(call: ManagementCall, body: Body) -> Result<Response, Problem> {
    call.require(&["create:email_templates"])?;
    let sent = read(body)?;
    require(&sent, REQUIRED)?;
    let template = merged(None, &sent)?;

    let made = shown(&template);
    let exists = format!("Template {} already exists.", template.template);
    let sent = Value::Object(sent);
    let event = audit::changed(&call, "Create an email template", &sent, 200, &made);
    let added = commit(&call, event, async move |work: &mut Work| {
        work.add_email_template(&template).await
    })
    .await?;
    match change::added(added, "") {
        Ok(()) => Ok(answer(StatusCode::OK, &made)),
        Err(_) => Err(Problem::Exists(exists)),
    }
}

/// `PUT /email-templates/{name}`: what is not sent is forgotten.
pub(super) async fn replace(
    call: ManagementCall,
    Id(name): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:email_templates"])?;
    let sent = read(body)?;
    require(&sent, REQUIRED)?;
    let before = call
        .store
        .find_email_template(&name)
        .await?
        .ok_or(MISSING)?;
    write(&call, None, before, sent).await
}

/// `PATCH /email-templates/{name}`.
pub(super) async fn change(
    call: ManagementCall,
    Id(name): Id,
    body: Body,
) -> Result<Response, Problem> {
    call.require(&["update:email_templates"])?;
    let sent = read(body)?;
    let before = call
        .store
        .find_email_template(&name)
        .await?
        .ok_or(MISSING)?;
    write(&call, Some(before.template.clone()), before, sent).await
}

async fn write(
    call: &ManagementCall,
    onto: Option<EmailTemplate>,
    before: EmailTemplateRecord,
    sent: Map<String, Value>,
) -> Result<Response, Problem> {
    let template = merged(onto, &sent)?;
    if template.template != before.template.template {
        return Err(invalid(
            "template",
            "is the name of another template; leave it out, or send it to that one's address",
        ));
    }

    let after = shown(&template);
    let sent = Value::Object(sent);
    let event = audit::changed(call, "Update an email template", &sent, 200, &after);
    let record = EmailTemplateRecord {
        template,
        version: before.version,
    };
    let written = commit(call, event, async move |work: &mut Work| {
        work.set_email_template(&record).await
    })
    .await?;
    change::written(written, MISSING)?;
    Ok(answer(StatusCode::OK, &after))
}

/// Judges the members one by one; null counts as not said.
fn read(body: Body) -> Result<Map<String, Value>, Problem> {
    let mut members = body.unjudged()?;
    // The wire says "number", and some clients write whole ones as 3600.0.
    if let Some(lifetime) = members.get_mut("urlLifetimeInSeconds")
        && let Some(seconds) = lifetime.as_f64().filter(|seconds| seconds.fract() == 0.0)
        && (0.0..1e12).contains(&seconds)
    {
        *lifetime = Value::from(seconds as i64);
    }
    let mut said = members.clone();
    said.retain(|name, value| !(value.is_null() && CLEARED_BY_NULL.contains(&name.as_str())));
    judge(FIELDS, &said)?;
    Ok(members)
}

/// The template with what was sent, judged as a whole.
fn merged(
    before: Option<EmailTemplate>,
    sent: &Map<String, Value>,
) -> Result<EmailTemplate, Problem> {
    let mut document = match before.map(serde_json::to_value) {
        Some(Ok(Value::Object(document))) => document,
        _ => Map::from_iter([
            ("body".to_owned(), json!("")),
            ("from".to_owned(), json!("")),
            ("subject".to_owned(), json!("")),
        ]),
    };
    for (name, value) in sent.iter().filter(|(name, _)| *name != "syntax") {
        let cleared = match (value, name.as_str()) {
            (Value::Null, "body" | "from" | "subject") => Some(json!("")),
            (Value::Null, _) => None,
            // The wire's 0 asks for the default.
            (Value::Number(number), _) if number.as_u64() == Some(0) => None,
            (Value::String(text), "resultUrl") if text.is_empty() => None,
            (value, _) => Some(value.clone()),
        };
        match cleared {
            Some(value) => document.insert(name.clone(), value),
            None => document.remove(name),
        };
    }
    let template: EmailTemplate = serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))?;
    judge_whole(&template)?;
    Ok(template)
}

/// Whether the mail could be sent.
fn judge_whole(template: &EmailTemplate) -> Result<(), Problem> {
    let Ok(name) = template.template.parse::<TemplateName>() else {
        let names: Vec<&str> = TemplateName::ALL.iter().map(|name| name.as_str()).collect();
        return Err(invalid(
            "template",
            &format!("is no name of a mail; send one of {}", names.join(", ")),
        ));
    };
    let flawed = |error: mail::TemplateError| {
        Problem::InvalidBody(format!("Payload validation error: '{error}'."))
    };
    Template::parse(name, &source(template)).map_err(flawed)?;
    if let Some(url) = &template.result_url {
        ResultUrl::parse(name, url).map_err(flawed)?;
    }
    if template.enabled && template.subject.trim().is_empty() {
        return Err(invalid(
            "subject",
            "is empty; send a text, or enabled: false",
        ));
    }
    if template.enabled && template.body.trim().is_empty() {
        return Err(invalid("body", "is empty; send a text, or enabled: false"));
    }
    let filled_in = template.from.contains("{{") || template.from.contains("{%");
    if !filled_in && !template.from.is_empty() {
        template
            .from
            .parse::<Mailbox>()
            .map_err(|error| invalid("from", &error.to_string()))?;
    }
    Ok(())
}

fn invalid(place: &str, complaint: &str) -> Problem {
    Problem::InvalidBody(format!(
        "Payload validation error: 'The value {complaint}' on property {place}."
    ))
}

fn shown(template: &EmailTemplate) -> Value {
    let mut shown = json!(template);
    shown["syntax"] = Value::from("liquid");
    shown
}
