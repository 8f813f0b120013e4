//! A connection in use. Only one that is known to be clean goes back to the pool.

use std::sync::atomic::Ordering;

use deadpool::managed::{Object, Pool};
use tokio_postgres::types::{ToSql, Type};

use super::link::{Link, Links, Statements};
use super::outcome::{self, Fate};
use crate::StoreError;
use crate::statement::{Row, Statement, Value};

/// Beyond so many texts a connection forgets its prepared statements and begins anew.
const MOST_PREPARED: usize = 512;

/// A connection taken from the pool.
pub(crate) struct Lease {
    object: Option<Object<Links>>,
    pool: Pool<Links>,
    clean: bool,
    lost: bool,
}

impl Lease {
    pub(super) fn new(object: Object<Links>, pool: Pool<Links>) -> Self {
        Self {
            object: Some(object),
            pool,
            clean: false,
            lost: false,
        }
    }

    /// Gives the connection back, unless it leads nowhere any more.
    pub(super) fn keep(mut self) {
        self.clean = !self.lost;
    }

    pub(crate) async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        let rows = self.link().query(statement).await;
        let rows = rows.map_err(|error| self.failed(&error))?;
        rows.iter().map(row).collect()
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        let written = self.link().execute(statement).await;
        written.map_err(|error| self.failed(&error))
    }

    /// Runs a statement without arguments and answers.
    pub(crate) async fn control(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = self.link().client.batch_execute(sql).await;
        done.map_err(|error| self.failed(&error))
    }

    /// Commits; anything less than a plain success is not taken for one.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        let link = self.link();
        link.warned.store(false, Ordering::Release);
        let committed = link.client.batch_execute("COMMIT").await;
        let warned = link.warned.load(Ordering::Acquire);
        match committed {
            Err(error) => Err(outcome::of_commit(&error)),
            Ok(()) if warned => Err(StoreError::Unknown(
                "the commit came with a warning, such as that replication was not confirmed"
                    .to_owned(),
            )),
            Ok(()) => Ok(()),
        }
    }

    fn link(&mut self) -> &mut Link {
        self.object
            .as_mut()
            .expect("a lease has its connection until it is dropped")
    }

    fn failed(&mut self, error: &tokio_postgres::Error) -> StoreError {
        let (fate, error) = outcome::of_statement(error);
        self.lost |= matches!(error, StoreError::Unreachable(_));
        if fate == Fate::ReadOnly {
            // The primary has moved: the idle connections lead to the same place.
            self.pool.retain(|_, _| false);
        }
        error
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && !self.clean
        {
            // Closed by being dropped outside of the pool; the server rolls back.
            drop(Object::take(object));
        }
    }
}

impl Link {
    async fn query(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        match self.prepared(statement).await? {
            None => {
                self.client
                    .query_typed(&statement.sql, &typed(&statement.arguments))
                    .await
            }
            Some(prepared) => {
                self.client
                    .query(&prepared, &untyped(&statement.arguments))
                    .await
            }
        }
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, tokio_postgres::Error> {
        match self.prepared(statement).await? {
            None => {
                self.client
                    .execute_typed(&statement.sql, &typed(&statement.arguments))
                    .await
            }
            Some(prepared) => {
                self.client
                    .execute(&prepared, &untyped(&statement.arguments))
                    .await
            }
        }
    }

    async fn prepared(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<tokio_postgres::Statement>, tokio_postgres::Error> {
        let Statements::Prepared(known) = &mut self.statements else {
            return Ok(None);
        };
        if let Some(prepared) = known.get(&*statement.sql) {
            return Ok(Some(prepared.clone()));
        }
        let types: Vec<Type> = statement.arguments.iter().map(type_of).collect();
        let prepared = self.client.prepare_typed(&statement.sql, &types).await?;
        if known.len() >= MOST_PREPARED {
            known.clear();
        }
        known.insert(statement.sql.to_string(), prepared.clone());
        Ok(Some(prepared))
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Text(_) => Type::TEXT,
        Value::Int(_) => Type::INT8,
        Value::Bytes(_) => Type::BYTEA,
    }
}

fn argument(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Text(text) => text,
        Value::Int(int) => int,
        Value::Bytes(bytes) => bytes,
    }
}

fn typed(values: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values
        .iter()
        .map(|value| (argument(value), type_of(value)))
        .collect()
}

fn untyped(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(argument).collect()
}

fn row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let cell = |(position, column): (usize, &tokio_postgres::Column)| {
        let found = match *column.type_() {
            Type::INT8 => row.try_get(position).map(Value::Int),
            Type::INT4 => row
                .try_get(position)
                .map(|int: Option<i32>| Value::Int(int.map(i64::from))),
            Type::BYTEA => row.try_get(position).map(Value::Bytes),
            _ => row.try_get(position).map(Value::Text),
        };
        found.map_err(|error| StoreError::Unreadable(error.to_string()))
    };
    let cells = row.columns().iter().enumerate().map(cell);
    Ok(Row::new(cells.collect::<Result<_, _>>()?))
}
