use jiff::SignedDuration;
use model::{Client, ResourceServer};
use serde_json::{Value, json};

use super::*;
use crate::token::testing::{
    api, caller, client, client_grant, form, password_request, user, user_api,
};
use crate::{
    AccessTokenKind, Caller, PasswordFacts, TokenRequest, authentication_rule, client_credentials,
};

const AUD: &str = "https://api.example.com/";
const ISSUER: &str = "https://login.example.com/";
const USER: &str = "auth0|0123456789abcdef01234567";

fn now() -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_999).unwrap()
}

fn approve(more: &str, api: Option<ResourceServer>, caller: Caller) -> Approved {
    let request = password_request(more);
    let management = "https://login.example.com/api/v2/";
    let api = api.map(|api| user_api(std::sync::Arc::new(api), management));
    let facts = PasswordFacts::judge(caller, request, api);
    facts.unwrap().approve(&user()).unwrap()
}

fn orders(dialect: Option<TokenDialect>) -> ResourceServer {
    let mut api = (*api(AUD, &["read:orders"])).clone();
    api.token_dialect = dialect;
    api.token_lifetime = 600;
    api
}

fn access(approved: &Approved) -> Value {
    let claims = approved.access_token_claims(ISSUER, now(), "jti-1".to_owned());
    serde_json::to_value(claims).unwrap()
}

/// auth0-wire-facts §1.6, the table of claims: values and order.
#[test]
fn the_vendors_dialect() {
    let approved = approve("scope=read:orders", Some(orders(None)), caller());
    let claims = approved.access_token_claims(ISSUER, now(), "jti-1".to_owned());
    let expected = r#"{"iss":"https://login.example.com/","sub":"auth0|0123456789abcdef01234567","aud":"https://api.example.com/","iat":1700000000,"exp":1700000600,"scope":"read:orders","gty":"password","azp":"shop"}"#;
    assert_eq!(serde_json::to_string(&claims).unwrap(), expected);
    assert_eq!(
        approved.access_token_kind(),
        AccessTokenKind::Jwt {
            alg: SigningAlgorithm::RS256,
            dialect: TokenDialect::AccessToken,
            lifetime: SignedDuration::from_secs(600),
            header_type: "JWT",
        }
    );
    let answer = approved.answer("secret-token".to_owned(), None);
    assert!(!format!("{answer:?}").contains("secret-token"));
    assert_eq!(
        serde_json::to_string(&answer).unwrap(),
        r#"{"access_token":"secret-token","expires_in":600,"token_type":"Bearer"}"#
    );
}

/// RFC 9068 §2.2 as auth0-wire-facts §1.6 has it.
#[test]
fn the_dialect_of_rfc_9068() {
    let api = orders(Some(TokenDialect::Rfc9068ProfileAuthz));
    let approved = approve("scope=read:orders", Some(api), caller());
    let expected = json!({
        "iss": ISSUER, "sub": USER, "aud": AUD, "iat": 1_700_000_000, "exp": 1_700_000_600,
        "scope": "read:orders", "client_id": "shop", "jti": "jti-1", "permissions": [],
    });
    assert_eq!(access(&approved), expected);
    assert!(matches!(
        approved.access_token_kind(),
        AccessTokenKind::Jwt {
            header_type: "at+jwt",
            ..
        }
    ));
}

#[test]
fn only_authz_dialects_say_permissions() {
    for (dialect, says) in [
        (None, false),
        (Some(TokenDialect::AccessToken), false),
        (Some(TokenDialect::AccessTokenAuthz), true),
        (Some(TokenDialect::Rfc9068Profile), false),
        (Some(TokenDialect::Rfc9068ProfileAuthz), true),
    ] {
        let claims = access(&approve("", Some(orders(dialect)), caller()));
        assert_eq!(claims.get("permissions").is_some(), says, "{dialect:?}");
    }
}

#[test]
fn openid_makes_the_token_good_for_userinfo_where_it_is_rs256() {
    let both = json!([AUD, "https://login.example.com/userinfo"]);
    let claims = access(&approve(
        "scope=openid+read:orders",
        Some(orders(None)),
        caller(),
    ));
    assert_eq!(claims["aud"], both);
    let mut shared = orders(None);
    shared.signing_alg = SigningAlgorithm::HS256;
    let claims = access(&approve("scope=openid", Some(shared), caller()));
    assert_eq!(claims["aud"], AUD);
    let claims = access(&approve("scope=read:orders", Some(orders(None)), caller()));
    assert_eq!(claims["aud"], AUD);
}

