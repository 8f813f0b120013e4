//! Walks along an index from one end, in steps, until enough events were found or enough looked at.
//!
//! Each step is a statement of its own over a bounded number of rows: no search holds a reader of SQLite for long, and no
//! planner is trusted with the choice. The conditions compare (value, log id) with bounds instead of the value with itself:
//! so the order that is asked for is one that only the index of that value has, and PostgreSQL takes it whatever its
//! statistics say. What is left of a filter is asked of the rows of a step alone.

use model::{EventFilter, LogEvent, LogId, TenantId};

use super::condition::Condition;
use super::plan::{Plan, Walk, Way, behind};
use super::{COLUMNS, read};
use crate::engine::Dialect;
use crate::statement::{Row, Select, Value, padded, tuples};
use crate::{StoreError, TenantStore};

/// A search looks at no more events than these.
pub const EVENTS_LOOKED_AT: u64 = 50_000;

/// Rows of a step; the first ones are few, because most searches find what they want at once.
const STEPS: [u64; 3] = [500, 2_000, 5_000];

/// How many rows are fetched by their ids in a statement.
const FETCHED: usize = 500;

/// From which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Which events fit, in order, as far as they were wanted.
pub(super) enum Fitting {
    Ids(Vec<LogId>),
    /// The bound was reached at this event.
    GaveUp(LogId),
}

impl TenantStore {
    /// The ids of the first `wanted` events that fit.
    pub(super) async fn fitting(
        &self,
        plan: &Plan,
        order: Order,
        wanted: u64,
    ) -> Result<Fitting, StoreError> {
        let mut given_up = None;
        let share = EVENTS_LOOKED_AT / plan.ways.len().max(1) as u64;
        for way in &plan.ways {
            match self.along(plan, way, order, wanted, share).await? {
                Fitting::GaveUp(at) => given_up = Some(at),
                found @ Fitting::Ids(_) => return Ok(found),
            }
        }
        Ok(given_up.map_or(Fitting::Ids(Vec::new()), Fitting::GaveUp))
    }

    /// All walks of a way, merged.
    async fn along(
        &self,
        plan: &Plan,
        way: &Way,
        order: Order,
        wanted: u64,
        mut looks: u64,
    ) -> Result<Fitting, StoreError> {
        let mut all = Vec::new();
        for walk in &way.walks {
            let mut stretch = Stretch {
                walk,
                rest: &way.rest,
                order,
                low: plan.low.clone(),
                high: plan.high.clone(),
            };
            match self.walked(&mut stretch, wanted, &mut looks).await? {
                Fitting::Ids(ids) => all.extend(ids),
                gave_up @ Fitting::GaveUp(_) => return Ok(gave_up),
            }
        }
        all.sort_unstable();
        // An event may be on several walks.
        all.dedup();
        if order == Order::NewestFirst {
            all.reverse();
        }
        all.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        Ok(Fitting::Ids(all))
    }

    async fn walked(
        &self,
        stretch: &mut Stretch<'_>,
        wanted: u64,
        looks: &mut u64,
    ) -> Result<Fitting, StoreError> {
        let dialect = self.engine.dialect();
        if *stretch.rest == EventFilter::Every {
            let ids = self.all(stretch.ids(&self.tenant, dialect, wanted, None));
            return Ok(Fitting::Ids(ids.await?));
        }
        let mut found = Vec::new();
        let mut steps = STEPS.into_iter();
        let mut step = 0;
        loop {
            step = steps.next().unwrap_or(step);
            // Where this step ends; none if the walk does.
            let edge = self.first(stretch.edge(&self.tenant, step)).await?;
            let left = wanted.saturating_sub(found.len() as u64);
            let part = stretch.up_to(edge.as_ref());
            let ids = part.ids(&self.tenant, dialect, left, Some(step));
            found.extend(self.all(ids).await?);
            *looks = looks.saturating_sub(step);
            match edge {
                None => return Ok(Fitting::Ids(found)),
                Some(_) if found.len() as u64 >= wanted => return Ok(Fitting::Ids(found)),
                Some(edge) if *looks == 0 => return Ok(Fitting::GaveUp(edge)),
                Some(edge) => stretch.go_on_behind(&edge),
            }
        }
    }

