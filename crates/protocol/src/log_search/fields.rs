//! The fields of a log search by their names, and what a condition on one becomes.

use model::{EventField, EventFilter, Part, Pattern};

use super::dates;
use super::fault::{LogSearchFault, quoted};
use super::word::Word;

/// Where words without a field are looked for.
pub const LOG_SEARCH_BARE_FIELDS: [EventField; 7] = [
    EventField::ClientName,
    EventField::Connection,
    EventField::Description,
    EventField::Ip,
    EventField::LogId,
    EventField::Type,
    EventField::UserName,
];

const DATE: &str = "date";

/// What a condition asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// No field was named.
    Bare,
    Date,
    Text(EventField),
}

/// The names of all fields, in their order.
pub fn log_search_fields() -> Vec<&'static str> {
    let mut names: Vec<&str> = EventField::ALL.iter().map(|field| field.name()).collect();
    names.push(DATE);
    names.sort_unstable();
    names
}

impl Asked {
    pub(super) fn of(name: &str) -> Result<Self, LogSearchFault> {
        if name == DATE {
            return Ok(Self::Date);
        }
        let mut known = EventField::ALL.iter();
        match known.find(|field| field.name() == name) {
            Some(field) => Ok(Self::Text(*field)),
            None => Err(LogSearchFault::UnknownField { name: quoted(name) }),
        }
    }

    /// `_exists_:field`.
    pub(super) fn exists(self) -> EventFilter {
        match self {
            Self::Bare | Self::Date => EventFilter::Every,
            Self::Text(field) => EventFilter::Has(field),
        }
    }

    /// `field:value`, or a word by itself.
    pub(super) fn is(self, word: &Word) -> Result<EventFilter, LogSearchFault> {
        match self {
            Self::Text(field) => Ok(of_field(field, word)),
            Self::Bare => {
                let any = LOG_SEARCH_BARE_FIELDS.map(|field| of_field(field, word));
                Ok(if word.is_anything() {
                    EventFilter::Every
                } else {
                    EventFilter::Any(any.into())
                })
            }
            Self::Date if word.is_anything() => Ok(EventFilter::Every),
            Self::Date => match word.plain() {
                Some(text) => Ok(EventFilter::During(dates::read(text)?.whole())),
                None => Err(LogSearchFault::Unsupported {
                    what: "a wildcard in a date",
                    at: quoted(&word.written()),
                    remedy: "write date:2026-01 or a range such as date:[2026-01 TO 2026-02}",
                }),
            },
        }
    }
}

fn of_field(field: EventField, word: &Word) -> EventFilter {
    if word.is_anything() {
        return EventFilter::Has(field);
    }
    if let Some(text) = word.plain() {
        return EventFilter::Is(field, field.spelled(text));
    }
    let parts = word.parts().iter().map(|part| match part {
        Part::Text(text) => Part::Text(field.part_spelled(text)),
        hole => hole.clone(),
    });
    EventFilter::Fits(field, Pattern(parts.collect()))
}
