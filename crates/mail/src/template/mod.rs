//! Mail templates: Liquid text becomes a sender, a subject and a body.
//!
//! Wire: auth0-wire-facts §7. A template that cannot work is refused when it is saved, with its place; rendering is
//! bounded in size and work. Output in bodies is escaped for HTML unless its last filter is `raw`.

mod builtin;
mod language;
mod name;
mod result_url;
mod scan;
mod variables;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::Timestamp;
use liquid_core::Renderable;
use liquid_core::model::{Object, to_object};
use liquid_core::parser;
use liquid_core::runtime::{self, RuntimeBuilder};

use crate::message::{MAX_BODY, MAX_SUBJECT};
use crate::send_error::bounded;
pub use builtin::plain;
use language::{LANGUAGE, Lenient, NOW};
pub use name::{TemplateName, UnknownTemplate};
pub use result_url::ResultUrl;
pub use variables::Variables;

/// Largest part of a template, in bytes: what a request to save it can hold at most.
pub const MAX_TEMPLATE: usize = 64 * 1024;
/// `urlLifetimeInSeconds` where a template says nothing: five days.
pub const DEFAULT_LINK_LIFETIME: Duration = Duration::from_secs(432_000);

/// A template as it is written and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    /// The sender; empty for the provider's default.
    pub from: String,
    pub subject: String,
    pub body: String,
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    From,
    Subject,
    Body,
    ResultUrl,
}

/// Why a template cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of {template}, line {line}, column {column}: {reason}", part.word())]
pub struct TemplateError {
    pub template: TemplateName,
    pub part: Part,
    /// From 1; 1 where only the part is known.
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// Why a template gave no mail; the built-in one of the same name always does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of {template}: {reason}", part.word())]
pub struct RenderError {
    pub template: TemplateName,
    pub part: Part,
    pub reason: String,
}

/// What a template gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// None for the provider's default.
    pub from: Option<String>,
    pub subject: String,
    pub html: String,
}

/// A template that can be rendered.
#[derive(Debug)]
pub struct Template {
    name: TemplateName,
    from: runtime::Template,
    subject: runtime::Template,
    body: runtime::Template,
}

impl Template {
    /// Parses a template.
    pub fn parse(name: TemplateName, source: &TemplateSource) -> Result<Self, TemplateError> {
        let part = |part, text| parse(part, text).map_err(|flaw| flaw.of(name, part, text));
        Ok(Self {
            name,
            from: part(Part::From, &source.from)?,
            subject: part(Part::Subject, &source.subject)?,
            body: part(Part::Body, &source.body)?,
        })
    }

    /// The template that is used where a tenant has none of its own.
    pub fn builtin(name: TemplateName) -> Self {
        Self::parse(name, &TemplateSource::builtin(name))
            .expect("the built-in templates are tested to parse")
    }

    /// Fills in a template; `now` is what `{{ 'now' | date: … }}` means.
    pub fn render(&self, variables: &Variables, now: Timestamp) -> Result<Rendered, RenderError> {
        let mut all = variables.to_json();
        let now = now.strftime("%Y-%m-%d %H:%M:%S +0000").to_string();
        all.insert(NOW.to_owned(), now.into());
        let all = to_object(&all).expect("JSON becomes Liquid values");
        let part = |part, template, limit| {
            render(template, &all, limit).map_err(|reason| RenderError {
                template: self.name,
                part,
                reason,
            })
        };
        let from = one_line(&part(Part::From, &self.from, MAX_SUBJECT)?);
        Ok(Rendered {
            from: Some(from).filter(|from| !from.is_empty()),
            subject: one_line(&part(Part::Subject, &self.subject, MAX_SUBJECT)?),
            html: part(Part::Body, &self.body, MAX_BODY)?,
        })
    }
}

impl Part {
    /// The field on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Subject => "subject",
            Self::Body => "body",
            Self::ResultUrl => "resultUrl",
        }
    }
}