    /// Events by their ids, in the order of those.
    pub(super) async fn fetched(&self, ids: &[LogId]) -> Result<Vec<LogEvent>, StoreError> {
        let mut events = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(FETCHED) {
            let padded = padded(chunk);
            let sql = format!(
                "SELECT {COLUMNS} FROM events WHERE tenant_id = $1 AND log_id IN {}",
                tuples(2, 1, padded.len())
            );
            let mut arguments = vec![Value::from(&self.tenant)];
            arguments.extend(padded.into_iter().map(Value::from));
            let mut found = self.all(Select::new(sql, arguments, read)).await?;
            found.sort_unstable_by(|one, other| one.log_id.cmp(&other.log_id));
            // One that retention has removed meanwhile is not there any more.
            let by_id = |id: &LogId| {
                let place = found.binary_search_by(|event| event.log_id.cmp(id)).ok()?;
                found.get(place).cloned()
            };
            events.extend(chunk.iter().filter_map(by_id));
        }
        Ok(events)
    }
}

/// What is still to be walked.
#[derive(Clone)]
struct Stretch<'p> {
    walk: &'p Walk,
    rest: &'p EventFilter,
    order: Order,
    low: String,
    high: String,
}

impl Stretch<'_> {
    /// The part before and with this event.
    fn up_to(&self, edge: Option<&LogId>) -> Self {
        let mut part = self.clone();
        match (edge, self.order) {
            (None, _) => {}
            (Some(edge), Order::NewestFirst) => edge.as_str().clone_into(&mut part.low),
            (Some(edge), Order::OldestFirst) => part.high = behind(edge.as_str()),
        }
        part
    }

    fn go_on_behind(&mut self, edge: &LogId) {
        match self.order {
            Order::NewestFirst => edge.as_str().clone_into(&mut self.high),
            Order::OldestFirst => self.low = behind(edge.as_str()),
        }
    }

    /// The last one of so many events.
    fn edge(&self, tenant: &TenantId, step: u64) -> Select<LogId> {
        let (rows, arguments) = self.rows(tenant, "log_id");
        let skipped = step.saturating_sub(1);
        Select::new(
            format!("{rows} LIMIT 1 OFFSET {skipped}"),
            arguments,
            log_id,
        )
    }

    /// The ids of those that fulfil the rest; `step` is how many there can be.
    fn ids(
        &self,
        tenant: &TenantId,
        dialect: Dialect,
        wanted: u64,
        step: Option<u64>,
    ) -> Select<LogId> {
        let limit = limit(wanted);
        let Some(step) = step else {
            let (rows, arguments) = self.rows(tenant, "log_id");
            return Select::new(format!("{rows} LIMIT {limit}"), arguments, log_id);
        };
        let (_, mut arguments) = self.rows(tenant, "log_id");
        let mut condition = Condition::new(dialect, &mut arguments);
        let rest = condition.sql(self.rest);
        condition.columns.insert("log_id");
        let columns: Vec<&str> = condition.columns.into_iter().collect();
        let (rows, _) = self.rows(tenant, &columns.join(", "));
        let direction = self.direction();
        let sql = format!(
            "SELECT log_id FROM ({rows} LIMIT {step}) AS walked WHERE {rest} ORDER BY log_id{direction} LIMIT {limit}"
        );
        Select::new(sql, arguments, log_id)
    }

    /// The rows of the stretch in order, and the arguments that begin the statement.
    fn rows(&self, tenant: &TenantId, columns: &str) -> (String, Vec<Value>) {
        let (low, high) = (Value::from(&self.low), Value::from(&self.high));
        let direction = self.direction();
        match self.walk {
            Walk::Whole => (
                format!(
                    "SELECT {columns} FROM events WHERE tenant_id = $1 AND log_id >= $2 AND log_id < $3 \
                     ORDER BY log_id{direction}"
                ),
                vec![Value::from(tenant), low, high],
            ),
            Walk::Of { column, value } => (
                format!(
                    "SELECT {columns} FROM events WHERE tenant_id = $1 AND {column} IS NOT NULL \
                     AND ({column}, log_id) >= ($4, $2) AND ({column}, log_id) < ($4, $3) \
                     ORDER BY {column}{direction}, log_id{direction}"
                ),
                vec![Value::from(tenant), low, high, Value::from(value)],
            ),
        }
    }

    fn direction(&self) -> &'static str {
        match self.order {
            Order::NewestFirst => " DESC",
            Order::OldestFirst => "",
        }
    }
}

/// A limit stands in the text, because a planner that does not see it takes it for a tenth of the table; a few different
/// ones serve all.
fn limit(wanted: u64) -> u64 {
    wanted.clamp(16, 1 << 30).next_power_of_two()
}

fn log_id(row: &mut Row) -> Result<LogId, StoreError> {
    row.text().map(LogId::new)
}
