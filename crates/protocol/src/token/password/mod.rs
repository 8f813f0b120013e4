//! The rules of the password grants (RFC 6749 §4.3; auth0-wire-facts §1.2, §1.3, §2.4): those about what the caller
//! asked, judged before anything is charged, and the decision after the password was right.
//!
//! Whether it was right is not decided here.

mod scopes;
#[cfg(test)]
mod tests;

use model::{Client, Connection, DATABASE_STRATEGY, TenantSettings, User};

pub use scopes::{Granted, granted_scope};

use super::approved::{Approved, Subject, TokenApi};
use super::audience::{Audience, UserApi};
use crate::scope::is_reserved;
use crate::{Caller, PasswordRequest, Reason};

/// Permissions of users come from roles, which are not built: nobody has any.
const NO_PERMISSIONS: &[String] = &[];

/// How the directory is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryChoice {
    /// The tenant's default directory, by its exact name.
    ByName(String),
    /// By the request's realm.
    ByRealm(String),
}

/// Which directory the request means. A realm counts for the plain `password` grant too: ignoring it would sign the
/// user into another directory than he was asked for (auth0-wire-facts §10 row 17).
///
/// Errors: [`Reason::NoDefaultDirectory`].
pub fn directory(
    request: &PasswordRequest,
    settings: &TenantSettings,
) -> Result<DirectoryChoice, Reason> {
    if let Some(realm) = &request.realm {
        return Ok(DirectoryChoice::ByRealm(realm.clone()));
    }
    let default = settings.default_directory.as_ref();
    let name = default.filter(|name| !name.is_empty());
    let name = name.ok_or(Reason::NoDefaultDirectory)?;
    Ok(DirectoryChoice::ByName(name.clone()))
}

/// Whether the directory found, if any, can be used by the application.
///
/// Errors: none was found, it holds no passwords, it is not enabled for the application.
pub fn connection_rule(
    choice: &DirectoryChoice,
    found: Option<&Connection>,
    client: &Client,
) -> Result<(), Reason> {
    let Some(connection) = found else {
        return Err(match choice {
            DirectoryChoice::ByName(_) => Reason::NoDefaultDirectory,
            DirectoryChoice::ByRealm(realm) => Reason::UnknownRealm(realm.clone()),
        });
    };
    if !connection.is_enabled_for(&client.client_id) {
        return Err(Reason::ConnectionNotEnabled);
    }
    if connection.strategy != DATABASE_STRATEGY {
        return Err(Reason::NoPasswordConnection);
    }
    Ok(())
}

/// Which API the request means.
pub fn audience(request: &PasswordRequest, settings: &TenantSettings) -> Audience {
    request.audience.choose(settings)
}

/// A password request that stands as far as it can before the password is looked at.
#[derive(Debug)]
pub struct PasswordFacts {
    caller: Caller,
    request: PasswordRequest,
    api: Option<UserApi>,
}

impl PasswordFacts {
    /// Judges grant, API and scope. `api` is the one of [`audience`], `None` only where that is [`Audience::None`].
    ///
    /// Errors: grant not allowed; a user's token for the Management API that would hold no scope of it.
    pub fn judge(
        caller: Caller,
        request: PasswordRequest,
        api: Option<UserApi>,
    ) -> Result<Self, Reason> {
        caller.require_grant(request.grant)?;
        let found = api
            .as_ref()
            .map_or("", |api| api.server.identifier.as_str());
        request.audience.confirm(found)?;
        if let Some(api) = api.as_ref().filter(|api| api.is_limited()) {
            let granted = granted_scope(request.scope.as_ref(), Some(api), None);
            if granted.scope.iter().all(is_reserved) {
                return Err(Reason::SystemApiScopeless);
            }
        }
        Ok(Self {
            caller,
            request,
            api,
        })
    }

    /// Decides for a user whose password was right.
    ///
    /// Errors: [`Reason::UserBlocked`].
    pub fn approve(&self, user: &User) -> Result<Approved, Reason> {
        if user.blocked {
            return Err(Reason::UserBlocked);
        }
        let server = self.api.as_ref().map(|api| &api.server);
        let enforced = server.is_some_and(|server| server.enforce_policies);
        let permissions = enforced.then_some(NO_PERMISSIONS);
        let granted = granted_scope(self.request.scope.as_ref(), self.api.as_ref(), permissions);

        let client = self.caller.client();
        Ok(Approved {
            grant: self.request.grant,
            client_id: client.client_id.clone(),
            subject: Subject::user(user, client, &granted.scope),
            api: server.map(|server| TokenApi::new(server, NO_PERMISSIONS)),
            scope_to_tell: granted.differs.then(|| granted.scope.to_string()),
            scope: granted.scope,
        })
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Who wants to sign in, as typed. It may be a password typed into the wrong field.
    pub fn username(&self) -> &str {
        self.request.username.expose()
    }

    /// The password to verify.
    pub fn password(&self) -> &str {
        self.request.password.expose()
    }

    /// The API's identifier.
    pub fn audience(&self) -> Option<&str> {
        self.api.as_ref().map(|api| api.server.identifier.as_str())
    }

    /// The scope as it was asked for.
    pub fn requested_scope(&self) -> Option<String> {
        self.request.scope.as_ref().map(ToString::to_string)
    }
}
