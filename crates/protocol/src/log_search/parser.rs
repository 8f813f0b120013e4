//! From left to right over the query's characters.
//!
//! ```text
//! list      = run { "OR" run }                 alternatives
//! run       = both { both }                    alternatives too, with `+` necessary and `-` forbidden ones
//! both      = sign { "AND" sign }
//! sign      = { "+" | "-" | "!" | "NOT" } clause
//! clause    = "(" list ")" | [ field ":" ] ( "(" list ")" | range | compare | phrase | word )
//! ```

mod cursor;
mod run;
mod value;

use model::EventFilter;

use super::fault::{LogSearchFault, quoted};
use super::fields::Asked;
use super::word::Word;
use super::{DEEPEST, MOST_CONDITIONS};
use run::{Run, Sign, any, applied};

const EXISTS: &str = "_exists_";

/// Reads a whole query.
pub(super) fn read(text: &str) -> Result<EventFilter, LogSearchFault> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
        conditions: 0,
    };
    if parser.at_end() {
        return Ok(EventFilter::Every);
    }
    let filter = parser.list(Asked::Bare)?;
    match parser.peek() {
        None => Ok(filter),
        Some(at) => Err(LogSearchFault::NotOpened { at }),
    }
}

struct Parser<'q> {
    rest: &'q str,
    depth: usize,
    conditions: usize,
}

impl<'q> Parser<'q> {
    fn list(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
        let mut alternatives = Vec::new();
        let mut run = Run::default();
        loop {
            if self.ends_list() {
                break;
            }
            if self.takes_operator("OR", "||") {
                if run.is_empty() {
                    return Err(nothing("OR", "before"));
                }
                if self.ends_list() {
                    return Err(nothing("OR", "after"));
                }
                alternatives.push(std::mem::take(&mut run).filter());
            } else if self.takes_operator("AND", "&&") {
                return Err(nothing("AND", "before"));
            } else {
                let (sign, filter) = self.both(asked)?;
                run.push(sign, filter);
            }
        }
        alternatives.push(run.filter());
        Ok(any(alternatives))
    }

    fn both(&mut self, asked: Asked) -> Result<(Sign, EventFilter), LogSearchFault> {
        let (sign, first) = self.signed(asked)?;
        if !self.takes_operator("AND", "&&") {
            return Ok((sign, first));
        }
        let mut every = vec![applied(sign, first)];
        loop {
            if self.ends_list() {
                return Err(nothing("AND", "after"));
            }
            let (sign, next) = self.signed(asked)?;
            every.push(applied(sign, next));
            if !self.takes_operator("AND", "&&") {
                return Ok((Sign::None, EventFilter::All(every)));
            }
        }
    }

    fn signed(&mut self, asked: Asked) -> Result<(Sign, EventFilter), LogSearchFault> {
        let mut sign = Sign::None;
        loop {
            self.skip_space();
            let operator = if self.takes('+') {
                if sign == Sign::None {
                    sign = Sign::Necessary;
                }
                "+"
            } else if self.takes('-') || self.takes('!') || self.takes_word("NOT") {
                sign = match sign {
                    Sign::Forbidden => Sign::Necessary,
                    Sign::None | Sign::Necessary => Sign::Forbidden,
                };
                "NOT"
            } else {
                return Ok((sign, self.clause(asked)?));
            };
            if self.ends_list() || self.at_operator() {
                return Err(nothing(operator, "after"));
            }
        }
    }

    fn clause(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
        self.conditions += 1;
        if self.conditions > MOST_CONDITIONS {
            return Err(LogSearchFault::TooManyConditions {
                most: MOST_CONDITIONS,
            });
        }
        if self.at_operator() {
            let operator = if self.at_word("AND") || self.rest.starts_with("&&") {
                "AND"
            } else {
                "OR"
            };
            return Err(nothing(operator, "before"));
        }
        if let Some(rest) = self.rest.strip_prefix("*:*") {
            self.rest = rest;
            return Ok(EventFilter::Every);
        }
        let Some(name) = self.takes_field() else {
            return self.value(asked, None);
        };
        self.skip_space();
        if name == EXISTS {
            let field = self.word()?;
            let Some(field) = field.plain() else {
                return Err(missing("the name of a field", &format!("{EXISTS}:")));
            };
            return Ok(Asked::of(field)?.exists());
        }
        let asked = Asked::of(name)?;
        self.value(asked, Some(name))
    }

    /// What follows a field, or stands for itself.
    fn value(&mut self, asked: Asked, name: Option<&str>) -> Result<EventFilter, LogSearchFault> {
        match self.peek() {
            Some('(') => self.group(asked),
            Some('"') => asked.is(&Word::phrase(self.phrase()?)),
            Some('[' | '{') => self.range(asked),
            Some('<' | '>') if asked != Asked::Bare => self.compared(asked),
            Some(':') if name.is_none() => Err(missing("the name of a field", "nothing")),
            _ => {
                let word = self.word()?;
                match name {
                    Some(name) if word.is_empty() => {
                        Err(missing("a value", &format!("{}:", quoted(name))))
                    }
                    _ => asked.is(&word),
                }
            }
        }
    }

    fn group(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
        self.bump();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(LogSearchFault::TooDeep { most: DEEPEST });
        }
        self.skip_space();
        if self.peek() == Some(')') {
            return Err(missing("a condition", "("));
        }
        let filter = self.list(asked)?;
        if !self.takes(')') {
            return Err(LogSearchFault::NotClosed { what: "(" });
        }
        self.depth -= 1;
        self.unweighted()?;
        Ok(filter)
    }

    /// Takes `field:`.
    fn takes_field(&mut self) -> Option<&'q str> {
        let end = self
            .rest
            .find(|character: char| {
                !character.is_alphanumeric() && !matches!(character, '_' | '.' | '-' | '$' | '@')
            })
            .filter(|end| *end > 0)?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(':')?;
        Some(name)
    }
}

fn nothing(operator: &'static str, side: &'static str) -> LogSearchFault {
    LogSearchFault::NothingBeside { operator, side }
}

fn missing(what: &'static str, after: &str) -> LogSearchFault {
    LogSearchFault::Missing {
        what,
        after: after.to_owned(),
    }
}
