//! What a mail says: the tenant's own template where there is one that works, else the built-in one.
//!
//! A template was judged when it was saved, so that one fails only on values that nobody foresaw (a user's metadata of
//! many kilobytes). Then the mail goes out in our words, and the reason is told: a link must not wait for a text.

use jiff::Timestamp;
use mail::{
    Draft, Message, Rendered, ResultUrl, Template, TemplateName, TemplateSource, Variables,
};
use model::EmailTemplate;
use serde_json::{Map, Value};

use super::notice::Words;

/// A message, and what was wrong with the tenant's own template.
pub(super) struct Worded {
    pub(super) message: Message,
    pub(super) flaws: Vec<String>,
}

/// The texts of a tenant's template.
pub(crate) fn source(template: &EmailTemplate) -> TemplateSource {
    TemplateSource {
        from: template.from.clone(),
        subject: template.subject.clone(),
        body: template.body.clone(),
    }
}

/// Puts a notice into words; `draft` makes a mail of them. The error says why it can never be sent.
pub(super) fn word(
    words: &Words,
    own: Option<&EmailTemplate>,
    variables: &Variables,
    now: Timestamp,
    draft: impl Fn(Rendered) -> Draft,
) -> Result<Worded, String> {
    let told = |error: mail::MessageError| error.to_string();
    let message = |rendered: Rendered| Message::new(draft(rendered)).map_err(told);
    let (name, own) = match words {
        Words::Own {
            subject,
            paragraphs,
        } => {
            let message = message(mail::plain(subject, paragraphs))?;
            return Ok(Worded {
                message,
                flaws: Vec::new(),
            });
        }
        Words::Template(name) => {
            let known: TemplateName = name.parse().map_err(|error| format!("{name}: {error}"))?;
            (known, own.map(|own| of_tenant(known, own, variables, now)))
        }
    };
    let mut flaws = Vec::new();
    match own.map(|rendered| rendered.and_then(message)) {
        Some(Ok(message)) => return Ok(Worded { message, flaws }),
        Some(Err(flaw)) => flaws.push(flaw),
        None => {}
    }
    let rendered = Template::builtin(name).render(variables, now);
    let message = message(rendered.map_err(|error| error.to_string())?)?;
    Ok(Worded { message, flaws })
}

fn of_tenant(
    name: TemplateName,
    own: &EmailTemplate,
    variables: &Variables,
    now: Timestamp,
) -> Result<Rendered, String> {
    let template = Template::parse(name, &source(own)).map_err(|error| error.to_string())?;
    let rendered = template.render(variables, now);
    rendered.map_err(|error| error.to_string())
}

/// What a template adds to the ticket of its link: `result_url` and `include_email`. What the cause has said stays.
pub(super) fn add_to_ticket(
    document: &mut Map<String, Value>,
    own: &EmailTemplate,
    variables: &Variables,
    now: Timestamp,
) -> Result<(), String> {
    let Some(text) = &own.result_url else {
        return Ok(());
    };
    if document.contains_key("result_url") {
        return Ok(());
    }
    let name: TemplateName = own
        .template
        .parse()
        .map_err(|error| format!("{}: {error}", own.template))?;
    let url = ResultUrl::parse(name, text).map_err(|error| error.to_string())?;
    let url = url.render(&variables.application, now);
    let url = url.map_err(|error| error.to_string())?;
    document.insert("result_url".to_owned(), Value::from(url));
    let include = own.include_email_in_redirect.unwrap_or_default();
    document.insert("include_email".to_owned(), Value::from(include));
    Ok(())
}
