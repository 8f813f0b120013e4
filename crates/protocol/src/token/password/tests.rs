use model::ClientId;
use serde_json::json;

use super::*;
use std::sync::Arc;

use model::ResourceServer;

use crate::token::testing::{
    api, caller, client, form, password_request, public_caller, user, user_api,
};
use crate::{AccessTokenKind, GrantType, TokenRequest};

const AUD: &str = "https://api.example.com/";
const MANAGEMENT: &str = "https://login.example.com/api/v2/";

fn settings(default_directory: Option<&str>) -> TenantSettings {
    TenantSettings {
        default_directory: default_directory.map(str::to_owned),
        ..TenantSettings::default()
    }
}

fn connection(strategy: &str, enabled: &[&str]) -> Connection {
    let connection =
        json!({"id": "con_1", "name": "Users", "strategy": strategy, "enabled_clients": enabled});
    serde_json::from_value(connection).unwrap()
}

fn judge(more: &str, api: Option<Arc<ResourceServer>>) -> Result<PasswordFacts, Reason> {
    let api = api.map(|api| user_api(api, MANAGEMENT));
    PasswordFacts::judge(caller(), password_request(more), api)
}

/// auth0-wire-facts §1.2, §1.3, §10 row 17.
#[test]
fn a_realm_comes_before_the_default_directory() {
    let by_name = DirectoryChoice::ByName("Users".to_owned());
    let by_realm = DirectoryChoice::ByRealm("Staff".to_owned());
    for (more, default, chosen) in [
        ("", Some("Users"), Ok(by_name.clone())),
        ("realm=", Some("Users"), Ok(by_name)),
        ("realm=Staff", Some("Users"), Ok(by_realm.clone())),
        ("realm=Staff", None, Ok(by_realm)),
        ("", None, Err(Reason::NoDefaultDirectory)),
        ("", Some(""), Err(Reason::NoDefaultDirectory)),
    ] {
        let request = password_request(more);
        assert_eq!(
            directory(&request, &settings(default)),
            chosen,
            "{more} {default:?}"
        );
    }
}

/// auth0-wire-facts §2.4, connection rows.
#[test]
fn the_directory_must_exist_be_enabled_and_hold_passwords() {
    let by_name = DirectoryChoice::ByName("Users".to_owned());
    let by_realm = DirectoryChoice::ByRealm("Staff".to_owned());
    let client = client();
    let rule = |choice, found: Option<Connection>| connection_rule(choice, found.as_ref(), &client);

    assert_eq!(rule(&by_name, None), Err(Reason::NoDefaultDirectory));
    assert_eq!(
        rule(&by_realm, None),
        Err(Reason::UnknownRealm("Staff".to_owned()))
    );
    for choice in [&by_name, &by_realm] {
        assert_eq!(rule(choice, Some(connection("auth0", &["shop"]))), Ok(()));
        assert_eq!(
            rule(choice, Some(connection("auth0", &["other"]))),
            Err(Reason::ConnectionNotEnabled)
        );
        assert_eq!(
            rule(choice, Some(connection("google-oauth2", &["shop"]))),
            Err(Reason::NoPasswordConnection)
        );
    }
    assert_eq!(client.client_id, ClientId::new("shop"));
}

/// auth0-wire-facts §1.5, row by row.
#[test]
fn scopes_are_granted_by_the_table() {
    const FIVE: &str = "openid profile email address phone";
    let orders = user_api(api(AUD, &["read:orders", "write:orders"]), MANAGEMENT);
    let bare = user_api(api(AUD, &[]), MANAGEMENT);
    let nobody: Option<&[String]> = Some(&[]);
    let reader = ["read:orders".to_owned(), "read:secrets".to_owned()];
    let reader = Some(&reader[..]);
    let some = Some(&orders);
    for (asked, api, permissions, granted, told) in [
        // no scope
        ("", None, None, FIVE, true),
        ("", some, None, "read:orders write:orders", true),
        ("", Some(&bare), None, "", false),
        // only openid
        ("openid", None, None, FIVE, true),
        (
            "openid",
            some,
            None,
            "openid profile email address phone read:orders write:orders",
            true,
        ),
        // no scope of an API
        (
            "openid email",
            some,
            None,
            "openid email read:orders write:orders",
            true,
        ),
        ("openid email", None, None, "openid email", false),
        ("email openid", Some(&bare), None, "email openid", false),
        // unknown scope, no audience: the recorded plain token without a scope member
        ("extra-scope", None, None, "", false),
        ("extra-scope", some, None, "", false),
        ("openid read:orders", None, None, "openid", true),
        // explicit scopes of an API
        ("read:orders", some, None, "read:orders", false),
        (
            "write:orders openid read:orders",
            some,
            None,
            "write:orders openid read:orders",
            false,
        ),
        ("read:orders delete:all", some, None, "read:orders", true),
        // refresh tokens are not built
        ("openid offline_access", None, None, "openid", true),
        ("offline_access", None, None, "", false),
        (
            "offline_access read:orders",
            some,
            None,
            "read:orders",
            true,
        ),
        // role-based access control: only scopes of the API are cut
        ("", some, nobody, "", false),
        ("openid read:orders", some, nobody, "openid", true),
        ("", some, reader, "read:orders", true),
        (
            "read:orders write:orders",
            some,
            reader,
            "read:orders",
            true,
        ),
        ("read:secrets", some, reader, "", false),
    ] {
        let request = password_request(&format!("scope={}", asked.replace(' ', "+")));
        let decided = granted_scope(request.scope.as_ref(), api, permissions);
        assert_eq!(
            decided.scope.to_string(),
            granted,
            "{asked:?} {permissions:?}"
        );
        assert_eq!(decided.differs, told, "{asked:?} {permissions:?}");
    }
}

