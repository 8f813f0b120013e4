//! Answers of `/dbconnections/*` (auth0-wire-facts §9.1): `{name, code, description, statusCode}`, and the sentence of
//! a change.

use axum::response::{IntoResponse, Response};
use credentials::{FormatValue, RuleOutcome, Unfit};
use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use protocol::{Reason, UsernameUnfit};
use serde_json::{Value, json};

use super::unkept;
use crate::passwords::{Refused, policy_text};

/// Why a call is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The body, a parameter, or the client's secret.
    Malformed(Reason),
    UnknownClient,
    /// There is no such connection, or the application may not use it.
    ConnectionNotEnabled,
    SignUpDisabled,
    ChangeDisabled,
    UsernameMissing,
    /// The directory has no user names.
    UsernameNotTaken,
    UsernameUnfit(UsernameUnfit),
    UsernameExists,
    UserExists,
    InvalidSignUp,
    Password(Refused),
    TooManySignUps,
    TooManyRequests,
    Unavailable,
}

/// The body of a refused password: `name`, `message`, `description` and what belongs to them.
pub(crate) fn unfit(refused: &Unfit) -> Value {
    match refused {
        Unfit::Weak(rules) => json!({
            "name": "PasswordStrengthError",
            "message": "Password is too weak",
            "code": "invalid_password",
            "description": { "rules": rules.iter().map(rule).collect::<Vec<_>>(), "verified": false },
            "policy": policy_text(rules),
            "statusCode": 400,
        }),
        Unfit::InDictionary => named("PasswordDictionaryError", "Password is too common"),
        Unfit::Personal => named(
            "PasswordNoUserInfoError",
            "Password contains user information",
        ),
    }
}

/// The texts of a password that was used before.
pub(crate) const REUSED: (&str, &str) =
    ("PasswordHistoryError", "Password has previously been used");

/// The text of a password that is known from a breach; the wire has a code for it and none.
pub(crate) const LEAKED: &str = "Password was disclosed in a data breach of another site. Choose one that you use nowhere else.";

fn named(name: &str, message: &str) -> Value {
    json!({
        "name": name,
        "message": message,
        "code": "invalid_password",
        "description": message,
        "statusCode": 400,
    })
}

