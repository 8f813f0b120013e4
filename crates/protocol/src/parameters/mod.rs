//! The parameters of a request body: JSON or form (auth0-wire-facts §1.1, §10 row 30; RFC 6749 §3.2).
//!
//! Both kinds are read into the same thing. JSON nulls and empty values count as not sent; a name sent twice is
//! refused, because two readers could choose differently; what is too long is refused before any work.
//! What a parameter means is decided in `token` and `client_authentication`.

mod form;
mod json;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;

use model::MAX_IDENTIFIER_CHARS;
use serde_json::{Map, Value};

use crate::{Problem, Reason, Secret};

pub(crate) const MAX_PARAMETERS: usize = 64;

/// What parameters of one endpoint mean something, and how long each may be.
pub(crate) type Table = &'static [(&'static str, Limit)];

/// The parameters that mean something at the token endpoint, all of them strings.
const KNOWN: Table = &[
    ("grant_type", Limit::Characters(256)),
    ("client_id", Limit::Characters(256)),
    ("client_secret", Limit::Bytes(1_024)),
    ("username", Limit::Characters(MAX_IDENTIFIER_CHARS)),
    ("password", Limit::Bytes(1_024)),
    ("realm", Limit::Characters(128)),
    ("audience", Limit::Characters(600)),
    ("resource", Limit::Characters(600)),
    ("scope", Limit::Bytes(4_096)),
    ("access_token", Limit::Bytes(16_384)),
];

/// What was sent. `Debug` shows the names of known parameters only: a value may be a secret, and so may a name
/// where somebody sent a body in the wrong encoding.
pub struct Parameters {
    texts: Vec<(&'static str, Secret)>,
    objects: Vec<(&'static str, Map<String, Value>)>,
}

impl Parameters {
    /// Reads a body of at most 64 KiB, which the server sees to.
    ///
    /// Errors: whatever [`Reason`] has for bodies and parameters, all of them `invalid_request`.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, Reason> {
        Self::parse_by(KNOWN, content_type, body)
    }

    /// The same for an endpoint with parameters of its own.
    pub(crate) fn parse_by(
        table: Table,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Reason> {
        let sent = match content_type.and_then(MediaType::read) {
            Some(MediaType::Json) => json::read(body)?,
            Some(MediaType::Form) => form::read(body)?,
            None => return Err(Reason::UnsupportedContentType),
        };
        refuse_repetitions(&sent)?;

        let mut kept = Self {
            texts: Vec::new(),
            objects: Vec::new(),
        };
        for (name, value) in sent {
            if name.contains('\0') || matches!(&value, Sent::Text(text) if text.contains('\0')) {
                return Err(Reason::NulCharacter);
            }
            let Some((name, limit)) = table.iter().copied().find(|(known, _)| *known == name)
            else {
                continue;
            };
            match (limit, value) {
                (_, Sent::Nothing) => {}
                (_, Sent::Text(text)) if text.is_empty() => {}
                (Limit::Object, Sent::Object(members)) => kept.objects.push((name, members)),
                (Limit::Object, _) => {
                    let problem = Problem::NotAnObject;
                    return Err(Reason::InvalidParameter { name, problem });
                }
                (_, Sent::Text(text)) => {
                    let text = Secret::new(text);
                    limit.check(name, text.expose())?;
                    kept.texts.push((name, text));
                }
                (_, Sent::Object(_) | Sent::NoText) => {
                    let problem = Problem::NotAString;
                    return Err(Reason::InvalidParameter { name, problem });
                }
            }
        }
        Ok(kept)
    }

    /// The value of a known parameter, if one was sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.secret(name).map(Secret::expose)
    }

    /// The same, for values that shall stay hidden.
    pub(crate) fn secret(&self, name: &str) -> Option<&Secret> {
        let mut all = self.texts.iter();
        all.find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    /// What was sent, apart from secrets and passwords.
    pub fn without_secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let open = |name: &str| !matches!(name, "client_secret" | "password" | "access_token");
        let all = self.texts.iter().filter(move |(name, _)| open(name));
        all.map(|(name, value)| (*name, value.expose()))
    }

    /// The members of a parameter that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        let mut all = self.objects.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, members)| members)
    }

    /// The same as an error where it was not sent.
    pub(crate) fn require(&self, name: &'static str) -> Result<&Secret, Reason> {
        self.secret(name).ok_or(Reason::MissingParameter(name))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.texts.iter().map(|(name, _)| name);
        let names = texts.chain(self.objects.iter().map(|(name, _)| name));
        f.write_str("Parameters ")?;
        f.debug_set().entries(names).finish()
    }
}

/// Applies a parameter's limit to a value that came another way, as in a header.
pub(crate) fn check_length(name: &str, value: &str) -> Result<(), Reason> {
    match KNOWN.iter().copied().find(|(known, _)| *known == name) {
        Some((name, limit)) => limit.check(name, value),
        None => Ok(()),
    }
}

/// A value as it came.
enum Sent {
    /// JSON null.
    Nothing,
    Text(String),
    Object(Map<String, Value>),
    /// A JSON number, list and so on.
    NoText,
}

enum MediaType {
    Json,
    Form,
}

impl MediaType {
    /// Parameters such as `charset` are not looked at: the bytes must be UTF-8 whatever they say.
    fn read(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::Form)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Bytes(usize),
    Characters(usize),
    /// An object, which its reader bounds.
    Object,
}

impl Limit {
    fn check(self, name: &'static str, value: &str) -> Result<(), Reason> {
        let problem = match self {
            Self::Bytes(most) if value.len() > most => Problem::TooManyBytes(most),
            Self::Characters(most) if value.chars().nth(most).is_some() => {
                Problem::TooManyCharacters(most)
            }
            Self::Bytes(_) | Self::Characters(_) | Self::Object => return Ok(()),
        };
        Err(Reason::InvalidParameter { name, problem })
    }
}

fn refuse_repetitions(sent: &[(String, Sent)]) -> Result<(), Reason> {
    if sent.len() > MAX_PARAMETERS {
        return Err(Reason::TooManyParameters(MAX_PARAMETERS));
    }
    let mut seen = HashSet::new();
    match sent.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(Reason::DuplicateParameter(name.chars().take(64).collect())),
        None => Ok(()),
    }
}
