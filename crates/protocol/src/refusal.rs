//! Why a call at the token endpoint is refused: one [`Reason`] per row of auth0-wire-facts §2.1–2.4 that
//! concerns these grants, each with its wire code and the exact text; where the wire has no text, our own.
//!
//! Statuses and headers are decided in `server`. Texts repeat names and addresses of APIs, never secrets.

use std::borrow::Cow;

use thiserror::Error;

use crate::GrantType;

/// Why, with what the text needs to say it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    #[error(
        "Unsupported content type. Send application/json or application/x-www-form-urlencoded."
    )]
    UnsupportedContentType,
    #[error("The request body is larger than 64 KiB. Send a smaller one.")]
    BodyTooLarge,
    #[error("The request body could not be read. Send it again.")]
    UnreadableBody,
    #[error("The request body is not valid JSON.")]
    MalformedJson,
    #[error("The request body must be a JSON object.")]
    NotAnObject,
    #[error("The request body is not a valid form: percent-encode each name and value.")]
    MalformedForm,
    #[error("The request body must be UTF-8.")]
    NotUtf8,
    #[error("A parameter holds a NUL character. Remove it.")]
    NulCharacter,
    #[error("The request has more than {0} parameters. Send only those the grant needs.")]
    TooManyParameters(usize),
    /// The name, cut to 64 characters.
    #[error("Duplicate parameter: {0}. Send it once.")]
    DuplicateParameter(String),
    #[error("Missing required parameter: {0}")]
    MissingParameter(&'static str),
    #[error("Invalid parameter: {name} {problem}")]
    InvalidParameter {
        name: &'static str,
        problem: Problem,
    },
    #[error("Unsupported grant type: {0}")]
    UnsupportedGrantType(String),

    #[error("Missing client_id")]
    MissingClientId,
    #[error(
        "The Authorization header is not valid Basic authentication: percent-encode client_id and client_secret, join them by a colon, and send their Base64 form."
    )]
    MalformedBasic,
    #[error(
        "The client authenticates twice, in the Authorization header and with client_secret in the body. Send one of them."
    )]
    TwoClientAuthentications,
    #[error(
        "The client_id in the body differs from the one in the Authorization header. Send one of them."
    )]
    ConflictingClientIds,
    /// Unknown client, wrong secret, no secret: one answer, so that none is told from the others.
    #[error("Unauthorized")]
    Unauthorized,
    #[error("Grant type '{0}' not allowed for the client.")]
    GrantNotAllowed(GrantType),
    #[error(
        "The client_credentials grant needs a client that authenticates: set its Token Endpoint Authentication Method to Post or Basic."
    )]
    PublicClient,

    #[error("{}", wrong_credentials(*.username_required))]
    WrongCredentials { username_required: bool },
    /// By an administrator.
    #[error("user is blocked")]
    UserBlocked,
    /// The password was right, and is known from a breach.
    #[error(
        "This login attempt has been blocked because the password you're using was previously disclosed through a data breach (not in this application). Please check your email for more information."
    )]
    PasswordLeaked,
    #[error(
        "Your account has been blocked after multiple consecutive login attempts. We've sent you a notification via your preferred contact method with instructions on how to unblock it."
    )]
    BruteForceBlocked,
    #[error(
        "We have detected suspicious login behavior and further attempts will be blocked. Please contact the administrator."
    )]
    SuspiciousIp,
    #[error(
        "Too many logins of this user from this address. Try again after the time in Retry-After."
    )]
    SameUserLimit,
    /// Too many wrong secrets of this application from this address.
    #[error("Too many requests. Try again after the time in Retry-After.")]
    TooManyRequests,

    #[error("Service not enabled within domain: {0}")]
    ServiceNotEnabled(String),
    #[error(
        "Client is not authorized to access \"{audience}\". You need to create a \"client-grant\" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"
    )]
    NotAuthorizedForAudience { audience: String },
    /// The API's policy for users is `deny_all`.
    #[error(
        "Users get no tokens for \"{0}\": its policy for user access is deny_all. An administrator can change it in the API's settings."
    )]
    ApiDeniesUsers(String),
    /// The API's policy for applications is `deny_all`.
    #[error(
        "Applications get no tokens of their own for \"{0}\": its policy for client access is deny_all. An administrator can change it in the API's settings."
    )]
    ApiDeniesClients(String),
    #[error("Client has not been granted scopes: {}", .0.join(", "))]
    ScopesNotGranted(Vec<String>),
    /// Client credentials without an audience, in a tenant without a default one.
    #[error("Non-global clients are not allowed access to APIv1")]
    NoAudience,
    /// A user asked for the Management API and may have none of its scopes (auth0-wire-facts §10 row 19).
    #[error(
        "A user's token for this API may only hold its current_user scopes, and none was granted. Request one of them, or use the client_credentials grant."
    )]
    SystemApiScopeless,
    #[error("Unknown realm {0}.")]
    UnknownRealm(String),
    #[error("The connection is not enabled for this client")]
    ConnectionNotEnabled,
    #[error("invalid connection specified for password grant")]
    NoPasswordConnection,
    #[error("Authorization server not configured with default connection.")]
    NoDefaultDirectory,

    #[error("The server is busy. Try again after the time in Retry-After.")]
    TemporarilyUnavailable,
    #[error("An internal error occurred.")]
    ServerError,
}

