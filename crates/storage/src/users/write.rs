//! Adding, changing and removing users, with their identifiers and their share in the connection's password mix.
//!
//! A racing identifier is decided by the unique key of `identifiers`; the loser leaves nothing behind.

use jiff::Timestamp;
use model::{ConnectionId, Identifier, User, UserId, UserRecord};

use crate::statement::{Row, Select, arguments, json, tuples};
use crate::{Added, StoreError, Work, Written};

impl Work {
    /// Adds a user; the version becomes 1.
    pub async fn add_user(&mut self, record: &UserRecord) -> Result<Added, StoreError> {
        let id = &record.user.user_id;
        let identifiers = sorted(&record.identifiers);
        let done = self
            .execute(
                "INSERT INTO users (tenant_id, user_id, connection_id, document, identifiers, email_key, \
                 password_hash, password_scheme, created_at, updated_at, last_login, last_ip, logins_count, \
                 last_password_reset, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1) ON CONFLICT DO NOTHING",
                arguments![
                    &self.tenant,
                    id,
                    &record.connection_id,
                    json(&record.user)?,
                    json(&identifiers)?,
                    email_key(&record.user),
                    record.password_hash.clone(),
                    record.password_scheme.clone(),
                    record.created_at,
                    record.updated_at,
                    record.last_login,
                    record.last_ip.clone(),
                    record.logins_count,
                    record.last_password_reset,
                ],
            )
            .await?;
        if done == 0 {
            return Ok(Added::IdTaken);
        }
        if !self
            .add_identifiers(&record.connection_id, id, &identifiers)
            .await?
        {
            self.execute(
                "DELETE FROM users WHERE tenant_id = $1 AND user_id = $2",
                arguments![&self.tenant, id],
            )
            .await?;
            return Ok(Added::IdentifierTaken);
        }
        self.move_in_mix(
            &record.connection_id,
            id,
            None,
            record.password_scheme.as_deref(),
        )
        .await?;
        Ok(Added::Done)
    }

    /// Changes a user, guarded by the version that was read. The connection never changes, and what
    /// [`Self::record_login`] keeps (last login, its address, their count) is left as it is.
    pub async fn set_user(&mut self, record: &UserRecord) -> Result<Written, StoreError> {
        let id = &record.user.user_id;
        let sql = format!(
            "SELECT connection_id, identifiers, password_scheme, version FROM users \
             WHERE tenant_id = $1 AND user_id = $2{}",
            self.lock()
        );
        let select = Select::new(sql, arguments![&self.tenant, id], read_before);
        let Some(before) = self.first(select).await? else {
            return Ok(Written::Missing);
        };
        if before.version != record.version {
            return Ok(Written::Moved);
        }
        let identifiers = sorted(&record.identifiers);
        let fresh = difference(&identifiers, &before.identifiers);
        if !self
            .add_identifiers(&before.connection_id, id, &fresh)
            .await?
        {
            return Ok(Written::IdentifierTaken);
        }
        let done = self
            .execute(
                "UPDATE users SET document = $4, identifiers = $5, email_key = $6, password_hash = $7, \
                 password_scheme = $8, updated_at = $9, last_password_reset = $10, version = version + 1 \
                 WHERE tenant_id = $1 AND user_id = $2 AND version = $3",
                arguments![
                    &self.tenant,
                    id,
                    record.version,
                    json(&record.user)?,
                    json(&identifiers)?,
                    email_key(&record.user),
                    record.password_hash.clone(),
                    record.password_scheme.clone(),
                    record.updated_at,
                    record.last_password_reset,
                ],
            )
            .await?;
        if done == 0 {
            self.remove_identifiers(&before.connection_id, &fresh)
                .await?;
            return Ok(Written::Moved);
        }
        let gone = difference(&before.identifiers, &identifiers);
        self.remove_identifiers(&before.connection_id, &gone)
            .await?;
        let (old, new) = (
            before.password_scheme.as_deref(),
            record.password_scheme.as_deref(),
        );
        self.move_in_mix(&before.connection_id, id, old, new)
            .await?;
        Ok(Written::Done)
    }

