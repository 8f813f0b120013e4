//! A statement in the SQL both engines share, its arguments, and the rows it gives.
//!
//! Three types of values are enough for both: text, 64-bit integers, bytes; times are microseconds, documents are JSON text.
//! Placeholders are `$1`, `$2`, …

use std::borrow::Cow;

use jiff::Timestamp;
use model::{
    ClientGrantId, ClientId, ConnectionId, Identifier, LogId, LogStreamId, ResourceServerId,
    TenantId, UserId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A statement with its arguments.
pub(crate) struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) arguments: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>, arguments: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            arguments,
        }
    }
}

/// A reading statement and what each of its rows stands for.
pub(crate) struct Select<T> {
    pub(crate) statement: Statement,
    pub(crate) read: fn(&mut Row) -> Result<T, StoreError>,
}

impl<T> Select<T> {
    pub(crate) fn new(
        sql: impl Into<Cow<'static, str>>,
        arguments: Vec<Value>,
        read: fn(&mut Row) -> Result<T, StoreError>,
    ) -> Self {
        Self {
            statement: Statement::new(sql, arguments),
            read,
        }
    }
}

/// One argument or one cell. `None` is NULL.
#[derive(Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// Builds the arguments of a statement in the order of its placeholders.
macro_rules! arguments {
    ($($value:expr),* $(,)?) => { vec![$($crate::statement::Value::from($value)),*] };
}
pub(crate) use arguments;

/// The placeholders of a statement with many rows: `($1, $2), ($3, $4)` from `first` on.
pub(crate) fn tuples(first: usize, rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let separator = if column == 0 { "" } else { ", " };
            let number = first + row * columns + column;
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}${number}");
        }
        text.push(')');
    }
    text
}

/// A list made longer with its last item, so that lists of any length need few texts of a statement: each connection
/// keeps those it has prepared.
pub(crate) fn padded<T>(items: &[T]) -> Vec<&T> {
    let mut padded: Vec<&T> = items.iter().collect();
    if let Some(last) = items.last() {
        padded.resize(items.len().next_power_of_two(), last);
    }
    padded
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused(error.to_string()))
}

/// One row, read from left to right.
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(cells: Vec<Value>) -> Self {
        Self(cells.into_iter())
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Int(None) | Value::Bytes(None)) => Ok(None),
            _ => Err(unreadable("text expected")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        present(self.maybe_text()?)
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Int(int)) => Ok(int),
            Some(Value::Text(None) | Value::Bytes(None)) => Ok(None),
            _ => Err(unreadable("integer expected")),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        present(self.maybe_int()?)
    }

    /// A counter; the columns are wider than the type.
    pub(crate) fn count<N: TryFrom<i64>>(&mut self) -> Result<N, StoreError> {
        N::try_from(self.int()?).map_err(|_| unreadable("integer out of range"))
    }

    pub(crate) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(Value::Text(None) | Value::Int(None)) => Ok(None),
            _ => Err(unreadable("bytes expected")),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        present(self.maybe_bytes()?)
    }

    pub(crate) fn maybe_digest(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        self.maybe_bytes()?
            .map(|bytes| {
                bytes
                    .try_into()
                    .map_err(|_| unreadable("32 bytes expected"))
            })
            .transpose()
    }

    pub(crate) fn digest(&mut self) -> Result<[u8; 32], StoreError> {
        present(self.maybe_digest()?)
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int()?.map(model::from_micros))
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        present(self.maybe_time()?)
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        serde_json::from_str(&self.text()?).map_err(|error| unreadable(&error.to_string()))
    }
}

fn present<T>(cell: Option<T>) -> Result<T, StoreError> {
    cell.ok_or_else(|| unreadable("a value is missing"))
}

pub(crate) fn unreadable(what: &str) -> StoreError {
    StoreError::Unreadable(what.to_owned())
}

macro_rules! values {
    ($($type:ty, $variant:ident, $value:ident => $cell:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                Self::$variant(Some($cell))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$value| $cell))
            }
        }
    )+};
}

values! {
    &str, Text, value => value.to_owned();
    String, Text, value => value;
    &String, Text, value => value.clone();
    &TenantId, Text, value => value.as_str().to_owned();
    &ClientId, Text, value => value.as_str().to_owned();
    &ResourceServerId, Text, value => value.as_str().to_owned();
    &ConnectionId, Text, value => value.as_str().to_owned();
    &UserId, Text, value => value.as_str().to_owned();
    &ClientGrantId, Text, value => value.as_str().to_owned();
    &LogId, Text, value => value.as_str().to_owned();
    &LogStreamId, Text, value => value.as_str().to_owned();
    &Identifier, Text, value => value.as_str().to_owned();
    i64, Int, value => value;
    u32, Int, value => i64::from(value);
    i16, Int, value => i64::from(value);
    Timestamp, Int, value => model::to_micros(value);
    Vec<u8>, Bytes, value => value;
    &[u8], Bytes, value => value.to_vec();
    &[u8; 32], Bytes, value => value.to_vec();
    [u8; 32], Bytes, value => value.to_vec();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(tuples(2, 2, 3), "($2, $3, $4), ($5, $6, $7)");
    }

    #[test]
    fn lists_are_padded_to_few_lengths() {
        assert!(padded::<u8>(&[]).is_empty());
        assert_eq!(padded(&[1]), [&1]);
        assert_eq!(padded(&[1, 2, 3]), [&1, &2, &3, &3]);
    }

    #[test]
    fn a_cell_of_another_type_is_unreadable_and_null_is_not() {
        let mut row = Row::new(vec![
            Value::Int(Some(1)),
            Value::Text(None),
            Value::Text(None),
        ]);
        assert!(matches!(row.text(), Err(StoreError::Unreadable(_))));
        assert_eq!(row.maybe_int(), Ok(None));
        assert!(matches!(row.int(), Err(StoreError::Unreadable(_))));
        assert!(
            matches!(row.text(), Err(StoreError::Unreadable(_))),
            "past the end"
        );
    }
}
