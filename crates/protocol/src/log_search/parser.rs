//! From left to right over the query's characters.
//!
//! ```text
//! list      = run { "OR" run }                 alternatives
//! run       = both { both }                    alternatives too, with `+` necessary and `-` forbidden ones
//! both      = sign { "AND" sign }
//! sign      = { "+" | "-" | "!" | "NOT" } clause
//! clause    = "(" list ")" | [ field ":" ] ( "(" list ")" | range | compare | phrase | word )
//! ```

use std::ops::Bound;

use model::{EventFilter, Part, Span};

use super::dates;
use super::fault::{LogSearchFault, quoted};
use super::fields::Asked;
use super::word::Word;
use super::{DEEPEST, MOST_CONDITIONS};

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

/// What stands before a clause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    Necessary,
    Forbidden,
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

    /// `[a TO b]`, with a curly bracket at an end that is not included.
    fn range(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
        if asked == Asked::Bare {
            return Err(LogSearchFault::NoRange);
        }
        let from_included = self.bump() == Some('[');
        let from = self.range_end()?;
        self.skip_space();
        if !self.takes_word("TO") {
            return Err(LogSearchFault::NoRange);
        }
        let to = self.range_end()?;
        self.skip_space();
        let to_included = match self.bump() {
            Some(']') => true,
            Some('}') => false,
            Some(_) => return Err(LogSearchFault::NoRange),
            None => return Err(LogSearchFault::NotClosed { what: "a range" }),
        };
        self.unweighted()?;
        between(
            asked,
            bound(from.as_deref(), from_included),
            bound(to.as_deref(), to_included),
        )
    }

    /// One end of a range; none is open.
    fn range_end(&mut self) -> Result<Option<String>, LogSearchFault> {
        self.skip_space();
        if self.peek() == Some('"') {
            return self.phrase().map(Some);
        }
        let end = self
            .rest
            .find(|character: char| {
                character.is_whitespace() || matches!(character, ']' | '}' | '[' | '{')
            })
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        match text {
            "" => Err(LogSearchFault::NoRange),
            "*" => Ok(None),
            text if text.contains(['*', '?', '"']) => Err(LogSearchFault::Unsupported {
                what: "a wildcard at the end of a range",
                at: quoted(text),
                remedy: "write * alone for an end that is open",
            }),
            text => Ok(Some(text.replace('\\', ""))),
        }
    }

    /// `>a`, `>=a`, `<a`, `<=a`.
    fn compared(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
        let upward = self.bump() == Some('>');
        let included = self.takes('=');
        self.skip_space();
        let text = if self.peek() == Some('"') {
            self.phrase()?
        } else {
            let word = self.word()?;
            let Some(text) = word.plain() else {
                return Err(missing("a value", if upward { ">" } else { "<" }));
            };
            text.to_owned()
        };
        let end = bound(Some(&text), included);
        if upward {
            between(asked, end, Bound::Unbounded)
        } else {
            between(asked, Bound::Unbounded, end)
        }
    }

    fn phrase(&mut self) -> Result<String, LogSearchFault> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => {
                    return Err(LogSearchFault::NotClosed {
                        what: "a quotation mark",
                    });
                }
                Some('"') => break,
                Some('\\') => text.extend(self.bump()),
                Some(character) => text.push(character),
            }
        }
        self.unweighted()?;
        Ok(text)
    }

    fn word(&mut self) -> Result<Word, LogSearchFault> {
        if self.peek() == Some('/') {
            return Err(LogSearchFault::Unsupported {
                what: "a regular expression (/…/)",
                at: quoted(self.rest),
                remedy: "use * and ?, or put a value that begins with / in quotation marks",
            });
        }
        let mut word = Word::default();
        while let Some(character) = self.peek() {
            match character {
                ')' => break,
                space if space.is_whitespace() => break,
                '(' | '[' | ']' | '{' | '}' | '"' => {
                    return Err(LogSearchFault::Unexpected { at: character });
                }
                '~' | '^' => break,
                '\\' => {
                    self.bump();
                    match self.bump() {
                        Some(escaped) => word.push(escaped),
                        None => return Err(missing("a character", "\\")),
                    }
                    continue;
                }
                '*' => word.push_hole(Part::Some),
                '?' => word.push_hole(Part::One),
                plain => word.push(plain),
            }
            self.bump();
        }
        self.unweighted()?;
        Ok(word)
    }

    /// What would weigh or loosen the condition before it.
    fn unweighted(&self) -> Result<(), LogSearchFault> {
        let (what, remedy) = match self.peek() {
            Some('~') => (
                "a fuzzy search (~)",
                "use * and ?, or write \\~ for the character itself",
            ),
            Some('^') => (
                "a boost (^)",
                "events are sorted by time; write \\^ for the character itself",
            ),
            _ => return Ok(()),
        };
        Err(LogSearchFault::Unsupported {
            what,
            at: quoted(self.rest),
            remedy,
        })
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

    fn ends_list(&mut self) -> bool {
        self.at_end() || self.peek() == Some(')')
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn at_operator(&self) -> bool {
        self.at_word("AND")
            || self.at_word("OR")
            || self.rest.starts_with("&&")
            || self.rest.starts_with("||")
    }

    fn takes_operator(&mut self, word: &str, sign: &str) -> bool {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix(sign) {
            self.rest = rest;
            return true;
        }
        self.takes_word(word)
    }

    /// Whether this word stands here, and not the beginning of a longer one.
    fn at_word(&self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        after.is_some_and(|after| {
            let next = after.chars().next();
            next.is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
        })
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.rest = self.rest.get(word.len()..).unwrap_or_default();
        }
        found
    }

    fn takes(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        if found {
            self.bump();
        }
        found
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }
}

