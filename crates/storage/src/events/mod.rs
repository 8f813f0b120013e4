//! Log events: written many at once, searched and paged, read from a checkpoint on.
//!
//! The key is (tenant, log id): log ids begin with the microsecond and end with random digits, so this is the order
//! by time and id that lists need, retention can drop a range of it, and finding one by its id needs no second index.

mod condition;
mod plan;
mod search;

use std::borrow::Cow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{
    ClientId, ConnectionId, EventFilter, EventType, Identifier, LogEvent, LogId, TenantId, UserId,
    tidy, tidy_members,
};

use crate::meters::MeterKey;
use plan::Plan;
pub use search::EVENTS_LOOKED_AT;
use search::{Fitting, Order};

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

/// What came of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Searched {
    Found(Listed<LogEvent>),
    /// So many events were looked at ([`EVENTS_LOOKED_AT`]) that the search was given up, at one of this time. What was
    /// found until then is not told: it would pass for everything.
    GaveUp(Timestamp),
}

const COLUMNS: &str = "log_id, occurred_at, event_type, description, client_id, client_name, connection, \
                       connection_id, ip, client_ip, user_id, user_name, user_agent, audience, scope, hostname, \
                       details, rest";
/// What an event is found by stands beside it, and is not read back.
const FOUND_BY: &str = "decision, identifier";
/// The user name as an [`Identifier`].
const NAME: &str = "identifier";
const COLUMN_COUNT: usize = 21;
/// SQLite takes 32,766 arguments a statement.
const ROWS_A_STATEMENT: usize = 500;

reads! {
    /// The event with this id.
    first find_event(id: &LogId) -> Option<LogEvent> = by_id;
    /// The oldest events after one, up to and with another.
    all list_events_between(after: &LogId, until: &LogId, limit: u32) -> Vec<LogEvent> = between;
}

impl TenantStore {
    /// Events of one range that fulfil a filter; fails where [`Self::search_events`] gives up.
    pub async fn list_events(&self, query: &EventQuery) -> Result<Listed<LogEvent>, StoreError> {
        match self.search_events(query, EVENT_TOTAL_LIMIT).await? {
            Searched::Found(listed) => Ok(listed),
            Searched::GaveUp(at) => Err(StoreError::Refused(format!(
                "{EVENTS_LOOKED_AT} events were looked at, up to {at}, and too few fit"
            ))),
        }
    }

    /// Events of one range that fulfil a filter. The total stops at `total_limit` or with the page, whichever is more.
    pub async fn search_events(
        &self,
        query: &EventQuery,
        total_limit: u32,
    ) -> Result<Searched, StoreError> {
        let mut plan = Plan::of(&query.filter);
        let (page, order) = match &query.range {
            EventRange::NewestFirst(page) => (page.clone(), Order::NewestFirst),
            EventRange::OldestFirst(page) => (page.clone(), Order::OldestFirst),
            EventRange::Checkpoint { from, take, now } => {
                let settled = now.checked_sub(CHECKPOINT_DELAY).unwrap_or(Timestamp::MIN);
                plan.end_before(settled + SignedDuration::from_micros(1));
                let page = Page::After {
                    id: from.as_ref().map(ToString::to_string),
                    take: *take,
                };
                (page, Order::OldestFirst)
            }
        };
        let (skipped, shown) = match page {
            Page::Numbered { page, per_page } => {
                (u64::from(page) * u64::from(per_page), u64::from(per_page))
            }
            Page::After { id, take } => {
                id.iter().for_each(|id| plan.begin_behind(id));
                (0, u64::from(take))
            }
        };
        let counts = !matches!(query.range, EventRange::Checkpoint { .. });
        let total_limit = if counts { u64::from(total_limit) } else { 0 };
        let wanted = total_limit.max(skipped + shown);
        let ids = match self.fitting(&plan, order, wanted).await? {
            Fitting::Ids(ids) => ids,
            Fitting::GaveUp(at) => {
                return Ok(Searched::GaveUp(at.time().unwrap_or(Timestamp::MIN)));
            }
        };
        let place = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let page = ids.get(place(skipped).min(ids.len())..).unwrap_or_default();
        let page = page.get(..place(shown).min(page.len())).unwrap_or_default();
        let items = self.fetched(page).await?;
        Ok(Searched::Found(Listed {
            total: if counts {
                ids.len() as u64
            } else {
                items.len() as u64
            },
            items,
        }))
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
            .among(NAME, &filter.names)
            .and("ip =", filter.ip.as_deref())
            .and("log_id >=", filter.from.as_ref())
            .and("log_id <", filter.before.as_ref());
        self.list(listing(conditions, "log_id DESC", page)).await
    }
}

impl Work {
    /// Writes events, many in one statement. Those that have waited for long are written as of now.
    pub async fn add_events(&mut self, events: &[LogEvent]) -> Result<(), StoreError> {
        let events = self.dated(events);
        self.add_past_events(&events).await
    }

    /// The events as they are written: those that have waited for long get the present time. Nothing else about them is
    /// decided here, least of all what they tell of.
    fn dated<'e>(&mut self, events: &'e [LogEvent]) -> Cow<'e, [LogEvent]> {
        let Some(oldest) = events.iter().map(|event| event.date).min() else {
            return Cow::Borrowed(events);
        };
        let Some(now) = self.promptness.instead_of(oldest) else {
            self.writes_event_of(oldest);
            return Cow::Borrowed(events);
        };
        self.writes_event_of(now);
        events.iter().map(|event| event.dated(now)).collect()
    }

    /// Writes events that may be old: readers by checkpoint have passed their time and will not see them.
    pub async fn add_past_events(&mut self, events: &[LogEvent]) -> Result<(), StoreError> {
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
        let dated = self.dated(std::slice::from_ref(event));
        let mut arguments = cells(&self.tenant, dated.first().unwrap_or(event))?;
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

/// What a row holds. Whatever a writer put into an event, its texts are tidy here.
fn cells(tenant: &TenantId, event: &LogEvent) -> Result<Vec<Value>, StoreError> {
    let text = |text: Option<&str>| Value::Text(text.map(|text| tidy(text).into_owned()));
    let user_name = event.user_name.as_deref().map(tidy);
    let name = user_name.as_deref().map(Identifier::of);
    Ok(vec![
        Value::from(tenant),
        Value::from(&event.log_id),
        Value::from(event.date),
        Value::from(event.event_type.code()),
        text(Some(&event.description)),
        text(event.client_id.as_ref().map(ClientId::as_str)),
        text(event.client_name.as_deref()),
        text(event.connection.as_deref()),
        text(event.connection_id.as_ref().map(ConnectionId::as_str)),
        text(event.ip.as_deref()),
        text(event.client_ip.as_deref()),
        text(event.user_id.as_ref().map(UserId::as_str)),
        text(user_name.as_deref()),
        text(event.user_agent.as_deref()),
        text(event.audience.as_deref()),
        text(event.scope.as_deref()),
        text(Some(&event.hostname)),
        Value::from(json(&tidy_members(&event.details))?),
        Value::from(json(&tidy_members(&event.rest))?),
        Value::from(event.decision()),
        Value::from(name.as_ref()),
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

fn between(tenant: &TenantId, after: &LogId, until: &LogId, limit: u32) -> Select<LogEvent> {
    // A planner that does not see the limit takes it for a tenth of the table.
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE tenant_id = $1 AND log_id > $2 AND log_id <= $3 ORDER BY log_id LIMIT {limit}"
    );
    Select::new(sql, arguments![tenant, after, until], read)
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
