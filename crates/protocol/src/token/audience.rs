//! Which API a token is for (auth0-wire-facts §1.2, §10 row 19).
//!
//! `audience`, else `resource` where the tenant takes it for the same, else the tenant's default.

use std::sync::Arc;

use model::{ClientGrant, ClientId, ResourceServer, SubjectType, TenantSettings, UserPolicy};

use crate::scope::is_reserved;
use crate::{Parameters, Reason};

/// What a call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The identifier of an API, not known to exist.
    Api(String),
    /// None was named and the tenant has no default: the token is opaque and good for `/userinfo` only.
    None,
}

/// What the request says of its audience.
#[derive(Clone, Debug)]
pub(super) struct AudienceRequest {
    pub(super) audience: Option<String>,
    resource: Option<String>,
}

impl AudienceRequest {
    pub(super) fn read(parameters: &Parameters) -> Self {
        let [audience, resource] =
            ["audience", "resource"].map(|name| parameters.get(name).map(str::to_owned));
        Self { audience, resource }
    }

    pub(super) fn choose(&self, settings: &TenantSettings) -> Audience {
        let compatible = settings.resource_parameter_profile.as_deref() == Some("compatibility");
        let resource = self.resource.as_ref().filter(|_| compatible);
        let default = settings.default_audience.as_ref();
        let chosen = self.audience.as_ref().or(resource);
        match chosen.or(default.filter(|identifier| !identifier.is_empty())) {
            Some(identifier) => Audience::Api(identifier.clone()),
            None => Audience::None,
        }
    }

    /// Refuses an API that is not the one the request named, should the caller have mixed them up.
    pub(super) fn confirm(&self, found: &str) -> Result<(), Reason> {
        match &self.audience {
            Some(asked) if asked != found => Err(Reason::ServiceNotEnabled(asked.clone())),
            _ => Ok(()),
        }
    }
}

/// An API as a user's token may reach it.
#[derive(Clone, Debug)]
pub struct UserApi {
    pub(super) server: Arc<ResourceServer>,
    reach: Reach,
    /// The scopes of the application's grant for its users, where the API asks for one.
    granted: Option<ClientGrant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Everything,
    /// The Management API: a user may act on himself, or a password would be worth the whole tenant.
    CurrentUser,
}

impl UserApi {
    /// Whether [`Self::judge`] wants the application's grant of subject type `user`.
    pub fn asks_for_grant(server: &ResourceServer) -> bool {
        server.subject_type_authorization.user.policy == UserPolicy::RequireClientGrant
    }

    /// Judges the API's policy for users (auth0-wire-facts §1.5, last rows). `management_audience` is the identifier of
    /// the tenant's own API; `grant` is the application's for its users, if it has one.
    ///
    /// Errors: the API has no tokens for users, or none for those of this application.
    pub fn judge(
        server: Arc<ResourceServer>,
        management_audience: &str,
        client_id: &ClientId,
        grant: Option<ClientGrant>,
    ) -> Result<Self, Reason> {
        let audience = || server.identifier.clone();
        let granted = match server.subject_type_authorization.user.policy {
            UserPolicy::AllowAll => None,
            UserPolicy::DenyAll => return Err(Reason::ApiDeniesUsers(audience())),
            UserPolicy::RequireClientGrant => {
                let fits = |grant: &ClientGrant| {
                    grant.client_id == *client_id
                        && grant.audience == server.identifier
                        && grant.subject_type == SubjectType::User
                };
                let missing = || Reason::NotAuthorizedForAudience {
                    audience: audience(),
                };
                Some(grant.filter(fits).ok_or_else(missing)?)
            }
        };
        let reach = if server.is_system || server.identifier == management_audience {
            Reach::CurrentUser
        } else {
            Reach::Everything
        };
        Ok(Self {
            server,
            reach,
            granted,
        })
    }

    pub(super) fn is_limited(&self) -> bool {
        self.reach == Reach::CurrentUser
    }

    /// The scopes it has for users, without names that belong to OpenID Connect.
    pub(super) fn offers(&self) -> impl Iterator<Item = &str> {
        self.server.scope_values().filter(|scope| {
            let granted = self.granted.as_ref();
            !is_reserved(scope)
                && (!self.is_limited() || is_for_current_user(scope))
                && granted.is_none_or(|grant| grant.holds(scope))
        })
    }
}

