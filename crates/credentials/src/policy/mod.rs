//! What a new password must be like: the named levels, the dictionary, personal data (auth0-wire-facts §9.2).
//!
//! It judges a text and nothing else, and stands beside [`Password`] so that no copy of one has to leave this crate.
//! A password history needs hashes and a breach list a look-up: both are `server`'s. So are the answers' bodies.

mod level;
mod personal;

pub use level::{FormatValue, Level, RuleOutcome};
pub use personal::PersonalData;

use crate::Password;

/// The rules of one directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub level: Level,
    /// Characters that are asked for at least, whatever the level says.
    pub min_length: Option<u64>,
    /// Words that are no passwords, beside the common ones; none where the dictionary is off.
    pub dictionary: Option<Vec<String>>,
    pub refuses_personal_data: bool,
}

/// Why a password is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// Each rule of the level, with whether it is kept.
    Weak(Vec<RuleOutcome>),
    InDictionary,
    Personal,
}

impl PasswordPolicy {
    /// Judges a password of a person with this data; `is_common` knows what everybody tries first.
    pub fn judge(
        &self,
        password: &Password,
        person: &PersonalData,
        is_common: impl Fn(&str) -> bool,
    ) -> Result<(), Unfit> {
        let password = password.expose();
        let outcomes = self.outcomes(password);
        if !outcomes.iter().all(|outcome| outcome.is_kept) {
            return Err(Unfit::Weak(outcomes));
        }
        if let Some(words) = &self.dictionary {
            let folded = password.to_lowercase();
            let is_own = |word: &String| word.to_lowercase() == folded;
            if is_common(password) || is_common(&folded) || words.iter().any(is_own) {
                return Err(Unfit::InDictionary);
            }
        }
        if self.refuses_personal_data && person.is_within(password) {
            return Err(Unfit::Personal);
        }
        Ok(())
    }

    /// The rules of the level, each unkept: what a form shows before anybody types.
    pub fn rules(&self) -> Vec<RuleOutcome> {
        self.outcomes("")
    }

    fn outcomes(&self, password: &str) -> Vec<RuleOutcome> {
        self.level.outcomes(self.min_length, password)
    }
}

#[cfg(test)]
mod tests;
