use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::TokenEndpointAuthMethod;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn body(text: &str) -> Parameters {
    Parameters::parse(Some("application/x-www-form-urlencoded"), text.as_bytes()).unwrap()
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn read(authorization: Option<&str>, form: &str) -> Result<PresentedClient, Reason> {
    PresentedClient::read(authorization, &body(form))
}

fn client(method: Option<TokenEndpointAuthMethod>, app_type: &str) -> Client {
    let mut client: Client = serde_json::from_value(json!({
        "client_id": "shop", "name": "Shop", "app_type": app_type,
        "grant_types": ["password", "client_credentials"],
    }))
    .unwrap();
    client.token_endpoint_auth_method = method;
    client
}

/// RFC 6749 §2.3.1.
#[test]
fn id_and_secret_come_in_the_header_or_in_the_body() {
    for (authorization, form, id, secret) in [
        (None, "client_id=shop", "shop", None),
        (
            None,
            "client_id=shop&client_secret=s3",
            "shop",
            Some(("s3", "body")),
        ),
        (None, "client_id=shop&client_secret=", "shop", None),
        (Some(basic("shop:s3")), "", "shop", Some(("s3", "basic"))),
        (
            Some(basic("shop:s3")),
            "client_id=shop",
            "shop",
            Some(("s3", "basic")),
        ),
        (
            Some(basic("a%3Ab:s%25%3A%2B:+")),
            "",
            "a:b",
            Some(("s%:+:+", "basic")),
        ),
        (Some(basic("shop:")), "", "shop", None),
        (
            Some(format!("bAsIc  {}", STANDARD.encode("shop:s3"))),
            "",
            "shop",
            Some(("s3", "basic")),
        ),
        (
            Some("Bearer abc".to_owned()),
            "client_id=shop",
            "shop",
            None,
        ),
        (Some(String::new()), "client_id=shop", "shop", None),
    ] {
        let presented = read(authorization.as_deref(), form).unwrap();
        assert_eq!(presented.id().as_str(), id, "{authorization:?} {form}");
        assert_eq!(
            presented.secret(),
            secret.map(|(text, _)| text),
            "{authorization:?} {form}"
        );
        let way = match presented.presented_secret() {
            PresentedSecret::None => None,
            PresentedSecret::Basic(_) => Some("basic"),
            PresentedSecret::Body(_) => Some("body"),
        };
        assert_eq!(way, secret.map(|(_, way)| way), "{authorization:?} {form}");
    }
}

/// auth0-wire-facts §10 rows 9 and 20.
#[test]
fn contradictions_and_gaps_are_refused() {
    let too_long = basic(&format!("{}:s3", "x".repeat(257)));
    for (authorization, form, reason) in [
        (None, "", Reason::MissingClientId),
        (None, "client_secret=s3", Reason::MissingClientId),
        (Some(basic(":s3")), "", Reason::MissingClientId),
        (
            Some(basic("shop:s3")),
            "client_secret=s3",
            Reason::TwoClientAuthentications,
        ),
        (
            Some(basic("shop:")),
            "client_id=shop&client_secret=s3",
            Reason::TwoClientAuthentications,
        ),
        (
            Some(basic("shop:s3")),
            "client_id=other",
            Reason::ConflictingClientIds,
        ),
        (
            Some(basic("shop:s3")),
            "client_id=SHOP",
            Reason::ConflictingClientIds,
        ),
        (
            Some("Basic".to_owned()),
            "client_id=shop",
            Reason::MalformedBasic,
        ),
        (
            Some("Basic !".to_owned()),
            "client_id=shop",
            Reason::MalformedBasic,
        ),
        (
            Some(basic("shop")),
            "client_id=shop",
            Reason::MalformedBasic,
        ),
        (Some(basic("shop:%zz")), "", Reason::MalformedBasic),
        (Some(basic("shop:%ff")), "", Reason::MalformedBasic),
        (Some(basic("shop:a%00")), "", Reason::MalformedBasic),
        (Some(basic("sh\nop:a")), "", Reason::MalformedBasic),
        (
            Some(too_long),
            "",
            Reason::InvalidParameter {
                name: "client_id",
                problem: crate::Problem::TooManyCharacters(256),
            },
        ),
    ] {
        let refused = read(authorization.as_deref(), form).unwrap_err();
        assert_eq!(refused, reason, "{authorization:?} {form}");
    }
}

#[test]
fn debug_hides_the_secret() {
    let presented = read(None, "client_id=shop&client_secret=hunter2").unwrap();
    assert!(!format!("{presented:?}").contains("hunter2"));
}

/// auth0-wire-facts §3, §2.4, §10 rows 21 and 29.
#[test]
fn standing_follows_the_method_and_the_comparison() {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None as NoMethod};
    let refused = Err(Reason::Unauthorized);
    let authenticated = Ok(ClientStanding::Authenticated);
    let public = Ok(ClientStanding::Public);
    for (method, app_type, without, right, wrong) in [
        (
            Some(ClientSecretPost),
            "regular_web",
            &refused,
            &authenticated,
            &refused,
        ),
        (
            Some(ClientSecretBasic),
            "spa",
            &refused,
            &authenticated,
            &refused,
        ),
        (None, "regular_web", &refused, &authenticated, &refused),
        (None, "non_interactive", &refused, &authenticated, &refused),
        (None, "native", &public, &public, &refused),
        (None, "spa", &public, &public, &refused),
        (Some(NoMethod), "regular_web", &public, &public, &refused),
    ] {
        let client = client(method, app_type);
        for (matches, expected) in [(None, without), (Some(true), right), (Some(false), wrong)] {
            let decided = authentication_rule(Some(Arc::new(client.clone())), matches);
            assert_eq!(
                &decided.map(|caller| caller.standing()),
                expected,
                "{method:?} {app_type} {matches:?}"
            );
        }
    }
}

