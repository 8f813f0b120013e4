//! A password set by an administrator: judged by the connection's policy, hashed in the pool before any unit of work opens.

use credentials::{ClientStanding, Password, PasswordHash, Share};
use model::UserRecord;
use storage::ConnectionRecord;

use crate::answer::management::Problem;
use crate::management::authorization::ManagementCall;
use crate::management::password_policy;

/// The hash of an acceptable password.
pub(super) async fn hashed(
    call: &ManagementCall,
    connection: &ConnectionRecord,
    password: &str,
) -> Result<PasswordHash, Problem> {
    let options = &connection.connection.options;
    let minimum = options
        .rest
        .get("password_complexity_options")
        .and_then(|options| options["min_length"].as_u64());
    if !password_policy::satisfies(options.password_policy.as_deref(), minimum, password) {
        return Err(Problem::InvalidBody(
            "PasswordStrengthError: Password is too weak".to_owned(),
        ));
    }
    let password = Password::new(password).map_err(|error| {
        Problem::InvalidBody(format!(
            "Payload validation error: '{error}' on property password."
        ))
    })?;
    // Administrators hash in one share of their own, so that a migration does not crowd out logins.
    let share = Share {
        source: 0,
        client: 0,
        standing: ClientStanding::Authenticated,
    };
    let slot = call.app.pool.admit(&share).map_err(|busy| Problem::Busy {
        retry_after: busy.retry_after.as_secs(),
    })?;
    slot.hash(password, call.app.settings.password_scheme)
        .await
        .map_err(|_| Problem::Busy { retry_after: 1 })
}

/// Puts a hash and its scheme into a record.
pub(super) fn set_password(record: &mut UserRecord, hash: &PasswordHash) {
    record.password_scheme = Some(hash.scheme().to_string());
    record.password_hash = Some(hash.as_str().to_owned());
}