impl Reason {
    /// The `error` member of the answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnsupportedContentType
            | Self::BodyTooLarge
            | Self::UnreadableBody
            | Self::MalformedJson
            | Self::NotAnObject
            | Self::MalformedForm
            | Self::NotUtf8
            | Self::NulCharacter
            | Self::TooManyParameters(_)
            | Self::DuplicateParameter(_)
            | Self::MissingParameter(_)
            | Self::InvalidParameter { .. }
            | Self::TwoClientAuthentications
            | Self::ConflictingClientIds
            | Self::UnknownRealm(_)
            | Self::NoPasswordConnection => ErrorCode::InvalidRequest,
            Self::UnsupportedGrantType(_) => ErrorCode::UnsupportedGrantType,
            Self::MissingClientId | Self::MalformedBasic => ErrorCode::InvalidClient,
            Self::Unauthorized
            | Self::ServiceNotEnabled(_)
            | Self::NotAuthorizedForAudience { .. }
            | Self::ApiDeniesUsers(_)
            | Self::ApiDeniesClients(_)
            | Self::ScopesNotGranted(_)
            | Self::NoAudience
            | Self::SystemApiScopeless => ErrorCode::AccessDenied,
            Self::GrantNotAllowed(_) | Self::PublicClient | Self::ConnectionNotEnabled => {
                ErrorCode::UnauthorizedClient
            }
            Self::WrongCredentials { .. } => ErrorCode::InvalidGrant,
            Self::UserBlocked => ErrorCode::Unauthorized,
            Self::PasswordLeaked => ErrorCode::PasswordLeaked,
            Self::BruteForceBlocked | Self::SuspiciousIp => ErrorCode::TooManyAttempts,
            Self::SameUserLimit | Self::TooManyRequests => ErrorCode::TooManyRequests,
            Self::NoDefaultDirectory | Self::ServerError => ErrorCode::ServerError,
            Self::TemporarilyUnavailable => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// The `error_description` member of the answer.
    pub fn description(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

fn wrong_credentials(username_required: bool) -> &'static str {
    if username_required {
        "Wrong username or password."
    } else {
        "Wrong email or password."
    }
}

/// What is wrong with a parameter's value, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("must be a string")]
    NotAString,
    #[error("must be an object, in a JSON body")]
    NotAnObject,
    #[error("must be an object of at most {0} members")]
    TooManyMembers(usize),
    #[error("must hold only strings of at most {0} characters, under names of at most 100")]
    NotTexts(usize),
    #[error("must be one e-mail address")]
    NotAnAddress,
    #[error("must be a URL with https or http")]
    NotAUrl,
    #[error("is not supported here; leave it out")]
    NotSupported,
    #[error("must have at most {0} bytes")]
    TooManyBytes(usize),
    #[error("must have at most {0} characters")]
    TooManyCharacters(usize),
    #[error("must have at most {0} items")]
    TooManyItems(usize),
    /// RFC 6749 §3.3.
    #[error(
        "must be printable ASCII without quotation marks and backslashes, its items separated by spaces"
    )]
    NotAScope,
}

/// The words of RFC 6749 §5.2, and the vendor's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    AccessDenied,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    /// A right password that is known from a breach.
    PasswordLeaked,
    ServerError,
    TemporarilyUnavailable,
    TooManyAttempts,
    TooManyRequests,
    /// A user whom an administrator blocked.
    Unauthorized,
    UnauthorizedClient,
    UnsupportedGrantType,
}

