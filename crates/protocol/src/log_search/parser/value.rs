//! Values: words, phrases, ranges and comparisons, each without what would weigh it.

use std::ops::Bound;

use model::{EventFilter, Part, Span};

use super::super::dates;
use super::super::fault::{LogSearchFault, quoted};
use super::super::fields::Asked;
use super::super::word::Word;
use super::{Parser, missing};

impl Parser<'_> {
    /// `[a TO b]`, with a curly bracket at an end that is not included.
    pub(super) fn range(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
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
    pub(super) fn range_end(&mut self) -> Result<Option<String>, LogSearchFault> {
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
    pub(super) fn compared(&mut self, asked: Asked) -> Result<EventFilter, LogSearchFault> {
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

    pub(super) fn phrase(&mut self) -> Result<String, LogSearchFault> {
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

    pub(super) fn word(&mut self) -> Result<Word, LogSearchFault> {
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
    pub(super) fn unweighted(&self) -> Result<(), LogSearchFault> {
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
