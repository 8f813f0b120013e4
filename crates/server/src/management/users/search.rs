//! `q` of the user search: one e-mail address or one user name, exactly. Other searches are refused, never approximated.

use model::{Identifier, UserRecord};

use crate::answer::management::Problem;
use crate::management::authorization::ManagementCall;

/// What is looked for.
enum Wanted {
    Email(Identifier),
    UserName(Identifier),
}

/// The users found.
pub(super) async fn search(call: &ManagementCall, q: &str) -> Result<Vec<UserRecord>, Problem> {
    match read(q)? {
        Wanted::Email(address) => Ok(call.store.find_users_by_email(&address).await?),
        Wanted::UserName(name) => {
            let mut found = Vec::new();
            for connection in call.store.list_database_connections().await? {
                let user = call
                    .store
                    .find_user_by_identifier(&connection.connection.id, &name)
                    .await?;
                found.extend(user.filter(|user| user.user.username.is_some()));
            }
            Ok(found)
        }
    }
}

fn read(q: &str) -> Result<Wanted, Problem> {
    let unsupported = || {
        Problem::InvalidQuery(
            "Query validation error: 'q' understands email:\"x\" and username:\"x\" for now; other searches are not supported.".to_owned(),
        )
    };
    let (name, value) = q.split_once(':').ok_or_else(unsupported)?;
    let value = value.trim().trim_matches('"');
    if value.contains(['*', '"', ' ']) {
        return Err(unsupported());
    }
    match name.trim() {
        "email" => Ok(Wanted::Email(Identifier::of(value))),
        "username" => Ok(Wanted::UserName(Identifier::of(value))),
        _ => Err(unsupported()),
    }
}

#[cfg(test)]
mod fuzzed;