impl ErrorCode {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::PasswordLeaked => "password_leaked",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::TooManyAttempts => "too_many_attempts",
            Self::TooManyRequests => "too_many_requests",
            Self::Unauthorized => "unauthorized",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// auth0-wire-facts §2.1–2.4, and our own rows.
    #[test]
    fn each_reason_has_its_code_and_text() {
        let aud = || "https://api.example.com/".to_owned();
        let rows: Vec<(Reason, &str, &str)> = vec![
            // §2.2
            (
                Reason::WrongCredentials {
                    username_required: false,
                },
                "invalid_grant",
                "Wrong email or password.",
            ),
            (
                Reason::WrongCredentials {
                    username_required: true,
                },
                "invalid_grant",
                "Wrong username or password.",
            ),
            (Reason::UserBlocked, "unauthorized", "user is blocked"),
            (
                Reason::PasswordLeaked,
                "password_leaked",
                "This login attempt has been blocked because the password you're using was previously disclosed through a data breach (not in this application). Please check your email for more information.",
            ),
            // §2.3
            (
                Reason::BruteForceBlocked,
                "too_many_attempts",
                "Your account has been blocked after multiple consecutive login attempts. We've sent you a notification via your preferred contact method with instructions on how to unblock it.",
            ),
            (
                Reason::SuspiciousIp,
                "too_many_attempts",
                "We have detected suspicious login behavior and further attempts will be blocked. Please contact the administrator.",
            ),
            (
                Reason::SameUserLimit,
                "too_many_requests",
                "Too many logins of this user from this address. Try again after the time in Retry-After.",
            ),
            // §2.4
            (Reason::Unauthorized, "access_denied", "Unauthorized"),
            (
                Reason::MissingClientId,
                "invalid_client",
                "Missing client_id",
            ),
            (
                Reason::GrantNotAllowed(GrantType::Password),
                "unauthorized_client",
                "Grant type 'password' not allowed for the client.",
            ),
            (
                Reason::GrantNotAllowed(GrantType::PasswordRealm),
                "unauthorized_client",
                "Grant type 'http://auth0.com/oauth/grant-type/password-realm' not allowed for the client.",
            ),
            (
                Reason::UnsupportedGrantType("magic".to_owned()),
                "unsupported_grant_type",
                "Unsupported grant type: magic",
            ),
            (
                Reason::MissingParameter("grant_type"),
                "invalid_request",
                "Missing required parameter: grant_type",
            ),
            (
                Reason::InvalidParameter {
                    name: "scope",
                    problem: Problem::NotAString,
                },
                "invalid_request",
                "Invalid parameter: scope must be a string",
            ),
            (
                Reason::ServiceNotEnabled(aud()),
                "access_denied",
                "Service not enabled within domain: https://api.example.com/",
            ),
            (
                Reason::NotAuthorizedForAudience { audience: aud() },
                "access_denied",
                "Client is not authorized to access \"https://api.example.com/\". You need to create a \"client-grant\" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants",
            ),
            (
                Reason::ApiDeniesUsers(aud()),
                "access_denied",
                "Users get no tokens for \"https://api.example.com/\": its policy for user access is deny_all. An administrator can change it in the API's settings.",
            ),
            (
                Reason::ApiDeniesClients(aud()),
                "access_denied",
                "Applications get no tokens of their own for \"https://api.example.com/\": its policy for client access is deny_all. An administrator can change it in the API's settings.",
            ),
            (
                Reason::ScopesNotGranted(vec!["a".to_owned(), "b".to_owned()]),
                "access_denied",
                "Client has not been granted scopes: a, b",
            ),
            (
                Reason::NoAudience,
                "access_denied",
                "Non-global clients are not allowed access to APIv1",
            ),
            (
                Reason::UnknownRealm("nowhere".to_owned()),
                "invalid_request",
                "Unknown realm nowhere.",
            ),
            (
                Reason::ConnectionNotEnabled,
                "unauthorized_client",
                "The connection is not enabled for this client",
            ),
            (
                Reason::NoPasswordConnection,
                "invalid_request",
                "invalid connection specified for password grant",
            ),
            (
                Reason::NoDefaultDirectory,
                "server_error",
                "Authorization server not configured with default connection.",
            ),
            // Our own texts.
            (
                Reason::DuplicateParameter("username".to_owned()),
                "invalid_request",
                "Duplicate parameter: username. Send it once.",
            ),
            (
                Reason::InvalidParameter {
                    name: "password",
                    problem: Problem::TooManyBytes(1024),
                },
                "invalid_request",
                "Invalid parameter: password must have at most 1024 bytes",
            ),
            (
                Reason::TemporarilyUnavailable,
                "temporarily_unavailable",
                "The server is busy. Try again after the time in Retry-After.",
            ),
            (
                Reason::ServerError,
                "server_error",
                "An internal error occurred.",
            ),
        ];
        for (reason, code, text) in rows {
            assert_eq!(reason.code().as_str(), code, "{reason:?}");
            assert_eq!(reason.description(), text, "{reason:?}");
        }
    }

    /// What has no text on the wire must still tell the caller what to do.
    #[test]
    fn reasons_of_our_own_have_their_codes() {
        for (reason, code) in [
            (Reason::UnsupportedContentType, "invalid_request"),
            (Reason::BodyTooLarge, "invalid_request"),
            (Reason::UnreadableBody, "invalid_request"),
            (Reason::MalformedJson, "invalid_request"),
            (Reason::NotAnObject, "invalid_request"),
            (Reason::MalformedForm, "invalid_request"),
            (Reason::NotUtf8, "invalid_request"),
            (Reason::NulCharacter, "invalid_request"),
            (Reason::TooManyParameters(64), "invalid_request"),
            (Reason::TwoClientAuthentications, "invalid_request"),
            (Reason::ConflictingClientIds, "invalid_request"),
            (Reason::MalformedBasic, "invalid_client"),
            (Reason::PublicClient, "unauthorized_client"),
            (Reason::SystemApiScopeless, "access_denied"),
        ] {
            assert_eq!(reason.code().as_str(), code, "{reason:?}");
            assert!(reason.description().ends_with('.'), "{reason:?}");
        }
    }
}
