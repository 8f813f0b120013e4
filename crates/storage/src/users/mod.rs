//! Users: the document beside the columns that are queried, found by id, identifier or e-mail address.
//!
//! Identifiers stand in a table of their own, unique within a connection, and again in the user's row,
//! so that one statement of constant shape answers a look-up, whether it hits or misses.

mod sign_up;
mod write;

use model::{ConnectionId, Identifier, TenantId, UserId, UserRecord};

pub use sign_up::SignedUp;

use crate::statement::{Row, Select, arguments};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Listed, Page, StoreError, TenantStore};

/// Equalities a list of users may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    pub connection_id: Option<ConnectionId>,
    pub email: Option<Identifier>,
}

const COLUMNS: &str = "u.document, u.connection_id, u.identifiers, u.password_hash, u.password_scheme, u.created_at, \
                       u.updated_at, u.last_login, u.last_ip, u.logins_count, u.last_password_reset, u.version";

reads! {
    /// The user with this id.
    first find_user(id: &UserId) -> Option<UserRecord> = by_id;
    /// The user who signs in to this connection under this identifier.
    first find_user_by_identifier(connection: &ConnectionId, identifier: &Identifier) -> Option<UserRecord> = by_identifier;
    /// Users of any connection with this e-mail address, the oldest first.
    all find_users_by_email(email: &Identifier) -> Vec<UserRecord> = by_email;
}

impl TenantStore {
    /// Users, the oldest first.
    pub async fn list_users(
        &self,
        page: Page,
        filter: &UserFilter,
    ) -> Result<Listed<UserRecord>, StoreError> {
        self.list(Listing {
            columns: COLUMNS,
            table: "users u",
            conditions: Conditions::of(&self.tenant)
                .and("connection_id =", filter.connection_id.as_ref())
                .and("email_key =", filter.email.as_ref()),
            order: "u.created_at, u.user_id",
            id: "u.user_id",
            page,
            total_limit: None,
            read,
        })
        .await
    }
}

fn by_id(tenant: &TenantId, id: &UserId) -> Select<UserRecord> {
    Select::new(
        format!("SELECT {COLUMNS} FROM users u WHERE u.tenant_id = $1 AND u.user_id = $2"),
        arguments![tenant, id],
        read,
    )
}

fn by_identifier(
    tenant: &TenantId,
    connection: &ConnectionId,
    identifier: &Identifier,
) -> Select<UserRecord> {
    Select::new(
        format!(
            "SELECT {COLUMNS} FROM identifiers i \
             JOIN users u ON u.tenant_id = i.tenant_id AND u.user_id = i.user_id \
             WHERE i.tenant_id = $1 AND i.connection_id = $2 AND i.identifier = $3"
        ),
        arguments![tenant, connection, identifier],
        read,
    )
}

fn by_email(tenant: &TenantId, email: &Identifier) -> Select<UserRecord> {
    Select::new(
        format!(
            // The plus keeps SQLite from walking all users by age to save itself a sort of one or two rows.
            "SELECT {COLUMNS} FROM users u WHERE u.tenant_id = $1 AND u.email_key = $2 \
             ORDER BY +u.created_at, u.user_id"
        ),
        arguments![tenant, email],
        read,
    )
}

fn read(row: &mut Row) -> Result<UserRecord, StoreError> {
    Ok(UserRecord {
        user: row.json()?,
        connection_id: ConnectionId::new(row.text()?),
        identifiers: row.json()?,
        password_hash: row.maybe_text()?,
        password_scheme: row.maybe_text()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        last_login: row.maybe_time()?,
        last_ip: row.maybe_text()?,
        logins_count: row.int()?,
        last_password_reset: row.maybe_time()?,
        version: row.int()?,
    })
}
