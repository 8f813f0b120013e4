//! What callers of `/dbconnections/*` and the form of a new password send, read and bounded (auth0-wire-facts §9.1, §10 row 30).
//!
//! The body is read as at the token endpoint: JSON or form, nothing twice, nothing too long.
//! Whether the directory takes the values is judged by whoever knows it.

mod username;

use model::{Identifier, MAX_IDENTIFIER_CHARS};
use serde_json::{Map, Value};

pub use username::{UsernameRule, UsernameUnfit};

use crate::parameters::{Limit, Table};
use crate::{Parameters, Problem, Reason, Secret};

const SIGN_UP: Table = &[
    ("client_id", Limit::Characters(256)),
    ("connection", Limit::Characters(128)),
    ("email", Limit::Characters(MAX_IDENTIFIER_CHARS)),
    ("password", Limit::Bytes(1_024)),
    ("username", Limit::Characters(128)),
    ("name", Limit::Characters(300)),
    ("given_name", Limit::Characters(150)),
    ("family_name", Limit::Characters(150)),
    ("nickname", Limit::Characters(300)),
    ("picture", Limit::Characters(2_048)),
    ("phone_number", Limit::Characters(64)),
    ("user_metadata", Limit::Object),
];

const CHANGE_PASSWORD: Table = &[
    ("client_id", Limit::Characters(256)),
    ("connection", Limit::Characters(128)),
    ("email", Limit::Characters(MAX_IDENTIFIER_CHARS)),
    ("organization", Limit::Characters(256)),
];

const NEW_PASSWORD: Table = &[
    ("ticket", Limit::Characters(128)),
    ("password", Limit::Bytes(1_024)),
    ("confirmation", Limit::Bytes(1_024)),
];

/// Members of `user_metadata`, and characters of each value.
const MOST_METADATA: usize = 10;
const LONGEST_METADATA: usize = 500;
const LONGEST_METADATA_NAME: usize = 100;

/// `POST /dbconnections/signup`.
#[derive(Clone, Debug)]
pub struct SignUpRequest {
    pub client_id: String,
    pub connection: String,
    pub email: String,
    pub password: Secret,
    pub username: Option<String>,
    pub fields: SignUpFields,
}

/// What a person may say of himself at sign-up; none of it decides anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignUpFields {
    /// `name`, `given_name`, `family_name`, `nickname`, `picture`: those that were sent.
    pub texts: Vec<(&'static str, String)>,
    /// At most ten texts.
    pub user_metadata: Map<String, Value>,
}

impl SignUpRequest {
    /// Reads a body of at most 64 KiB.
    ///
    /// Errors: as for every body, and for values that no directory would take.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Reason> {
        let sent = Parameters::parse_by(SIGN_UP, content_type, body)?;
        if sent.get("phone_number").is_some() {
            return Err(invalid("phone_number", Problem::NotSupported));
        }
        let picture = sent.get("picture");
        if picture.is_some_and(|url| !is_url(url)) {
            return Err(invalid("picture", Problem::NotAUrl));
        }
        let texts = ["name", "given_name", "family_name", "nickname", "picture"];
        let texts = texts.into_iter();
        Ok(Self {
            client_id: text(&sent, "client_id")?,
            connection: text(&sent, "connection")?,
            email: address(&sent)?,
            password: sent.require("password")?.clone(),
            username: sent.get("username").map(str::to_owned),
            fields: SignUpFields {
                texts: texts
                    .filter_map(|name| Some((name, sent.get(name)?.to_owned())))
                    .collect(),
                user_metadata: metadata(&sent)?,
            },
        })
    }
}

/// `POST /dbconnections/change_password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePasswordRequest {
    pub client_id: Option<String>,
    pub connection: String,
    pub email: String,
}

impl ChangePasswordRequest {
    /// Reads a body of at most 64 KiB.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Reason> {
        let sent = Parameters::parse_by(CHANGE_PASSWORD, content_type, body)?;
        if sent.get("organization").is_some() {
            return Err(invalid("organization", Problem::NotSupported));
        }
        Ok(Self {
            client_id: sent.get("client_id").map(str::to_owned),
            connection: text(&sent, "connection")?,
            email: address(&sent)?,
        })
    }
}

/// The form of our own pages: the ticket of the link, and a new password twice where one is chosen.
#[derive(Clone, Debug)]
pub struct NewPasswordForm {
    pub ticket: Secret,
    pub password: Option<Secret>,
    pub confirmation: Option<Secret>,
}

impl NewPasswordForm {
    /// Reads a body of at most 64 KiB.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Reason> {
        let sent = Parameters::parse_by(NEW_PASSWORD, content_type, body)?;
        Ok(Self {
            ticket: sent.require("ticket")?.clone(),
            password: sent.secret("password").cloned(),
            confirmation: sent.secret("confirmation").cloned(),
        })
    }
}

fn text(sent: &Parameters, name: &'static str) -> Result<String, Reason> {
    Ok(sent.require(name)?.expose().to_owned())
}

fn address(sent: &Parameters) -> Result<String, Reason> {
    let email = text(sent, "email")?;
    if Identifier::of(&email).looks_like_email() {
        Ok(email)
    } else {
        Err(invalid("email", Problem::NotAnAddress))
    }
}

fn metadata(sent: &Parameters) -> Result<Map<String, Value>, Reason> {
    let Some(members) = sent.object("user_metadata") else {
        return Ok(Map::new());
    };
    if members.len() > MOST_METADATA {
        return Err(invalid(
            "user_metadata",
            Problem::TooManyMembers(MOST_METADATA),
        ));
    }
    let fits = |name: &str, value: &Value| {
        value.as_str().is_some_and(|text| {
            !text.contains('\0')
                && !name.contains('\0')
                && name.chars().count() <= LONGEST_METADATA_NAME
                && text.chars().count() <= LONGEST_METADATA
        })
    };
    if members.iter().all(|(name, value)| fits(name, value)) {
        Ok(members.clone())
    } else {
        Err(invalid(
            "user_metadata",
            Problem::NotTexts(LONGEST_METADATA),
        ))
    }
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn invalid(name: &'static str, problem: Problem) -> Reason {
    Reason::InvalidParameter { name, problem }
}

#[cfg(test)]
mod tests;
