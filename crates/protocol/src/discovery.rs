//! `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3; auth0-wire-facts §9.1): only what this
//! server does.

use serde_json::{Map, Value, json};

use crate::GrantType;
use crate::scope::STANDARD;

/// The document for an issuer, which ends with a slash.
pub fn configuration(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let mut document = Map::new();
    let mut say = |member: &str, value: Value| document.insert(member.to_owned(), value);
    say("issuer", json!(issuer));
    // Not built yet. Discovery requires the member and clients refuse a document without it, and this is the URL
    // the wire has; whoever goes there finds nothing.
    say("authorization_endpoint", json!(at("authorize")));
    say("token_endpoint", json!(at("oauth/token")));
    say("jwks_uri", json!(at(".well-known/jwks.json")));
    say("userinfo_endpoint", json!(at("userinfo")));
    say("scopes_supported", json!(STANDARD));
    // Required as well (§3); it speaks of the authorization endpoint above.
    say("response_types_supported", json!(["code"]));
    say(
        "grant_types_supported",
        json!(GrantType::ALL.map(GrantType::as_str)),
    );
    say("subject_types_supported", json!(["public"]));
    say(
        "id_token_signing_alg_values_supported",
        json!(["RS256", "HS256"]),
    );
    say(
        "token_endpoint_auth_methods_supported",
        json!(["client_secret_basic", "client_secret_post"]),
    );
    say("claims_supported", json!(CLAIMS));
    say("request_parameter_supported", json!(false));
    say("request_uri_parameter_supported", json!(false));
    Value::Object(document)
}

const CLAIMS: [&str; 16] = [
    "aud",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "given_name",
    "iat",
    "iss",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "sub",
    "updated_at",
];

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://login.example.com/";

    /// OpenID Connect Discovery 1.0 §3: the required members.
    #[test]
    fn required_members_are_there() {
        let document = configuration(ISSUER);
        assert_eq!(document["issuer"], ISSUER);
        assert_eq!(
            document["token_endpoint"],
            "https://login.example.com/oauth/token"
        );
        assert_eq!(
            document["jwks_uri"],
            "https://login.example.com/.well-known/jwks.json"
        );
        for member in [
            "authorization_endpoint",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
        ] {
            assert!(!document[member].is_null(), "{member}");
        }
    }

    #[test]
    fn nothing_is_promised_that_is_not_there() {
        let document = configuration(ISSUER);
        let members = document.as_object().unwrap().keys();
        let endpoints: Vec<&String> = members.filter(|name| name.ends_with("_endpoint")).collect();
        assert_eq!(
            endpoints,
            [
                "authorization_endpoint",
                "token_endpoint",
                "userinfo_endpoint"
            ]
        );
    }
}
