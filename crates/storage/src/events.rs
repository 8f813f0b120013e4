//! Log events: written many at once, read by pages or from a checkpoint on.
//!
//! The key is (tenant, log id): log ids begin with the microsecond and end with random digits, so this is the order
//! by time and id that lists need, retention can drop a range of it, and finding one by its id needs no second index.

use std::time::Duration;

use jiff::Timestamp;
use model::{ClientId, ConnectionId, EventType, Identifier, LogEvent, LogId, TenantId, UserId};

use crate::meters::MeterKey;
use crate::statement::{Row, Select, Value, arguments, json, tuples};
use crate::tenant_store::{Conditions, Listing, reads};
use crate::{Listed, Page, StoreError, TenantStore, Work};

/// Readers by checkpoint stop this long before now, so that a late commit is never skipped.
pub const CHECKPOINT_DELAY: Duration = Duration::from_secs(10);

/// Counts of events stop here: counting a large log on each request would let a reader slow logins down.
pub const EVENT_TOTAL_LIMIT: u32 = 10_000;

/// Which events, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    pub range: EventRange,
    pub filter: EventFilter,
}

/// Which part of the events that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventRange {
    /// The newest first.
    NewestFirst(Page),
    OldestFirst(Page),
    /// The oldest first, after this event (or from the start), and not within [`CHECKPOINT_DELAY`] of `now`.
    /// The total is that of the items.
    Checkpoint {
        from: Option<LogId>,
        take: u32,
        now: Timestamp,
    },
}

/// Which records of refusals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// One of these identifiers, normalised; empty asks for none in particular.
    pub names: Vec<String>,
    pub ip: Option<String>,
    pub reason: Option<String>,
    /// This event or a later one.
    pub from: Option<LogId>,
    /// Only earlier ones.
    pub before: Option<LogId>,
}

/// Equalities that events must fulfil.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub event_type: Option<EventType>,
    pub user_id: Option<UserId>,
    pub client_id: Option<ClientId>,
    pub ip: Option<String>,
}

const COLUMNS: &str = "log_id, occurred_at, event_type, description, client_id, client_name, connection, \
                       connection_id, ip, client_ip, user_id, user_name, user_agent, audience, scope, hostname, \
                       details, rest";
/// What a decision is found by stands beside the event, and is not read back.
const FOUND_BY: &str = "decision, decision_name";
const COLUMN_COUNT: usize = 21;
/// SQLite takes 32,766 arguments a statement.
const ROWS_A_STATEMENT: usize = 500;

reads! {
    /// The event with this id.
    first find_event(id: &LogId) -> Option<LogEvent> = by_id;
}

impl TenantStore {
    /// Events of one range that fulfil a filter.
    pub async fn list_events(&self, query: &EventQuery) -> Result<Listed<LogEvent>, StoreError> {
        let filter = &query.filter;
        let conditions = Conditions::of(&self.tenant)
            .and("event_type =", filter.event_type.map(EventType::code))
            .and("user_id =", filter.user_id.as_ref())
            .and("client_id =", filter.client_id.as_ref())
            .and("ip =", filter.ip.as_deref());
        match &query.range {
            EventRange::NewestFirst(page) => {
                self.list(listing(conditions, "log_id DESC", page.clone()))
                    .await
            }
            EventRange::OldestFirst(page) => {
                self.list(listing(conditions, "log_id", page.clone())).await
            }
            EventRange::Checkpoint { from, take, now } => {
                let settled = now.checked_sub(CHECKPOINT_DELAY).unwrap_or(Timestamp::MIN);
                let conditions = conditions
                    .and("log_id >", from.as_ref())
                    .and("occurred_at <=", Some(settled));
                let (conditions, mut arguments) = conditions.into_parts();
                arguments.extend(arguments![*take]);
                let sql = format!(
                    "SELECT {COLUMNS} FROM events WHERE {conditions} ORDER BY log_id LIMIT ${}",
                    arguments.len()
                );
                let items = self.all(Select::new(sql, arguments, read)).await?;
                Ok(Listed {
                    total: items.len() as u64,
                    items,
                })
            }
        }
    }
}

impl TenantStore {
    /// Events that are records of refusals, the newest first.
    pub async fn list_decisions(
        &self,
        filter: &DecisionFilter,
        page: Page,
    ) -> Result<Listed<LogEvent>, StoreError> {
        let reason = filter.reason.as_deref();
        // Any reason is greater than none, which also tells both engines that the index of decisions holds them all.
        let any = reason.is_none().then_some("");
        let conditions = Conditions::of(&self.tenant)
            .and("decision =", reason)
            .and("decision >", any)
            .among("decision_name", &filter.names)
            .and("ip =", filter.ip.as_deref())
            .and("log_id >=", filter.from.as_ref())
            .and("log_id <", filter.before.as_ref());
        self.list(listing(conditions, "log_id DESC", page)).await
    }
}