/// What is wrong with a part, and where, if that is known.
struct Flaw {
    at: Option<(usize, usize)>,
    reason: String,
}

impl Flaw {
    fn of(self, template: TemplateName, part: Part, text: &str) -> TemplateError {
        let named = || {
            let name = self
                .reason
                .rsplit_once("requested filter=")?
                .1
                .split([';', ' '])
                .next()?;
            text.match_indices(name)
                .map(|(at, _)| at)
                .find(|at| text[..*at].trim_end().ends_with('|'))
        };
        let (line, column) = self
            .at
            .or_else(|| named().map(|at| place(text, at)))
            .unwrap_or((1, 1));
        TemplateError {
            template,
            part,
            line,
            column,
            reason: self.reason,
        }
    }
}

fn parse(part: Part, text: &str) -> Result<runtime::Template, Flaw> {
    if text.len() > MAX_TEMPLATE {
        return Err(Flaw {
            at: None,
            reason: format!("is larger than {MAX_TEMPLATE} bytes"),
        });
    }
    let escaped = scan::escaping(text).map_err(|refused| Flaw {
        at: Some(place(text, refused.at)),
        reason: refused.reason,
    })?;
    // As it was written, so that places are those of the author.
    let written = library_parse(text)?;
    match part {
        Part::Body => library_parse(&escaped),
        Part::From | Part::Subject | Part::ResultUrl => Ok(written),
    }
}

fn library_parse(text: &str) -> Result<runtime::Template, Flaw> {
    let parsed = catch_unwind(AssertUnwindSafe(|| parser::parse(text, &LANGUAGE)));
    match parsed {
        Ok(Ok(elements)) => Ok(runtime::Template::new(elements)),
        Ok(Err(error)) => Err(flaw(&error.to_string())),
        Err(_) => Err(Flaw {
            at: None,
            reason: "cannot be parsed".to_owned(),
        }),
    }
}

/// The library's text: what and where, with the line of the template drawn below.
fn flaw(text: &str) -> Flaw {
    let place = text.split_once("--> ").and_then(|(_, rest)| {
        let (line, rest) = rest.split_once(':')?;
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
        Some((line.parse().ok()?, digits.parse().ok()?))
    });
    let reason = match text.rsplit_once("= ") {
        Some((_, reason)) if place.is_some() => one_line(reason),
        _ => {
            let lines = text.trim_start_matches("liquid: ").lines();
            let lines = lines
                .map(str::trim)
                .filter(|line| !line.is_empty() && *line != "with:");
            lines.collect::<Vec<_>>().join("; ")
        }
    };
    Flaw {
        at: place,
        reason: bounded(&reason.replace("__escape, ", "")),
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line..].chars().count() + 1,
    )
}

fn render(
    template: &runtime::Template,
    variables: &Object,
    limit: usize,
) -> Result<String, String> {
    let mut written = Limited {
        bytes: Vec::new(),
        limit,
    };
    let runtime = Lenient(RuntimeBuilder::new().set_globals(variables).build());
    let rendered = catch_unwind(AssertUnwindSafe(|| {
        template.render_to(&mut written, &runtime)
    }));
    match rendered {
        Ok(Ok(())) => String::from_utf8(written.bytes).map_err(|error| error.to_string()),
        Ok(Err(_)) if written.bytes.len() >= limit => Err(format!("gives more than {limit} bytes")),
        // The library's text quotes values, so only its first line is told.
        Ok(Err(error)) => Err(bounded(
            error.to_string().lines().next().unwrap_or_default(),
        )),
        Err(_) => Err("cannot be rendered with these values".to_owned()),
    }
}

/// Takes so many bytes and no more.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.bytes.len();
        self.bytes
            .extend_from_slice(&bytes[..room.min(bytes.len())]);
        if bytes.len() > room {
            return Err(io::Error::other("full"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A header is one line, whatever the values say.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_control() || letter.is_whitespace())
        .collect();
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
