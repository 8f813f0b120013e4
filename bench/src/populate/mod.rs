//! A large database, written straight into the tables: users like the first one, and log events of the last month.
//!
//! All share one password and its hash; names go on as `user1@example.com`, `user2@example.com` and so on.

mod event_indexes;

use jiff::{SignedDuration, Timestamp};
use model::{ClientId, ConnectionId, EventType, Identifier, LogEvent, LogId, UserId, UserRecord};
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

const USERS_A_UNIT: u64 = 50;
const EVENTS_A_UNIT: u64 = 5_000;
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Fills an SQLite file or a PostgreSQL database.
pub(crate) async fn named(name: &str, crowd: Crowd) -> Result<(), Failure> {
    let database = if name.starts_with("postgres") {
        Database::Postgres {
            url: name.to_owned(),
            pooler: false,
            max_connections: 2,
        }
    } else {
        Database::Sqlite { path: name.into() }
    };
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
    let indexes = event_indexes::take(settings).await?;
    add_events(&rows, &connection.id, first.created_at, crowd).await?;
    event_indexes::give_back(settings, &indexes).await
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
                event(connection, at, number, crowd)
            })
            .collect();
        rows.write(async move |work: &mut Work| work.add_past_events(&unit).await)
            .await?;
        next = until;
        if next % 1_000_000 == 0 {
            eprintln!("{next} of {} events", crowd.events);
        }
    }
    Ok(())
}

/// How many events are about each user that has any, come from each address and are of each rare kind, in a log of any
/// size: so that the same searches find as much.
pub(crate) const ALIKE: u64 = 100;

/// One user, address and application in [`ALIKE`] events each.
pub(crate) fn groups(events: u64) -> u64 {
    (events / ALIKE).max(1)
}

/// A login of one of the users; one group of them are wrong passwords.
fn event(connection: &ConnectionId, at: Timestamp, number: u64, crowd: Crowd) -> LogEvent {
    // Scattered over the users as logins are.
    let group = number.wrapping_mul(0x9e37_79b9) % groups(crowd.events);
    let user = group % crowd.users.max(1);
    LogEvent {
        log_id: LogId::of(at, 0, u128::from(number)),
        date: at,
        event_type: if group == 0 {
            EventType::WrongPassword
        } else {
            EventType::PasswordExchangeSucceeded
        },
        description: String::new(),
        client_id: Some(ClientId::new(format!("client{}", group % 1_000))),
        client_name: Some("Shop".to_owned()),
        connection: Some("Users".to_owned()),
        connection_id: Some(connection.clone()),
        ip: Some(address(group)),
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

/// The address of a group, all of 10.0.0.0/8.
pub(crate) fn address(group: u64) -> String {
    let [.., b, c, d] = group.to_be_bytes();
    format!("10.{b}.{c}.{d}")
}