#[test]
fn an_unknown_client_is_refused_like_a_wrong_secret() {
    for matches in [None, Some(true), Some(false)] {
        let refused = authentication_rule(None, matches).unwrap_err();
        assert_eq!(refused, Reason::Unauthorized);
    }
}

/// auth0-wire-facts §2.4: grant not in the list, third party, public client.
#[test]
fn grants_must_be_given() {
    let confidential = client(
        Some(TokenEndpointAuthMethod::ClientSecretPost),
        "regular_web",
    );
    let caller = authentication_rule(Some(Arc::new(confidential.clone())), Some(true)).unwrap();
    assert_eq!(caller.require_grant(GrantType::Password), Ok(()));
    assert_eq!(caller.require_grant(GrantType::ClientCredentials), Ok(()));
    assert_eq!(
        caller.require_grant(GrantType::PasswordRealm),
        Err(Reason::GrantNotAllowed(GrantType::PasswordRealm))
    );

    let mut third_party = confidential;
    third_party.is_first_party = false;
    let caller = authentication_rule(Some(Arc::new(third_party.clone())), Some(true)).unwrap();
    assert_eq!(
        caller.require_grant(GrantType::Password),
        Err(Reason::GrantNotAllowed(GrantType::Password))
    );
    assert_eq!(caller.require_grant(GrantType::ClientCredentials), Ok(()));

    let public = client(Some(TokenEndpointAuthMethod::None), "regular_web");
    let caller = authentication_rule(Some(Arc::new(public.clone())), Some(true)).unwrap();
    assert!(!caller.is_authenticated());
    assert_eq!(caller.require_grant(GrantType::Password), Ok(()));
    assert_eq!(
        caller.require_grant(GrantType::ClientCredentials),
        Err(Reason::PublicClient)
    );
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(authorization in ".{0,40}", pair in prop::collection::vec(any::<u8>(), 0..40)) {
        let parameters = body("client_id=shop");
        for value in [authorization.clone(), format!("Basic {authorization}"), format!("Basic {}", STANDARD.encode(&pair))] {
            let _ = PresentedClient::read(Some(&value), &parameters);
        }
    }

    #[test]
    fn encoded_credentials_arrive_as_they_were(id in "[^\\p{C}]{1,40}", secret in "[^\\p{C}]{1,40}") {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let [left, right] = [&id, &secret].map(|half| utf8_percent_encode(half, NON_ALPHANUMERIC).to_string());
        let header = basic(&format!("{left}:{right}"));
        let presented = PresentedClient::read(Some(&header), &body("")).unwrap();
        prop_assert_eq!(presented.id().as_str(), id);
        prop_assert_eq!(presented.secret(), Some(secret.as_str()));
    }
}