impl Work {
    /// Writes events, many in one statement.
    pub async fn add_events(&mut self, events: &[LogEvent]) -> Result<(), StoreError> {
        for chunk in events.chunks(ROWS_A_STATEMENT) {
            let mut arguments = Vec::with_capacity(chunk.len() * COLUMN_COUNT);
            for event in chunk {
                arguments.extend(cells(&self.tenant, event)?);
            }
            let sql = format!(
                "INSERT INTO events (tenant_id, {COLUMNS}, {FOUND_BY}) VALUES {}",
                tuples(1, chunk.len(), COLUMN_COUNT)
            );
            self.execute(sql, arguments).await?;
        }
        Ok(())
    }

    /// Writes an event unless one of these meters still counts something at `now`, in one statement; tells whether it did.
    pub async fn add_event_unless_counted(
        &mut self,
        event: &LogEvent,
        meters: &[MeterKey],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut arguments = cells(&self.tenant, event)?;
        let row = tuples(1, 1, COLUMN_COUNT);
        let row = row.trim_matches(['(', ')']);
        let counts = if meters.is_empty() {
            String::new()
        } else {
            arguments.extend(meters.iter().map(Value::from));
            arguments.push(Value::from(now));
            format!(
                " WHERE NOT EXISTS (SELECT 1 FROM meters WHERE tenant_id = $1 AND key IN {} AND expires_at > ${})",
                tuples(COLUMN_COUNT + 1, 1, meters.len()),
                arguments.len()
            )
        };
        let sql =
            format!("INSERT INTO events (tenant_id, {COLUMNS}, {FOUND_BY}) SELECT {row}{counts}");
        Ok(self.execute(sql, arguments).await? > 0)
    }
}

fn cells(tenant: &TenantId, event: &LogEvent) -> Result<Vec<Value>, StoreError> {
    let decision = event.decision();
    let name = decision.and(event.user_name.as_deref()).map(Identifier::of);
    Ok(arguments![
        tenant,
        &event.log_id,
        event.date,
        event.event_type.code(),
        &event.description,
        event.client_id.as_ref(),
        event.client_name.as_ref(),
        event.connection.as_ref(),
        event.connection_id.as_ref(),
        event.ip.as_ref(),
        event.client_ip.as_ref(),
        event.user_id.as_ref(),
        event.user_name.as_ref(),
        event.user_agent.as_ref(),
        event.audience.as_ref(),
        event.scope.as_ref(),
        &event.hostname,
        json(&event.details)?,
        json(&event.rest)?,
        decision,
        name.as_ref(),
    ])
}

fn listing(conditions: Conditions, order: &'static str, page: Page) -> Listing<LogEvent> {
    Listing {
        columns: COLUMNS,
        table: "events",
        conditions,
        order,
        id: "log_id",
        page,
        total_limit: Some(EVENT_TOTAL_LIMIT),
        read,
    }
}

fn by_id(tenant: &TenantId, id: &LogId) -> Select<LogEvent> {
    Select::new(
        format!("SELECT {COLUMNS} FROM events WHERE tenant_id = $1 AND log_id = $2"),
        arguments![tenant, id],
        read,
    )
}

fn read(row: &mut Row) -> Result<LogEvent, StoreError> {
    Ok(LogEvent {
        log_id: LogId::new(row.text()?),
        date: row.time()?,
        event_type: {
            let code = row.text()?;
            EventType::from_code(&code)
                .ok_or_else(|| StoreError::Unreadable(format!("event type {code}")))?
        },
        description: row.text()?,
        client_id: row.maybe_text()?.map(ClientId::new),
        client_name: row.maybe_text()?,
        connection: row.maybe_text()?,
        connection_id: row.maybe_text()?.map(ConnectionId::new),
        ip: row.maybe_text()?,
        client_ip: row.maybe_text()?,
        user_id: row.maybe_text()?.map(UserId::new),
        user_name: row.maybe_text()?,
        user_agent: row.maybe_text()?,
        audience: row.maybe_text()?,
        scope: row.maybe_text()?,
        hostname: row.text()?,
        details: row.json()?,
        rest: row.json()?,
    })
}
