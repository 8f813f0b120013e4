//! A tenant's handle on the store: every query goes through it, so a query without a tenant does not compile.
//!
//! The functions themselves stand with their entities; here is how they reach the engine.

use model::TenantId;

use crate::answer::Page;
use crate::engine::Engine;
use crate::statement::{Row, Select, Value, tuples};
use crate::{Listed, StoreError, Work};

/// The rows of one tenant.
#[derive(Clone)]
pub struct TenantStore {
    pub(crate) engine: Engine,
    pub(crate) tenant: TenantId,
}

impl TenantStore {
    /// Whose rows these are.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant
    }

    /// Runs a unit of work and answers once it is durable; if it answers an error, nothing was written.
    ///
    /// The unit may run several times, so it has no other effect, and it awaits nothing but its `Work`.
    /// [`StoreError::Unknown`] means that it may have been committed.
    pub async fn write<T, F>(&self, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Work) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        self.engine.write(&self.tenant, unit).await
    }

    pub(crate) async fn first<T>(&self, select: Select<T>) -> Result<Option<T>, StoreError> {
        first(self.engine.query(select.statement).await?, select.read)
    }

    pub(crate) async fn all<T>(&self, select: Select<T>) -> Result<Vec<T>, StoreError> {
        all(self.engine.query(select.statement).await?, select.read)
    }

    pub(crate) async fn list<T>(&self, listing: Listing<T>) -> Result<Listed<T>, StoreError> {
        let (items, count) = listing.selects();
        Ok(Listed {
            items: self.all(items).await?,
            total: self.first(count).await?.unwrap_or_default(),
        })
    }
}

impl std::fmt::Debug for TenantStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantStore")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// What every row of a list fulfils: the tenant, and equalities that were asked for.
#[derive(Clone)]
pub(crate) struct Conditions {
    sql: String,
    arguments: Vec<Value>,
}

impl Conditions {
    pub(crate) fn of(tenant: &TenantId) -> Self {
        Self {
            sql: "tenant_id = $1".to_owned(),
            arguments: vec![Value::from(tenant)],
        }
    }

    /// Adds `COLUMN OPERATOR value`, if a value was given.
    pub(crate) fn and(
        mut self,
        column_and_operator: &str,
        value: Option<impl Into<Value>>,
    ) -> Self {
        if let Some(value) = value {
            self.arguments.push(value.into());
            let number = self.arguments.len();
            self.sql
                .push_str(&format!(" AND {column_and_operator} ${number}"));
        }
        self
    }

    /// Adds that a column has one of these values, if there are any.
    pub(crate) fn among(mut self, column: &str, values: &[String]) -> Self {
        if !values.is_empty() {
            let list = tuples(self.arguments.len() + 1, 1, values.len());
            self.arguments.extend(values.iter().map(Value::from));
            self.sql.push_str(&format!(" AND {column} IN {list}"));
        }
        self
    }

    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        (self.sql, self.arguments)
    }
}

/// A page of a table in a fixed order, and the count of all its rows.
pub(crate) struct Listing<T> {
    pub(crate) columns: &'static str,
    pub(crate) table: &'static str,
    pub(crate) conditions: Conditions,
    pub(crate) order: &'static str,
    /// The column of ids.
    pub(crate) id: &'static str,
    pub(crate) page: Page,
    /// The count stops here.
    pub(crate) total_limit: Option<u32>,
    pub(crate) read: fn(&mut Row) -> Result<T, StoreError>,
}

impl<T> Listing<T> {
    fn selects(self) -> (Select<T>, Select<u64>) {
        let Self { columns, table, .. } = self;
        let (counted, arguments) = self.conditions.clone().into_parts();
        let count = match self.total_limit {
            None => format!("SELECT COUNT(*) FROM {table} WHERE {counted}"),
            Some(limit) => format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {counted} LIMIT {limit}) AS counted"
            ),
        };
        let count = Select::new(count, arguments, Row::count);
        let (conditions, order, limit, offset) = match self.page {
            Page::Numbered { page, per_page } => {
                let offset = i64::from(page).saturating_mul(i64::from(per_page));
                (self.conditions, self.order, per_page, offset)
            }
            Page::After { id, take } => {
                let beyond = self.conditions.and(&format!("{} >", self.id), id);
                (beyond, self.id, take, 0)
            }
        };
        let (conditions, mut arguments) = conditions.into_parts();
        arguments.push(Value::from(limit));
        arguments.push(Value::from(offset));
        let (last, before) = (arguments.len(), arguments.len() - 1);
        let items = format!(
            "SELECT {columns} FROM {table} WHERE {conditions} ORDER BY {order} LIMIT ${before} OFFSET ${last}"
        );
        (Select::new(items, arguments, self.read), count)
    }
}

pub(crate) fn first<T>(
    rows: Vec<Row>,
    read: fn(&mut Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    rows.into_iter()
        .next()
        .map(|mut row| read(&mut row))
        .transpose()
}

pub(crate) fn all<T>(
    rows: Vec<Row>,
    read: fn(&mut Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Declares reading functions, on the tenant's handle and within units of work alike.
/// `find` answers the first row of a [`Select`], `all` every row.
macro_rules! reads {
    ($($(#[$doc:meta])* $how:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty = $select:path;)+) => {
        impl $crate::TenantStore {$(
            $(#[$doc])*
            pub async fn $name(&self, $($argument: $type),*) -> Result<$answer, $crate::StoreError> {
                self.$how($select(&self.tenant, $($argument),*)).await
            }
        )+}

        impl $crate::Work {$(
            $(#[$doc])*
            pub async fn $name(&mut self, $($argument: $type),*) -> Result<$answer, $crate::StoreError> {
                let select = $select(&self.tenant, $($argument),*);
                self.$how(select).await
            }
        )+}
    };
}
pub(crate) use reads;