    /// Removes a user; whether there was one.
    pub async fn remove_user(&mut self, id: &UserId) -> Result<bool, StoreError> {
        let removed = self
            .returning(Select::new(
                "DELETE FROM users WHERE tenant_id = $1 AND user_id = $2 \
                 RETURNING connection_id, identifiers, password_scheme, version",
                arguments![&self.tenant, id],
                read_before,
            ))
            .await?;
        self.forget_passwords(id).await?;
        if !removed.is_empty() {
            self.forget_active_user(id).await?;
        }
        for user in &removed {
            self.remove_identifiers(&user.connection_id, &user.identifiers)
                .await?;
            self.move_in_mix(
                &user.connection_id,
                id,
                user.password_scheme.as_deref(),
                None,
            )
            .await?;
        }
        Ok(!removed.is_empty())
    }

    /// Notes a login on the user. The version stays: a login does not disturb an administrator's change.
    pub async fn record_login(
        &mut self,
        id: &UserId,
        at: Timestamp,
        ip: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE users SET last_login = $3, last_ip = $4, logins_count = logins_count + 1 \
             WHERE tenant_id = $1 AND user_id = $2",
            arguments![&self.tenant, id, at, ip],
        )
        .await
        .map(drop)
    }

    /// Adds all identifiers or none.
    async fn add_identifiers(
        &mut self,
        connection: &ConnectionId,
        user: &UserId,
        identifiers: &[Identifier],
    ) -> Result<bool, StoreError> {
        if identifiers.is_empty() {
            return Ok(true);
        }
        let sql = format!(
            "INSERT INTO identifiers (tenant_id, connection_id, identifier, user_id) VALUES {} \
             ON CONFLICT DO NOTHING RETURNING identifier",
            tuples(1, identifiers.len(), 4)
        );
        let mut arguments = Vec::with_capacity(identifiers.len() * 4);
        for identifier in identifiers {
            arguments.extend(arguments![&self.tenant, connection, identifier, user]);
        }
        let added = self
            .returning(Select::new(sql, arguments, Row::text))
            .await?;
        if added.len() == identifiers.len() {
            return Ok(true);
        }
        let added: Vec<Identifier> = identifiers
            .iter()
            .filter(|identifier| added.iter().any(|text| text == identifier.as_str()))
            .cloned()
            .collect();
        self.remove_identifiers(connection, &added).await?;
        Ok(false)
    }

    async fn remove_identifiers(
        &mut self,
        connection: &ConnectionId,
        identifiers: &[Identifier],
    ) -> Result<(), StoreError> {
        for identifier in identifiers {
            let arguments = arguments![&self.tenant, connection, identifier];
            self.execute(
                "DELETE FROM identifiers WHERE tenant_id = $1 AND connection_id = $2 AND identifier = $3",
                arguments,
            )
            .await?;
        }
        Ok(())
    }
}

/// What of a stored user decides how others of its rows change.
struct Before {
    connection_id: ConnectionId,
    identifiers: Vec<Identifier>,
    password_scheme: Option<String>,
    version: i64,
}

fn read_before(row: &mut Row) -> Result<Before, StoreError> {
    Ok(Before {
        connection_id: ConnectionId::new(row.text()?),
        identifiers: row.json()?,
        password_scheme: row.maybe_text()?,
        version: row.int()?,
    })
}

/// Each once, in an order in which two units cannot wait for each other.
fn sorted(identifiers: &[Identifier]) -> Vec<Identifier> {
    let mut sorted = identifiers.to_vec();
    sorted.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
    sorted.dedup();
    sorted
}

fn difference(of: &[Identifier], without: &[Identifier]) -> Vec<Identifier> {
    of.iter()
        .filter(|identifier| !without.contains(identifier))
        .cloned()
        .collect()
}

fn email_key(user: &User) -> Option<String> {
    user.email
        .as_deref()
        .map(|email| Identifier::of(email).as_str().to_owned())
}
