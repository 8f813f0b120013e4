//! A password set by an administrator: the way of every new password, in the words of the Management API.

use credentials::{ClientStanding, PersonalData, Share, Unfit};
use model::{Connection, UserRecord};

use crate::answer::dbconnections::{LEAKED, REUSED};
use crate::answer::management::Problem;
use crate::management::authorization::ManagementCall;
use crate::passwords::{self, Accepted, Proposal, Refused};

/// Judges a password and hashes it.
pub(super) async fn accepted(
    call: &ManagementCall,
    connection: &Connection,
    password: &str,
    person: PersonalData,
    before: Option<&UserRecord>,
) -> Result<Accepted, Problem> {
    // Administrators hash in one share of their own, so that a migration does not crowd out logins.
    let share = Share {
        source: 0,
        client: 0,
        standing: ClientStanding::Authenticated,
    };
    let proposal = Proposal {
        connection,
        password,
        person,
        before,
        share,
    };
    passwords::accept(&call.cx, proposal)
        .await
        .map_err(|refused| told(&refused))
}

fn told(refused: &Refused) -> Problem {
    let text = match refused {
        Refused::NotAPassword(_) | Refused::Unfit(Unfit::Weak(_)) => {
            "PasswordStrengthError: Password is too weak".to_owned()
        }
        Refused::Unfit(Unfit::InDictionary) => {
            "PasswordDictionaryError: Password is too common".to_owned()
        }
        Refused::Unfit(Unfit::Personal) => {
            "PasswordNoUserInfoError: Password contains user information".to_owned()
        }
        Refused::Reused => format!("{}: {}", REUSED.0, REUSED.1),
        // Passwords that administrators set are not looked up.
        Refused::Leaked => LEAKED.to_owned(),
        Refused::Busy { retry_after } => {
            return Problem::Busy {
                retry_after: *retry_after,
            };
        }
        Refused::Store(error) => return Problem::from(error.clone()),
    };
    Problem::InvalidBody(text)
}
