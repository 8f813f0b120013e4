//! The document of an application: defaults, changes laid over it, and the rules that span fields.

use model::{Client, ClientId, TokenEndpointAuthMethod};
use serde_json::{Map, Value, json};

use crate::answer::management::Problem;

/// A new application: the documented defaults under what was sent.
pub(super) fn with_defaults(id: &ClientId, sent: &Map<String, Value>) -> Map<String, Value> {
    let public = sent
        .get("token_endpoint_auth_method")
        .is_some_and(|method| method == "none");
    let mut grants = vec!["authorization_code", "implicit", "refresh_token"];
    if !public {
        grants.push("client_credentials");
    }
    let defaults = json!({
        "client_id": id,
        "global": false,
        "is_first_party": true,
        "oidc_conformant": false,
        "sso_disabled": false,
        "cross_origin_auth": false,
        "cross_origin_authentication": false,
        "custom_login_page_on": true,
        "is_token_endpoint_ip_header_trusted": false,
        "grant_types": grants,
        "jwt_configuration": { "secret_encoded": false, "lifetime_in_seconds": 36_000 },
        "refresh_token": {
            "rotation_type": "non-rotating",
            "expiration_type": "non-expiring",
            "leeway": 0,
            "token_lifetime": 2_592_000,
            "idle_token_lifetime": 1_296_000,
            "infinite_token_lifetime": true,
            "infinite_idle_token_lifetime": true,
        },
    });
    let mut document = match defaults {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    merge(&mut document, sent);
    document
}

/// Lays a change over a document: null removes, the two nested settings are merged, the rest is replaced.
pub(super) fn merge(document: &mut Map<String, Value>, sent: &Map<String, Value>) {
    for (name, value) in sent {
        match (name.as_str(), value, document.get_mut(name)) {
            ("client_secret", ..) => {}
            (_, Value::Null, _) => {
                document.remove(name);
            }
            (
                "jwt_configuration" | "refresh_token" | "client_metadata",
                Value::Object(new),
                Some(Value::Object(old)),
            ) => {
                for (member, value) in new {
                    if value.is_null() {
                        old.remove(member);
                    } else {
                        old.insert(member.clone(), value.clone());
                    }
                }
            }
            _ => {
                document.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The typed client, with the rules that span fields.
pub(super) fn read(document: Map<String, Value>) -> Result<Client, Problem> {
    let invalid = |text: &str| Problem::InvalidBody(text.to_owned());
    let client: Client = serde_json::from_value(Value::Object(document))
        .map_err(|error| Problem::InvalidBody(format!("Payload validation error: '{error}'.")))?;
    if client.name.is_empty() || client.name.contains(['<', '>']) {
        return Err(invalid(
            "Payload validation error: 'String does not match pattern' on property name (at least one character, no < or >).",
        ));
    }
    let authenticates = matches!(
        client.token_endpoint_auth_method,
        Some(
            TokenEndpointAuthMethod::ClientSecretPost | TokenEndpointAuthMethod::ClientSecretBasic
        )
    );
    if client.is_token_endpoint_ip_header_trusted && !authenticates {
        return Err(invalid(
            "The flag is_token_endpoint_ip_header_trusted can only be set true on clients that require authentication \
             (i.e. token_endpoint_auth_method is set to 'client_secret_post' or 'client_secret_basic'). Send \
             token_endpoint_auth_method with one of these values in the same request, or set the flag to false.",
        ));
    }
    if client.token_endpoint_auth_method == Some(TokenEndpointAuthMethod::None)
        && client.may_use("client_credentials")
    {
        return Err(invalid(
            "Application must not have Token Endpoint Authentication Method set to \"none\" when client_credentials grant type is enabled",
        ));
    }
    Ok(client)
}

/// The members of a typed application.
pub(super) fn to_map(client: &Client) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(client) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::Internal("a client is not an object".to_owned())),
    }
}