/// Conditions side by side, without an operator between them.
#[derive(Default)]
struct Run {
    optional: Vec<EventFilter>,
    necessary: Vec<EventFilter>,
    forbidden: Vec<EventFilter>,
}

impl Run {
    fn push(&mut self, sign: Sign, filter: EventFilter) {
        match sign {
            Sign::None => self.optional.push(filter),
            Sign::Necessary => self.necessary.push(filter),
            Sign::Forbidden => self.forbidden.push(applied(sign, filter)),
        }
    }

    fn is_empty(&self) -> bool {
        self.optional.is_empty() && self.necessary.is_empty() && self.forbidden.is_empty()
    }

    /// Beside a necessary condition an optional one would only move an event up.
    fn filter(self) -> EventFilter {
        let mut every = self.necessary;
        if every.is_empty() && !self.optional.is_empty() {
            every.push(any(self.optional));
        }
        every.extend(self.forbidden);
        match <[EventFilter; 1]>::try_from(every) {
            Ok([one]) => one,
            Err(every) => EventFilter::All(every),
        }
    }
}

fn any(alternatives: Vec<EventFilter>) -> EventFilter {
    match <[EventFilter; 1]>::try_from(alternatives) {
        Ok([one]) => one,
        Err(several) => EventFilter::Any(several),
    }
}

fn applied(sign: Sign, filter: EventFilter) -> EventFilter {
    match sign {
        Sign::None | Sign::Necessary => filter,
        Sign::Forbidden => EventFilter::Not(Box::new(filter)),
    }
}

fn bound(text: Option<&str>, included: bool) -> Bound<&str> {
    match text {
        None => Bound::Unbounded,
        Some(text) if included => Bound::Included(text),
        Some(text) => Bound::Excluded(text),
    }
}

fn between(
    asked: Asked,
    from: Bound<&str>,
    to: Bound<&str>,
) -> Result<EventFilter, LogSearchFault> {
    match asked {
        Asked::Bare => Err(LogSearchFault::NoRange),
        Asked::Text(field) => {
            let spelled = |bound: Bound<&str>| bound.map(|text| field.spelled(text));
            Ok(EventFilter::Between(field, spelled(from), spelled(to)))
        }
        Asked::Date => {
            let from = match from {
                Bound::Unbounded => None,
                Bound::Included(text) => Some(dates::read(text)?.from()),
                Bound::Excluded(text) => Some(dates::read(text)?.after()),
            };
            let before = match to {
                Bound::Unbounded => None,
                Bound::Included(text) => Some(dates::read(text)?.after()),
                Bound::Excluded(text) => Some(dates::read(text)?.from()),
            };
            Ok(EventFilter::During(Span { from, before }))
        }
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
