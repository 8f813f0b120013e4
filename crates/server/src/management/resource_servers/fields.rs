//! What a body of `/api/v2/resource-servers` may hold, and the rules that span fields.

use model::{ResourceServer, SigningAlgorithm, TokenDialect};
use protocol::Scope;
use serde_json::{Map, Value};

use crate::answer::management::Problem;
use crate::management::schema::{Field, Kind, field};

pub(super) const FIELDS: &[Field] = &[
    field("identifier", Kind::Text(600)),
    field("name", Kind::Text(200)),
    field(
        "scopes",
        Kind::Objects(&[
            field("value", Kind::Text(280)),
            field("description", Kind::NullableText(500)),
        ]),
    ),
    field("signing_alg", Kind::OneOf(&["RS256", "HS256"])),
    field("signing_secret", Kind::Text(256)),
    field("allow_offline_access", Kind::Bool),
    field(
        "skip_consent_for_verifiable_first_party_clients",
        Kind::Bool,
    ),
    field("token_lifetime", Kind::Integer(1, 2_592_000)),
    field("token_lifetime_for_web", Kind::Integer(1, 2_592_000)),
    field(
        "token_dialect",
        Kind::OneOf(&[
            "access_token",
            "access_token_authz",
            "rfc9068_profile",
            "rfc9068_profile_authz",
        ]),
    ),
    field("enforce_policies", Kind::Bool),
    field("allow_online_access", Kind::Inert(&[])),
    field("token_encryption", Kind::Inert(&[])),
    field("consent_policy", Kind::Inert(&["standard"])),
    field("authorization_details", Kind::Inert(&[])),
    field("proof_of_possession", Kind::Inert(&[])),
    field(
        "subject_type_authorization",
        Kind::Object(&[
            field(
                "user",
                Kind::Object(&[field(
                    "policy",
                    Kind::OneOf(&["allow_all", "deny_all", "require_client_grant"]),
                )]),
            ),
            field(
                "client",
                Kind::Object(&[field(
                    "policy",
                    Kind::OneOf(&["deny_all", "require_client_grant"]),
                )]),
            ),
        ]),
    ),
];

/// The typed API.
///
/// Errors: 400 naming the field and the remedy.
pub(super) fn read(document: Map<String, Value>) -> Result<ResourceServer, Problem> {
    let invalid = |text: &str| Problem::InvalidBody(format!("Payload validation error: {text}"));
    let server: ResourceServer = serde_json::from_value(Value::Object(document))
        .map_err(|error| invalid(&format!("'{error}'.")))?;
    if server.identifier.is_empty() {
        return Err(invalid(
            "'String is too short' on property identifier (send 1 to 600 characters).",
        ));
    }
    let is_scope = |value: &str| Scope::of([value]).iter().eq([value]);
    if !server.scope_values().all(is_scope) {
        return Err(invalid(
            "'String does not match pattern' on property scopes.value (printable ASCII without spaces, quotation marks and backslashes; nobody could request it otherwise).",
        ));
    }
    let says_permissions = matches!(
        server.token_dialect,
        Some(TokenDialect::AccessTokenAuthz | TokenDialect::Rfc9068ProfileAuthz)
    );
    if says_permissions && !server.enforce_policies {
        return Err(invalid(
            "'Value is not supported' on property token_dialect (the _authz dialects need enforce_policies true; send both in the same request).",
        ));
    }
    Ok(server)
}

/// The secret that a body brings for an API that signs with this algorithm.
///
/// Errors: too short, or of no use.
pub(super) fn secret(
    sent: &Map<String, Value>,
    alg: SigningAlgorithm,
) -> Result<Option<&str>, Problem> {
    let invalid = |text: &str| Problem::InvalidBody(format!("Payload validation error: {text}"));
    match (sent.get("signing_secret").and_then(Value::as_str), alg) {
        (None, _) => Ok(None),
        (Some(_), SigningAlgorithm::RS256) => Err(invalid(
            "'Additional properties not allowed: signing_secret' (it belongs to signing_alg HS256; leave it out).",
        )),
        (Some(secret), SigningAlgorithm::HS256) if secret.len() < 16 => Err(invalid(
            "'String is too short' on property signing_secret (at least 16 characters; leave it out to get one).",
        )),
        (Some(secret), SigningAlgorithm::HS256) => Ok(Some(secret)),
    }
}
