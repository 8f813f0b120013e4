//! Which scope a user's token gets (auth0-wire-facts §1.5). A password is full access, so asking for less than
//! something specific gives all there is:
//!
//! | asked | audience | granted |
//! |---|---|---|
//! | nothing | none | the five standard scopes |
//! | nothing | API | every scope of the API |
//! | only `openid` | any | the five, and every scope of the API if there is one |
//! | standard scopes, none of an API | API | those, and every scope of the API |
//! | scopes of an API | API | those that exist; the others are dropped silently |
//! | unknown ones only | any | nothing: 200, and an empty scope cannot be told, so the member is absent |
//!
//! A name that is neither standard nor the API's counts as asking for a scope of an API: it never widens to all.
//! `offline_access` is dropped, because refresh tokens are not built.

use crate::Scope;
use crate::scope::{STANDARD, is_reserved};
use crate::token::audience::UserApi;

/// What is granted, and whether the answer must say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub scope: Scope,
    /// From what was asked; never for an empty grant, which RFC 6749 §3.3 cannot spell.
    pub differs: bool,
}

/// Decides. `permissions` are the user's where the API enforces them (role-based access control), else `None`.
pub fn granted_scope(
    asked: Option<&Scope>,
    api: Option<&UserApi>,
    permissions: Option<&[String]>,
) -> Granted {
    let permitted =
        |scope: &&str| permissions.is_none_or(|held| held.iter().any(|one| one == scope));
    let offered: Vec<&str> = api
        .into_iter()
        .flat_map(UserApi::offers)
        .filter(permitted)
        .collect();

    let scope = match asked {
        None if api.is_none() => Scope::of(STANDARD),
        None => Scope::of(offered),
        Some(asked) => {
            let standard = STANDARD.iter().filter(|_| asked.iter().eq(["openid"]));
            let kept = asked
                .iter()
                .filter(|item| STANDARD.contains(item) || offered.contains(item));
            let all = offered.iter().filter(|_| asked.iter().all(is_reserved));
            Scope::of(kept.chain(standard.copied()).chain(all.copied()))
        }
    };
    let same = asked.is_some_and(|asked| asked.same_items(&scope));
    Granted {
        differs: !same && !scope.is_empty(),
        scope,
    }
}
