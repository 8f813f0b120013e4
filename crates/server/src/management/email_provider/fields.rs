//! What a body may say of an e-mail provider, and what comes of it.

use mail::{Mailbox, SmtpSettingsError};
use model::EmailProvider;
use serde_json::{Map, Value};

use super::super::body::Body;
use super::super::schema::{Field, Kind, field, judge};
use crate::answer::management::Problem;

/// The one kind of provider that is built.
pub(super) const SMTP: &str = "smtp";

/// The port for mail that is handed in (RFC 8314 §3.3 beside 465).
const DEFAULT_PORT: u16 = 587;

const FIELDS: &[Field] = &[
    field("name", Kind::OneOf(&[SMTP])),
    field("enabled", Kind::Bool),
    field("default_from_address", Kind::NullableText(460)),
    field(
        "credentials",
        Kind::Object(&[
            field("smtp_host", Kind::Text(253)),
            field("smtp_port", Kind::Integer(1, 65_535)),
            field("smtp_user", Kind::NullableText(1_024)),
            field("smtp_pass", Kind::NullableText(1_024)),
        ]),
    ),
    field("settings", Kind::Inert(&[])),
];

/// What was sent.
pub(super) struct Sent {
    pub(super) members: Map<String, Value>,
    pub(super) password: Option<String>,
}

/// Judges a body. The kind of provider comes first: it decides what the other members mean.
pub(super) fn read(body: Body) -> Result<Sent, Problem> {
    let members = body.unjudged()?;
    if members
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| name != SMTP)
    {
        return Err(Problem::InvalidBody(
            "Payload validation error: 'Value is not supported' on property name (this server sends over SMTP alone; send smtp, with the SMTP access of your provider)."
                .to_owned(),
        ));
    }
    judge(FIELDS, &members)?;
    let credentials = members.get("credentials");
    for name in ["smtp_host", "smtp_user", "smtp_pass"] {
        let text = credentials.and_then(|credentials| credentials[name].as_str());
        // What the deploy CLI writes into an export: as a password it would only fail at night.
        if text.is_some_and(|text| text.len() > 4 && text.starts_with("##") && text.ends_with("##"))
        {
            return Err(super::refused(
                name,
                "is a placeholder that was not replaced; put the real one into AUTH0_KEYWORD_REPLACE_MAPPINGS",
            ));
        }
    }
    let password = credentials.and_then(|credentials| credentials["smtp_pass"].as_str());
    Ok(Sent {
        password: password.map(str::to_owned),
        members,
    })
}

impl Sent {
    /// What the provider becomes; members that were not sent stay as they are.
    pub(super) fn onto(&self, before: Option<&EmailProvider>) -> Result<EmailProvider, Problem> {
        let mut after = before.cloned().unwrap_or(EmailProvider {
            enabled: true,
            default_from_address: None,
            smtp_host: String::new(),
            smtp_port: DEFAULT_PORT,
            smtp_user: None,
            settings: None,
        });
        if let Some(enabled) = self.members.get("enabled").and_then(Value::as_bool) {
            after.enabled = enabled;
        }
        if let Some(from) = self.members.get("default_from_address") {
            after.default_from_address = sender(from.as_str().unwrap_or_default())?;
        }
        if let Some(settings) = self.members.get("settings") {
            after.settings = settings.as_object().cloned();
        }
        let credentials = self.members.get("credentials").and_then(Value::as_object);
        for (name, value) in credentials.into_iter().flatten() {
            let text = || value.as_str().map(str::to_owned);
            match name.as_str() {
                "smtp_host" => after.smtp_host = text().unwrap_or_default(),
                "smtp_port" => {
                    let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
                    after.smtp_port = port.unwrap_or(after.smtp_port);
                }
                "smtp_user" => after.smtp_user = text(),
                _ => {}
            }
        }
        if after.smtp_user.is_none() && self.password.is_some() {
            return Err(super::refused(
                "smtp_user",
                "is missing; send the user of smtp_pass",
            ));
        }
        Ok(after)
    }
}

/// The sender, if it is one; an empty text is none.
fn sender(text: &str) -> Result<Option<String>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<Mailbox>() {
        Ok(_) => Ok(Some(text.to_owned())),
        Err(error) => Err(Problem::InvalidBody(format!(
            "Payload validation error: 'The value {error}' on property default_from_address."
        ))),
    }
}

/// Which member is wrong, and how.
pub(super) fn told(error: &SmtpSettingsError) -> (&'static str, String) {
    let member = match error {
        SmtpSettingsError::Host | SmtpSettingsError::Hello | SmtpSettingsError::NotThisMachine => {
            "smtp_host"
        }
        SmtpSettingsError::Credentials => "smtp_user",
        SmtpSettingsError::PasswordInClear | SmtpSettingsError::Certificates(_) => "smtp_pass",
    };
    let text = error.to_string();
    let complaint = text
        .split_once(": ")
        .map_or(&*text, |(_, complaint)| complaint);
    (member, complaint.to_owned())
}
