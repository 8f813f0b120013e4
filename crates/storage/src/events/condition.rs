//! A filter of log events as a condition in SQL. Values are bound; what is said of columns is fixed.

use std::collections::BTreeSet;
use std::ops::Bound;

use model::{EventField, EventFilter, Spelling};

use crate::engine::Dialect;
use crate::statement::Value;

/// A condition in the making.
pub(super) struct Condition<'a> {
    dialect: Dialect,
    arguments: &'a mut Vec<Value>,
    /// Columns that are read.
    pub(super) columns: BTreeSet<&'static str>,
}

/// The column that holds a field; `rest` for members of that document.
pub(super) fn column(field: EventField) -> &'static str {
    match field {
        EventField::ClientId => "client_id",
        EventField::ClientName => "client_name",
        EventField::Connection => "connection",
        EventField::ConnectionId => "connection_id",
        EventField::Description => "description",
        EventField::Hostname => "hostname",
        EventField::Ip => "ip",
        EventField::LogId => "log_id",
        EventField::OrganizationId | EventField::Strategy | EventField::StrategyType => "rest",
        EventField::Type => "event_type",
        EventField::UserAgent => "user_agent",
        EventField::UserId => "user_id",
        EventField::UserName => super::NAME,
    }
}

impl<'a> Condition<'a> {
    pub(super) fn new(dialect: Dialect, arguments: &'a mut Vec<Value>) -> Self {
        Self {
            dialect,
            arguments,
            columns: BTreeSet::new(),
        }
    }

    /// Its text. It may come to NULL where a field is absent, which only a negation has to turn into no.
    pub(super) fn sql(&mut self, filter: &EventFilter) -> String {
        match filter {
            EventFilter::Every => "TRUE".to_owned(),
            EventFilter::Not(inner) => format!("NOT COALESCE({}, FALSE)", self.sql(inner)),
            EventFilter::All(every) => self.joined(every, " AND ", "TRUE"),
            EventFilter::Any(any) => self.joined(any, " OR ", "FALSE"),
            EventFilter::Has(field) => format!("{} <> ''", self.value(*field)),
            EventFilter::Is(field, value) => {
                let number = self.bind(Value::from(value));
                format!("{} = {number}", self.value(*field))
            }
            EventFilter::Fits(field, pattern) => {
                let number = self.bind(Value::from(self.dialect.pattern(pattern)));
                let value = self.value(*field);
                self.dialect.fits(&value, &number)
            }
            EventFilter::Between(field, from, to) => {
                let value = self.value(*field);
                let from = self.end(&value, [">=", ">"], from.as_ref());
                let to = self.end(&value, ["<=", "<"], to.as_ref());
                format!("({from} AND {to})")
            }
            EventFilter::During(span) => {
                self.columns.insert("occurred_at");
                let from = span.from.map_or(Bound::Unbounded, Bound::Included);
                let before = span.before.map_or(Bound::Unbounded, Bound::Excluded);
                let from = self.end("occurred_at", [">=", ">"], from);
                let before = self.end("occurred_at", ["<=", "<"], before);
                format!("({from} AND {before})")
            }
        }
    }

    fn joined(&mut self, filters: &[EventFilter], by: &str, none: &str) -> String {
        let parts: Vec<String> = filters.iter().map(|filter| self.sql(filter)).collect();
        match parts.as_slice() {
            [] => none.to_owned(),
            parts => format!("({})", parts.join(by)),
        }
    }

    /// The expression that a value of this field is compared with.
    fn value(&mut self, field: EventField) -> String {
        let column = column(field);
        self.columns.insert(column);
        match (column, field.spelling()) {
            ("rest", _) => self.dialect.member(column, field.name()),
            (_, Spelling::AnyCase) => self.dialect.lower(column),
            (_, Spelling::Exact | Spelling::Identifier | Spelling::Address) => column.to_owned(),
        }
    }

    fn end<V: Into<Value>>(
        &mut self,
        value: &str,
        [included, excluded]: [&str; 2],
        end: Bound<V>,
    ) -> String {
        let (operator, end) = match end {
            Bound::Unbounded => return "TRUE".to_owned(),
            Bound::Included(end) => (included, end),
            Bound::Excluded(end) => (excluded, end),
        };
        let number = self.bind(end.into());
        format!("{value} {operator} {number}")
    }

    fn bind(&mut self, value: Value) -> String {
        self.arguments.push(value);
        format!("${}", self.arguments.len())
    }
}
