//! From parameters to a request of one grant: what a grant requires is there, and a repeated reading agrees.

use protocol::{GrantType, Parameters, TokenRequest};

/// The parameters that mean something.
pub(crate) const NAMES: [&str; 9] = [
    "grant_type",
    "client_id",
    "client_secret",
    "username",
    "password",
    "realm",
    "audience",
    "resource",
    "scope",
];

/// Nothing that was read is empty, too long, or holds a NUL; and it is hidden from debug output.
pub(crate) fn within_bounds(parameters: &Parameters) {
    for name in NAMES {
        let Some(value) = parameters.get(name) else {
            continue;
        };
        assert!(!value.is_empty() && !value.contains('\0'), "{name}");
        let most = match name {
            "scope" => 4_096,
            "password" | "client_secret" => 1_024,
            _ => 600 * 4,
        };
        assert!(value.len() <= most, "{name} has {} bytes", value.len());
        let shown = format!("{parameters:?}");
        let telling = value.len() > 20 && !NAMES.iter().any(|known| value.contains(known));
        assert!(
            !telling || !shown.contains(value),
            "{name} is shown: {shown}"
        );
    }
}

#[test]
fn a_request_has_what_its_grant_requires() {
    let seeds: [&[u8]; 4] = [
        b"grant_type=password&username=ana&password=x&scope=openid+email&audience=https://api.example.com/",
        b"grant_type=http://auth0.com/oauth/grant-type/password-realm&realm=Users&username=ana&password=x",
        b"grant_type=client_credentials&scope=++&audience=a",
        b"grant_type=magic",
    ];
    fuzz::check(&seeds, |input| {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let Ok(parameters) = Parameters::parse(Some(form), input) else {
            return;
        };
        match TokenRequest::read(&parameters) {
            Err(reason) => assert!(reason.description().len() < 1_500, "a bounded complaint"),
            Ok(request) => {
                let named = parameters.get("grant_type").unwrap();
                assert_eq!(GrantType::parse(named), Some(request.grant_type()));
                if let TokenRequest::Password(request) = request {
                    assert_eq!(Some(request.username.expose()), parameters.get("username"));
                    assert_eq!(Some(request.password.expose()), parameters.get("password"));
                    assert_eq!(request.realm.as_deref(), parameters.get("realm"));
                    assert!(request.grant != GrantType::PasswordRealm || request.realm.is_some());
                    assert!(request.scope.is_none_or(|scope| !scope.is_empty()));
                }
            }
        }
    });
}