/// `read:current_user`, `update:current_user_metadata`.
fn is_for_current_user(scope: &str) -> bool {
    scope
        .split_once(':')
        .is_some_and(|(_, object)| object == "current_user" || object.starts_with("current_user_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::testing::{CLIENT_ID, api, client_grant, form, user_api};

    /// auth0-wire-facts §1.2, rows `audience` and `resource`.
    #[test]
    fn audience_then_resource_then_default() {
        let settings = |profile: Option<&str>, default: Option<&str>| TenantSettings {
            resource_parameter_profile: profile.map(str::to_owned),
            default_audience: default.map(str::to_owned),
            ..TenantSettings::default()
        };
        let compatible = Some("compatibility");
        for (body, settings, chosen) in [
            ("", settings(None, None), None),
            ("", settings(None, Some("")), None),
            ("", settings(None, Some("d")), Some("d")),
            ("audience=a", settings(None, Some("d")), Some("a")),
            ("audience=", settings(None, Some("d")), Some("d")),
            ("resource=r", settings(None, None), None),
            (
                "resource=r",
                settings(Some("audience"), Some("d")),
                Some("d"),
            ),
            ("resource=r", settings(compatible, Some("d")), Some("r")),
            (
                "audience=a&resource=r",
                settings(compatible, None),
                Some("a"),
            ),
        ] {
            let expected = chosen.map_or(Audience::None, |text| Audience::Api(text.to_owned()));
            let request = AudienceRequest::read(&form(body));
            assert_eq!(request.choose(&settings), expected, "{body} {settings:?}");
        }
    }

    /// auth0-wire-facts §10 row 19.
    #[test]
    fn users_reach_only_themselves_in_the_management_api() {
        let scopes = [
            "read:users",
            "read:current_user",
            "update:current_user_metadata",
            "read:current_users",
            "current_user",
            "openid",
        ];
        let ordinary = user_api(api("https://api/", &scopes), "https://t/api/v2/");
        assert_eq!(ordinary.offers().count(), 5);
        let mut system = (*api("https://api/", &scopes)).clone();
        system.is_system = true;
        for limited in [
            user_api(Arc::new(system), "https://t/api/v2/"),
            user_api(api("https://t/api/v2/", &scopes), "https://t/api/v2/"),
        ] {
            let offered: Vec<&str> = limited.offers().collect();
            assert_eq!(
                offered,
                ["read:current_user", "update:current_user_metadata"]
            );
        }
    }

    /// auth0-wire-facts §1.5: the API's policy for user access.
    #[test]
    fn an_api_says_through_which_applications_users_reach_it() {
        let mut server = (*api("https://api/", &["read:a", "read:b"])).clone();
        let client = ClientId::new(CLIENT_ID);
        let mut judge = |policy, grant: Option<ClientGrant>| {
            server.subject_type_authorization.user.policy = policy;
            let judged = UserApi::judge(Arc::new(server.clone()), "https://t/", &client, grant);
            judged.map(|api| api.offers().map(str::to_owned).collect::<Vec<_>>())
        };
        let all = vec!["read:a".to_owned(), "read:b".to_owned()];
        assert_eq!(judge(UserPolicy::AllowAll, None), Ok(all.clone()));
        assert_eq!(
            judge(UserPolicy::DenyAll, None),
            Err(Reason::ApiDeniesUsers("https://api/".to_owned()))
        );
        let required = UserPolicy::RequireClientGrant;
        let of_users = ClientGrant {
            subject_type: SubjectType::User,
            ..client_grant("https://api/", &["read:b", "read:c"])
        };
        let whole = ClientGrant {
            allow_all_scopes: true,
            ..of_users.clone()
        };
        assert_eq!(
            judge(required, Some(of_users.clone())),
            Ok(vec!["read:b".to_owned()])
        );
        assert_eq!(judge(required, Some(whole)), Ok(all));
        let of_others = ClientGrant {
            client_id: ClientId::new("other"),
            ..of_users
        };
        for missing in [
            None,
            Some(client_grant("https://api/", &["read:a"])),
            Some(of_others),
        ] {
            let refused = judge(required, missing).unwrap_err();
            assert!(matches!(refused, Reason::NotAuthorizedForAudience { .. }));
        }
    }
}
