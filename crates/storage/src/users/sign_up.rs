//! Signing somebody up, in the same statements whether or not somebody has the address already.
//!
//! Who watches the time of sign-ups, or the load they make, shall not learn who has an account. So a sign-up with an
//! address in use writes a user under an identifier that nobody can type and takes him away again within its unit,
//! and one with a new address takes away a user who never was.

use model::{Identifier, UserId, UserRecord};

use crate::statement::{Row, Select, arguments};
use crate::{Added, StoreError, Work};

/// What came of a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    Done,
    /// Somebody has the user name; nothing was written.
    UsernameTaken,
    /// Somebody has the address; nothing is left of what was written.
    AddressTaken,
}

impl Work {
    /// Adds a user with a new address, and perhaps a user name.
    pub async fn sign_up(
        &mut self,
        record: &UserRecord,
        address: &Identifier,
        username: Option<&Identifier>,
    ) -> Result<SignedUp, StoreError> {
        let select = Select::new(
            "SELECT identifier FROM identifiers WHERE tenant_id = $1 AND connection_id = $2 \
             AND identifier IN ($3, $4)",
            arguments![
                &self.tenant,
                &record.connection_id,
                address,
                username.unwrap_or(address),
            ],
            Row::text,
        );
        let taken = self.all(select).await?;
        let is_taken = |identifier: &Identifier| taken.iter().any(|t| t == identifier.as_str());
        if username.is_some_and(is_taken) {
            return Ok(SignedUp::UsernameTaken);
        }
        let address_is_taken = is_taken(address);
        let id = &record.user.user_id;
        // Nobody has an id with a space in it, nor types an identifier with one inside.
        let nobody = UserId::new(format!("{} -", id.as_str()));
        let (written, gone) = if address_is_taken {
            let decoy = Identifier::of(nobody.as_str());
            let mut record = record.clone();
            record.identifiers = std::iter::once(decoy).chain(username.cloned()).collect();
            (record, id)
        } else {
            (record.clone(), &nobody)
        };
        if self.add_user(&written).await? != Added::Done {
            // Somebody took it since it was looked at.
            return Err(StoreError::Rerun);
        }
        self.take_away(&written, gone, address_is_taken).await?;
        Ok(if address_is_taken {
            SignedUp::AddressTaken
        } else {
            SignedUp::Done
        })
    }

    async fn take_away(
        &mut self,
        written: &UserRecord,
        gone: &UserId,
        is_there: bool,
    ) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM users WHERE tenant_id = $1 AND user_id = $2 AND connection_id = $3",
            "DELETE FROM identifiers WHERE tenant_id = $1 AND user_id = $2 AND connection_id = $3 \
             AND identifier IN ($4, $5)",
        ] {
            let mut arguments = arguments![&self.tenant, gone, &written.connection_id];
            if sql.contains("$4") {
                let mut identifiers = written.identifiers.iter();
                let first = identifiers.next().map(Identifier::as_str);
                let last = identifiers.next_back().map(Identifier::as_str).or(first);
                arguments.extend(arguments![first, last]);
            }
            self.execute(sql, arguments).await?;
        }
        let Some(scheme) = written.password_scheme.as_deref() else {
            return Ok(());
        };
        let less = if is_there { -1 } else { 0 };
        let id = &written.user.user_id;
        self.uncount(&written.connection_id, id, scheme, less).await
    }
}
