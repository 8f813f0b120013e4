//! One value of a log search as it is written: text, perhaps with wildcards.

use model::Part;

/// A word or a phrase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(Vec<Part>);

impl Word {
    /// A phrase: no character in it means anything but itself.
    pub(super) fn phrase(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }

    pub(super) fn push(&mut self, character: char) {
        if let Some(Part::Text(text)) = self.0.last_mut() {
            text.push(character);
        } else {
            self.0.push(Part::Text(character.into()));
        }
    }

    pub(super) fn push_hole(&mut self, hole: Part) {
        // Two `*` mean what one means.
        if hole != Part::Some || self.0.last() != Some(&Part::Some) {
            self.0.push(hole);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `*`, which any value fits.
    pub(super) fn is_anything(&self) -> bool {
        self.0 == [Part::Some]
    }

    /// The text, where there is no wildcard.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// As it was written, for messages.
    pub(super) fn written(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::One => "?",
            Part::Some => "*",
        });
        parts.collect()
    }
}