#[test]
fn names_of_openid_are_never_an_apis() {
    let greedy = user_api(
        api(AUD, &["openid", "offline_access", "read:a"]),
        MANAGEMENT,
    );
    let granted = granted_scope(None, Some(&greedy), None);
    assert_eq!(granted.scope.to_string(), "read:a");
}

#[test]
fn the_answer_tells_the_scope_only_where_it_differs() {
    let orders = || Some(api(AUD, &["read:orders"]));
    let told = |more: &str| {
        let approved = judge(more, orders()).unwrap().approve(&user()).unwrap();
        approved.answer("token".to_owned(), None).scope
    };
    assert_eq!(told("scope=read:orders"), None);
    assert_eq!(told("scope=nothing"), None);
    assert_eq!(told(""), Some("read:orders".to_owned()));
}

/// auth0-wire-facts §10 row 19.
#[test]
fn the_management_api_gives_users_nothing_but_themselves() {
    let management = |scopes: &[&str]| Some(api(MANAGEMENT, scopes));
    for (more, scopes) in [
        ("", &["read:users", "update:users"][..]),
        ("scope=openid", &["read:users"]),
        ("scope=read:users", &["read:users", "read:current_user"]),
        (
            "scope=read:users+openid",
            &["read:users", "read:current_user"],
        ),
    ] {
        let refused = judge(more, management(scopes)).unwrap_err();
        assert_eq!(refused, Reason::SystemApiScopeless, "{more}");
    }
    let facts = judge(
        "scope=read:users+read:current_user",
        management(&["read:users", "read:current_user"]),
    );
    let approved = facts.unwrap().approve(&user()).unwrap();
    assert_eq!(approved.scope().to_string(), "read:current_user");
}

#[test]
fn the_grant_is_asked_for_again() {
    let body = form(
        "grant_type=http://auth0.com/oauth/grant-type/password-realm&username=a&password=b&realm=c",
    );
    let TokenRequest::Password(request) = TokenRequest::read(&body).unwrap() else {
        panic!("a password grant was asked for")
    };
    let refused = PasswordFacts::judge(caller(), request, None).unwrap_err();
    assert_eq!(refused, Reason::GrantNotAllowed(GrantType::PasswordRealm));
}

#[test]
fn another_api_than_the_one_asked_for_is_refused() {
    for found in [None, Some(api("urn:other", &[]))] {
        let refused = judge(&format!("audience={AUD}"), found).unwrap_err();
        assert_eq!(refused, Reason::ServiceNotEnabled(AUD.to_owned()));
    }
}

/// auth0-wire-facts §2.2, §10 rows 28 and 29.
#[test]
fn a_blocked_user_gets_nothing_and_a_public_client_may_sign_users_in() {
    let request = password_request("");
    let facts = PasswordFacts::judge(public_caller(), request, None).unwrap();
    let approved = facts.approve(&user()).unwrap();
    assert!(matches!(
        approved.access_token_kind(),
        AccessTokenKind::Opaque { .. }
    ));
    assert_eq!(approved.user_id(), Some(&user().user_id));

    let mut blocked = user();
    blocked.blocked = true;
    assert_eq!(facts.approve(&blocked).unwrap_err(), Reason::UserBlocked);
}

#[test]
fn enforced_permissions_are_empty_until_roles_exist() {
    let mut enforcing = (*api(AUD, &["read:orders"])).clone();
    enforcing.enforce_policies = true;
    let facts = judge("scope=openid+read:orders", Some(Arc::new(enforcing))).unwrap();
    let approved = facts.approve(&user()).unwrap();
    assert_eq!(approved.scope().to_string(), "openid");
}

#[test]
fn facts_hide_what_was_typed() {
    let facts = judge("scope=openid", None).unwrap();
    assert_eq!(facts.username(), "ana");
    assert_eq!(facts.password(), "hunter2");
    assert_eq!(facts.requested_scope().as_deref(), Some("openid"));
    assert!(!format!("{facts:?}").contains("hunter2"));
}
