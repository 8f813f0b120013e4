//! A large database, written straight into the tables: users like the first one, and log events of the last month.
//!
//! All share one password and its hash; names go on as `user1@example.com`, `user2@example.com` and so on.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use model::{ConnectionId, EventType, Identifier, LogEvent, LogId, UserId, UserRecord};
use serde_json::Map;
use storage::{Database, Store, StoreSettings, TenantStore, Work};

use crate::Failure;

/// How much there is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    /// Those there already included.
    pub(crate) users: u64,
    pub(crate) events: u64,
}

const USERS_A_UNIT: u64 = 500;
const EVENTS_A_UNIT: u64 = 5_000;
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Fills an SQLite file.
pub(crate) async fn file(path: PathBuf, crowd: Crowd) -> Result<(), Failure> {
    let database = Database::Sqlite { path };
    populate(&StoreSettings { database }, crowd).await
}

/// Fills the database of a stopped server that has one directory and, in it, `user0@example.com`.
pub(crate) async fn populate(settings: &StoreSettings, crowd: Crowd) -> Result<(), Failure> {
    let store = Store::open(settings).await?;
    let tenants = store.list_tenants().await?;
    let rows = store.tenant(&tenants.first().ok_or("there is no tenant")?.id);
    let connections = rows.list_database_connections().await?;
    let connection = &connections
        .first()
        .ok_or("there is no directory")?
        .connection;
    let first = rows
        .find_user_by_identifier(&connection.id, &Identifier::of(&email(0)))
        .await?
        .ok_or("there is no user0@example.com to take after")?;
    add_users(&rows, &first, crowd.users).await?;
    add_events(&rows, &connection.id, first.created_at, crowd).await
}

fn email(number: u64) -> String {
    format!("user{number}@example.com")
}

async fn add_users(rows: &TenantStore, first: &UserRecord, users: u64) -> Result<(), Failure> {
    let mut next = 1;
    while next < users {
        let end = users.min(next + USERS_A_UNIT);
        let unit: Vec<UserRecord> = (next..end).map(|number| user(first, number)).collect();
        rows.write(async move |work: &mut Work| {
            for record in &unit {
                work.add_user(record).await?;
            }
            Ok(())
        })
        .await?;
        next = end;
    }
    Ok(())
}

fn user(first: &UserRecord, number: u64) -> UserRecord {
    let mut record = first.clone();
    let local = format!("{number:024x}");
    let email = email(number);
    record.user.user_id = UserId::new(format!("auth0|{local}"));
    for identity in &mut record.user.identities {
        identity.user_id.clone_from(&local);
    }
    record.user.name = Some(email.clone());
    record.user.nickname = Some(format!("user{number}"));
    record.identifiers = vec![Identifier::of(&email)];
    record.user.email = Some(email);
    record
}

async fn add_events(
    rows: &TenantStore,
    connection: &ConnectionId,
    end: Timestamp,
    crowd: Crowd,
) -> Result<(), Failure> {
    let step = MONTH.as_micros() / i128::from(crowd.events.max(1));
    let step = SignedDuration::from_micros(i64::try_from(step)?);
    let mut next = 0;
    while next < crowd.events {
        let until = crowd.events.min(next + EVENTS_A_UNIT);
        let unit: Vec<LogEvent> = (next..until)
            .map(|number| {
                let at = end - MONTH + step * i32::try_from(number).unwrap_or(i32::MAX);
                event(connection, at, number, crowd.users.max(1))
            })
            .collect();
        rows.write(async move |work: &mut Work| work.add_events(&unit).await)
            .await?;
        next = until;
    }
    Ok(())
}

/// A login of one of the users.
fn event(connection: &ConnectionId, at: Timestamp, number: u64, users: u64) -> LogEvent {
    // Scattered over the users as logins are.
    let user = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % users;
    LogEvent {
        log_id: LogId::new(format!("900{:017}{:036}", at.as_microsecond(), number)),
        date: at,
        event_type: EventType::PasswordExchangeSucceeded,
        description: String::new(),
        client_id: None,
        client_name: Some("Shop".to_owned()),
        connection: Some("Users".to_owned()),
        connection_id: Some(connection.clone()),
        ip: Some(format!("192.0.2.{}", number % 250)),
        client_ip: Some("198.51.100.10".to_owned()),
        user_id: Some(UserId::new(format!("auth0|{user:024x}"))),
        user_name: Some(email(user)),
        user_agent: Some("shop/1.0".to_owned()),
        audience: Some("https://api.example.com/".to_owned()),
        scope: Some("openid read:orders".to_owned()),
        hostname: "localhost".to_owned(),
        details: Map::new(),
        rest: Map::new(),
    }
}
