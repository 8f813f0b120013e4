//! How one statement runs on a connection, and how values go in and come out.

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::StoreError;
use crate::statement::{Row, Statement, Value};

/// Runs a statement without arguments and rows.
pub(crate) fn control(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let run = || connection.prepare_cached(sql)?.execute([]);
    run().map(drop).map_err(|error| refused(&error))
}

pub(crate) fn query(
    connection: &Connection,
    statement: &Statement,
) -> Result<Vec<Row>, StoreError> {
    let rows = || {
        let mut prepared = connection.prepare_cached(&numbered(statement))?;
        let columns = prepared.column_count();
        let mut found = prepared.query(rusqlite::params_from_iter(&statement.arguments))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
            rows.push(Row::new(cells.collect::<Result<_, _>>()?));
        }
        Ok(rows)
    };
    rows().map_err(|error: rusqlite::Error| refused(&error))
}

pub(crate) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, StoreError> {
    let written = || {
        let mut prepared = connection.prepare_cached(&numbered(statement))?;
        prepared.execute(rusqlite::params_from_iter(&statement.arguments))
    };
    match written() {
        Ok(rows) => Ok(rows as u64),
        Err(error) => Err(refused(&error)),
    }
}

/// SQLite takes `$1` for a name, and numbers names by their first use; `?1` is a number.
fn numbered(statement: &Statement) -> String {
    statement.sql.replace('$', "?")
}

fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Int(None),
        ValueRef::Integer(int) => Value::Int(Some(int)),
        ValueRef::Text(text) => Value::Text(Some(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Value::Bytes(Some(bytes.to_vec())),
        // No column is a fraction; a reader that meets one finds the wrong type.
        ValueRef::Real(_) => Value::Bytes(Some(Vec::new())),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(Some(int)) => ValueRef::Integer(*int),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Text(None) | Self::Int(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

fn refused(error: &rusqlite::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}