fn rule(outcome: &RuleOutcome) -> Value {
    let format: Vec<Value> = outcome
        .format
        .iter()
        .map(|value| match value {
            FormatValue::Number(number) => Value::from(*number),
            FormatValue::Text(text) => Value::from(*text),
        })
        .collect();
    let mut body =
        json!({ "message": outcome.message, "code": outcome.code, "verified": outcome.is_kept });
    if !format.is_empty() {
        body["format"] = Value::from(format);
    }
    if !outcome.items.is_empty() {
        body["items"] = outcome.items.iter().map(rule).collect();
    }
    body
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(Reason::BodyTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(Reason::Unauthorized) => StatusCode::UNAUTHORIZED,
            Self::TooManySignUps
            | Self::TooManyRequests
            | Self::Malformed(Reason::TooManyRequests) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable
            | Self::Malformed(Reason::TemporarilyUnavailable)
            | Self::Password(Refused::Busy { .. } | Refused::Store(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What the log says of it; never anything of a password.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Malformed(reason) => reason.description().into_owned(),
            Self::UnknownClient => "There is no such client. Send the client_id of an application.".to_owned(),
            Self::ConnectionNotEnabled => "There is no such connection, or it is not enabled for this client.".to_owned(),
            Self::SignUpDisabled => "public signup is disabled".to_owned(),
            Self::ChangeDisabled => "self-service password change is disabled for this connection".to_owned(),
            Self::UsernameMissing => "missing username: this connection requires one".to_owned(),
            Self::UsernameNotTaken => "this connection has no user names: leave username out".to_owned(),
            Self::UsernameUnfit(unfit) => format!("Invalid parameter: username {unfit}"),
            Self::UsernameExists => "The username provided is in use already.".to_owned(),
            Self::UserExists => "The user already exists.".to_owned(),
            Self::InvalidSignUp => "Invalid sign up".to_owned(),
            Self::Password(Refused::NotAPassword(why)) => why.clone(),
            Self::Password(Refused::Unfit(Unfit::Weak(_))) => "Password is too weak".to_owned(),
            Self::Password(Refused::Unfit(Unfit::InDictionary)) => "Password is too common".to_owned(),
            Self::Password(Refused::Unfit(Unfit::Personal)) => "Password contains user information".to_owned(),
            Self::Password(Refused::Reused) => REUSED.1.to_owned(),
            Self::Password(Refused::Leaked) => LEAKED.to_owned(),
            Self::TooManySignUps => "We have detected suspicious sign-up behavior and further attempts will be blocked. Please contact the administrator.".to_owned(),
            Self::TooManyRequests => "Too many requests. Try again later.".to_owned(),
            Self::Unavailable | Self::Password(Refused::Busy { .. } | Refused::Store(_)) => {
                "The server is busy. Try again after the time in Retry-After.".to_owned()
            }
        }
    }

    fn body(&self) -> Value {
        if let Self::Password(Refused::Unfit(why)) = self {
            return unfit(why);
        }
        if let Self::Password(Refused::Reused) = self {
            return named(REUSED.0, REUSED.1);
        }
        let status = self.status();
        let (name, code) = match self {
            Self::Malformed(reason) => ("BadRequestError", reason.code().as_str()),
            Self::UnknownClient => ("BadRequestError", "invalid_client"),
            Self::SignUpDisabled => ("BadRequestError", "public signup is disabled"),
            Self::ConnectionNotEnabled
            | Self::ChangeDisabled
            | Self::UsernameMissing
            | Self::UsernameNotTaken
            | Self::UsernameUnfit(_) => ("BadRequestError", "invalid_request"),
            Self::UsernameExists => ("BadRequestError", "username_exists"),
            Self::UserExists => ("BadRequestError", "user_exists"),
            Self::InvalidSignUp => ("BadRequestError", "invalid_signup"),
            Self::Password(Refused::NotAPassword(_) | Refused::Unfit(_) | Refused::Reused) => {
                ("BadRequestError", "invalid_password")
            }
            Self::Password(Refused::Leaked) => ("BadRequestError", "password_leaked"),
            Self::TooManySignUps => ("AnomalyDetected", "too_many_attempts"),
            Self::TooManyRequests => ("TooManyRequestsError", "too_many_requests"),
            Self::Unavailable | Self::Password(Refused::Busy { .. } | Refused::Store(_)) => {
                ("ServiceUnavailableError", "temporarily_unavailable")
            }
        };
        let mut body = json!({
            "name": name,
            "code": code,
            "description": self.description(),
            "statusCode": status.as_u16(),
        });
        if let Self::SignUpDisabled = self {
            body["error"] = Value::from("public signup is disabled");
        }
        body
    }

    /// The answer.
    pub(crate) fn into_response(self, now: Timestamp) -> Response {
        let status = self.status();
        let mut response = unkept(status, &self.body());
        let headers = response.headers_mut();
        if status == StatusCode::TOO_MANY_REQUESTS {
            // Numbers for clients that parse them; nothing of a bucket's state.
            for (name, value) in [
                ("x-ratelimit-limit", 0),
                ("x-ratelimit-remaining", 0),
                ("x-ratelimit-reset", now.as_second()),
            ] {
                headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = match self {
                Self::Password(Refused::Busy { retry_after }) => retry_after.max(1),
                _ => 1,
            };
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The user who was signed up, or seems so.
pub(crate) fn signed_up(user: &Value) -> Response {
    unkept(StatusCode::OK, user)
}

/// What everybody is told who asks for a new password.
pub(crate) fn change_asked_for() -> Response {
    const SENTENCE: &str = "We've just sent you an email to reset your password.";
    let mut response = SENTENCE.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
