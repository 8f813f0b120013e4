//! What the engines spell differently in conditions on text. Both answer the same rows.

use model::{Part, Pattern};

/// Whose words are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// `A` to `Z` of a column as small letters, and nothing else, whatever the database's locale says.
    pub(crate) fn lower(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("LOWER({column})"),
            Self::Postgres => format!("LOWER({column} COLLATE \"C\")"),
        }
    }

    /// A member of a document that is kept as JSON text.
    pub(crate) fn member(self, column: &str, name: &str) -> String {
        match self {
            Self::Sqlite => format!("({column} ->> '{name}')"),
            Self::Postgres => {
                format!("((CAST({column} AS json) ->> '{name}') COLLATE \"C\")")
            }
        }
    }

    /// That a whole value fits the pattern of an argument, letter by letter.
    pub(crate) fn fits(self, value: &str, argument: &str) -> String {
        match self {
            Self::Sqlite => format!("{value} GLOB {argument}"),
            Self::Postgres => format!("{value} LIKE {argument}"),
        }
    }

    /// The argument of [`Self::fits`].
    pub(crate) fn pattern(self, pattern: &Pattern) -> String {
        let mut written = String::new();
        for part in &pattern.0 {
            match (self, part) {
                (Self::Sqlite, Part::Some) => written.push('*'),
                (Self::Sqlite, Part::One) => written.push('?'),
                (Self::Postgres, Part::Some) => written.push('%'),
                (Self::Postgres, Part::One) => written.push('_'),
                (_, Part::Text(text)) => text.chars().for_each(|character| {
                    self.escape(character, &mut written);
                }),
            }
        }
        written
    }

    fn escape(self, character: char, written: &mut String) {
        match (self, character) {
            (Self::Sqlite, '*' | '?' | '[') => {
                written.push('[');
                written.push(character);
                written.push(']');
            }
            (Self::Postgres, '%' | '_' | '\\') => {
                written.push('\\');
                written.push(character);
            }
            (_, plain) => written.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_stays_text() {
        let text = |text: &str| Part::Text(text.to_owned());
        let pattern = Pattern(vec![text(r"a%_\*"), Part::Some, text("[]?"), Part::One]);
        assert_eq!(Dialect::Sqlite.pattern(&pattern), r"a%_\[*]*[[]][?]?");
        assert_eq!(Dialect::Postgres.pattern(&pattern), r"a\%\_\\*%[]?_");
    }
}