#[test]
fn an_empty_scope_is_not_said() {
    let claims = access(&approve("scope=unknown", Some(orders(None)), caller()));
    assert!(claims.get("scope").is_none());
}

#[test]
fn without_an_audience_the_token_is_opaque_for_a_day() {
    let approved = approve("", None, caller());
    let lifetime = SignedDuration::from_secs(86_400);
    assert_eq!(
        approved.access_token_kind(),
        AccessTokenKind::Opaque { lifetime }
    );
    let answer = approved.answer("token".to_owned(), Some("id".to_owned()));
    let expected = r#"{"access_token":"token","id_token":"id","scope":"openid profile email address phone","expires_in":86400,"token_type":"Bearer"}"#;
    assert_eq!(serde_json::to_string(&answer).unwrap(), expected);
}

/// auth0-wire-facts §1.6: `sub` and `gty` of client credentials.
#[test]
fn an_application_speaks_for_itself() {
    let body = form("grant_type=client_credentials");
    let TokenRequest::ClientCredentials(request) = TokenRequest::read(&body).unwrap() else {
        panic!("client credentials were asked for")
    };
    // An API that calls a scope `openid` gives no application an identity.
    let api = {
        let mut api = (*api(AUD, &["openid", "a"])).clone();
        api.token_dialect = Some(TokenDialect::AccessTokenAuthz);
        api
    };
    let grant = client_grant(AUD, &["openid", "a"]);
    let approved = client_credentials::approve(&caller(), request, AUD, Some(&api), Some(&grant));
    let approved = approved.unwrap();
    let expected = json!({
        "iss": ISSUER, "sub": "shop@clients", "aud": AUD, "iat": 1_700_000_000, "exp": 1_700_086_400,
        "scope": "openid a", "gty": "client-credentials", "azp": "shop", "permissions": ["openid", "a"],
    });
    assert_eq!(access(&approved), expected);
    assert!(approved.id_token_claims(ISSUER, now()).is_none());
}

/// auth0-wire-facts §1.5 (scope to claims) and §1.7.
#[test]
fn an_id_token_says_what_the_scope_lets_it() {
    let id_token = |more: &str| {
        let approved = approve(more, None, caller()).with_updated_at(now());
        let claims = approved.id_token_claims(ISSUER, now())?;
        Some(serde_json::to_string(&claims).unwrap())
    };
    let base = r#"{"iss":"https://login.example.com/","sub":"auth0|0123456789abcdef01234567","aud":"shop","iat":1700000000,"exp":1700036000"#;
    let profile = r#","name":"Ana","middle_name":"M","nickname":"ana","picture":"https://img/ana","updated_at":"2023-11-14T22:13:20.999Z""#;
    let email = r#","email":"ana@example.com","email_verified":true"#;
    let phone = r#","phone_number":"+15550100","phone_number_verified":false"#;
    for (more, said) in [
        ("", Some(format!("{base}{profile}{email}{phone}}}"))),
        (
            "scope=openid",
            Some(format!("{base}{profile}{email}{phone}}}")),
        ),
        ("scope=openid+address", Some(format!("{base}}}"))),
        ("scope=openid+email", Some(format!("{base}{email}}}"))),
        ("scope=openid+profile", Some(format!("{base}{profile}}}"))),
        ("scope=openid+phone", Some(format!("{base}{phone}}}"))),
        ("scope=profile", None),
    ] {
        assert_eq!(id_token(more), said, "{more}");
    }
}

#[test]
fn a_public_client_gets_rs256_whatever_it_is_set_to() {
    let with = |change: fn(&mut Client)| {
        let mut client = client();
        client.jwt_configuration.alg = Some(SigningAlgorithm::HS256);
        change(&mut client);
        let caller = authentication_rule(Some(std::sync::Arc::new(client)), Some(true)).unwrap();
        approve("", None, caller).id_token_algorithm()
    };
    assert_eq!(with(|_| {}), SigningAlgorithm::HS256);
    let public = |client: &mut Client| {
        client.token_endpoint_auth_method = Some(model::TokenEndpointAuthMethod::None);
    };
    assert_eq!(with(public), SigningAlgorithm::RS256);
}
