//! The rules of the client credentials grant (RFC 6749 §4.4; auth0-wire-facts §1.4, §2.4): an application gets what
//! its client grant for the API gives it, and nothing without one.

use model::{ClientGrant, ClientPolicy, ResourceServer, SubjectType, TenantSettings};

use super::approved::{Approved, Subject, TokenApi};
use super::audience::Audience;
use crate::{Caller, ClientCredentialsRequest, GrantType, Reason, Scope};

/// Which API the request means.
///
/// Errors: [`Reason::NoAudience`]; there is no token for nothing.
pub fn audience(
    request: &ClientCredentialsRequest,
    settings: &TenantSettings,
) -> Result<String, Reason> {
    match request.audience.choose(settings) {
        Audience::Api(identifier) => Ok(identifier),
        Audience::None => Err(Reason::NoAudience),
    }
}

/// Decides. `api` and `grant` are what was found for `audience`.
///
/// A scope that the API no longer defines is not given, whatever the grant says.
/// Errors: public client or grant type not allowed, unknown API, an API that lets no application in, no client grant,
/// scopes beyond it.
pub fn approve(
    caller: &Caller,
    request: ClientCredentialsRequest,
    audience: &str,
    api: Option<&ResourceServer>,
    grant: Option<&ClientGrant>,
) -> Result<Approved, Reason> {
    caller.require_grant(GrantType::ClientCredentials)?;
    let api = api
        .filter(|api| api.identifier == audience)
        .ok_or_else(|| Reason::ServiceNotEnabled(audience.to_owned()))?;
    if api.subject_type_authorization.client.policy == ClientPolicy::DenyAll {
        return Err(Reason::ApiDeniesClients(audience.to_owned()));
    }
    let client_id = caller.client().client_id.clone();
    let grant = grant
        .filter(|grant| {
            grant.client_id == client_id
                && grant.audience == audience
                && grant.subject_type == SubjectType::Client
        })
        .ok_or_else(|| Reason::NotAuthorizedForAudience {
            audience: audience.to_owned(),
        })?;

    let defined = |scope: &&str| api.scope_values().any(|defined| defined == *scope);
    let given = if grant.allow_all_scopes {
        Scope::of(api.scope_values())
    } else {
        Scope::of(grant.scope.iter().map(String::as_str).filter(defined))
    };
    let scope = match request.scope {
        None => given,
        Some(asked) => {
            let beyond = asked.iter().filter(|scope| !given.contains(scope));
            let beyond: Vec<String> = beyond.map(str::to_owned).collect();
            if !beyond.is_empty() {
                return Err(Reason::ScopesNotGranted(beyond));
            }
            asked
        }
    };
    let permissions: Vec<String> = scope.iter().map(str::to_owned).collect();
    Ok(Approved {
        grant: GrantType::ClientCredentials,
        client_id,
        subject: Subject::Client,
        api: Some(TokenApi::new(api, &permissions)),
        // Told whenever there is one (auth0-wire-facts §1.4).
        scope_to_tell: (!scope.is_empty()).then(|| scope.to_string()),
        scope,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::testing::{api, caller, client_grant, form, public_caller};
    use crate::{AccessTokenKind, TokenRequest};

    const AUD: &str = "https://api.example.com/";

    fn request(body: &str) -> ClientCredentialsRequest {
        let body = format!("grant_type=client_credentials&{body}");
        match TokenRequest::read(&form(&body)).unwrap() {
            TokenRequest::ClientCredentials(request) => request,
            TokenRequest::Password(_) => panic!("client credentials were asked for"),
        }
    }

    fn decide(
        body: &str,
        api: Option<&ResourceServer>,
        grant: Option<&ClientGrant>,
    ) -> Result<Approved, Reason> {
        approve(&caller(), request(body), AUD, api, grant)
    }

    /// auth0-wire-facts §2.4.
    #[test]
    fn an_audience_is_needed() {
        let mut settings = TenantSettings::default();
        assert_eq!(audience(&request(""), &settings), Err(Reason::NoAudience));
        settings.default_audience = Some(AUD.to_owned());
        assert_eq!(audience(&request(""), &settings), Ok(AUD.to_owned()));
        assert_eq!(
            audience(&request("audience=urn:x"), &settings),
            Ok("urn:x".to_owned())
        );
    }

    /// auth0-wire-facts §2.4: unknown audience, no client grant, scope outside the grant.
    #[test]
    fn each_refusal_has_its_reason() {
        let api = api(AUD, &["a", "b"]);
        let grant = client_grant(AUD, &["a", "gone"]);
        let unknown = Reason::ServiceNotEnabled(AUD.to_owned());
        let not_authorized = Reason::NotAuthorizedForAudience {
            audience: AUD.to_owned(),
        };
        let beyond = |scopes: &[&str]| {
            Reason::ScopesNotGranted(scopes.iter().map(|scope| (*scope).to_owned()).collect())
        };
        let mut of_users = grant.clone();
        of_users.subject_type = SubjectType::User;
        let mut of_another = grant.clone();
        of_another.client_id = model::ClientId::new("other");
        let elsewhere = client_grant("urn:x", &["a"]);

        for (body, api, grant, reason) in [
            ("", None, Some(&grant), unknown),
            ("", Some(&*api), None, not_authorized.clone()),
            ("", Some(&*api), Some(&of_users), not_authorized.clone()),
            ("", Some(&*api), Some(&of_another), not_authorized.clone()),
            ("", Some(&*api), Some(&elsewhere), not_authorized),
            (
                "scope=a+b+c",
                Some(&*api),
                Some(&grant),
                beyond(&["b", "c"]),
            ),
            ("scope=gone", Some(&*api), Some(&grant), beyond(&["gone"])),
            (
                "scope=openid",
                Some(&*api),
                Some(&grant),
                beyond(&["openid"]),
            ),
        ] {
            assert_eq!(decide(body, api, grant).unwrap_err(), reason, "{body}");
        }
        let refused = approve(&public_caller(), request(""), AUD, Some(&api), Some(&grant));
        assert_eq!(refused.unwrap_err(), Reason::PublicClient);
    }

    #[test]
    fn an_api_may_let_no_application_in() {
        let mut closed = (*api(AUD, &["a"])).clone();
        closed.subject_type_authorization.client.policy = ClientPolicy::DenyAll;
        let refused = decide("", Some(&closed), Some(&client_grant(AUD, &["a"]))).unwrap_err();
        assert_eq!(refused, Reason::ApiDeniesClients(AUD.to_owned()));
    }

    #[test]
    fn a_grant_of_all_scopes_follows_the_api() {
        let grant = ClientGrant {
            allow_all_scopes: true,
            ..client_grant(AUD, &["gone"])
        };
        let approved = decide("", Some(&*api(AUD, &["a", "b"])), Some(&grant)).unwrap();
        assert_eq!(approved.scope().to_string(), "a b");
    }

    #[test]
    fn the_grant_is_given_or_the_part_that_was_asked() {
        let api = api(AUD, &["a", "b", "c"]);
        let grant = client_grant(AUD, &["a", "b", "gone"]);
        for (body, scope) in [("", "a b"), ("scope=b", "b"), ("scope=b+a", "b a")] {
            let approved = decide(body, Some(&api), Some(&grant)).unwrap();
            assert_eq!(approved.scope().to_string(), scope);
            assert_eq!(approved.user_id(), None);
            assert!(matches!(
                approved.access_token_kind(),
                AccessTokenKind::Jwt { .. }
            ));
            let answer = approved.answer("token".to_owned(), None);
            assert_eq!(answer.scope.as_deref(), Some(scope));
        }
        let nothing = client_grant(AUD, &[]);
        let approved = decide("", Some(&api), Some(&nothing)).unwrap();
        assert_eq!(approved.answer("token".to_owned(), None).scope, None);
    }
}
