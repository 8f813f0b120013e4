//! Whether a password holds a part of what everybody may know of a person.

/// Shorter parts stand in too many words to be personal.
const SHORTEST: usize = 3;
/// More parts than any person has; what a caller invents beyond them costs nothing.
const MOST: usize = 64;

/// Names, user name, the local part of the e-mail address: in parts, without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalData(Vec<String>);

impl PersonalData {
    /// From texts as they stand in a profile; each counts whole and by its words.
    pub fn of<'text>(texts: impl IntoIterator<Item = &'text str>) -> Self {
        let mut parts: Vec<String> = Vec::new();
        for text in texts {
            let folded = text.trim().to_lowercase();
            let words = folded.split(|character: char| !character.is_alphanumeric());
            for part in std::iter::once(folded.as_str()).chain(words) {
                let is_new = || !parts.iter().any(|known| known == part);
                if part.chars().count() >= SHORTEST && parts.len() < MOST && is_new() {
                    parts.push(part.to_owned());
                }
            }
        }
        Self(parts)
    }

    pub(super) fn is_within(&self, password: &str) -> bool {
        let folded = password.to_lowercase();
        self.0.iter().any(|part| folded.contains(part))
    }
}
