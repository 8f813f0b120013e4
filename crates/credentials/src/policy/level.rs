//! The named levels, rule by rule, in the words and codes of the wire's `PasswordStrengthError`.

/// `passwordPolicy`. Where none is set, it is `good`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Level {
    None,
    Low,
    Fair,
    #[default]
    Good,
    Excellent,
}

/// One rule, and whether a password keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutcome {
    pub code: &'static str,
    /// With `%d` and `%s` where the format's values belong.
    pub message: &'static str,
    pub format: Vec<FormatValue>,
    pub is_kept: bool,
    /// The parts of a rule that has some.
    pub items: Vec<RuleOutcome>,
}

/// What stands in a message's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatValue {
    Number(u64),
    Text(&'static str),
}

impl Level {
    /// The level of this name; none for another.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "low" => Some(Self::Low),
            "fair" => Some(Self::Fair),
            "good" => Some(Self::Good),
            "excellent" => Some(Self::Excellent),
            _ => None,
        }
    }

    fn length(self) -> u64 {
        match self {
            Self::None => 1,
            Self::Low => 6,
            Self::Fair | Self::Good => 8,
            Self::Excellent => 10,
        }
    }

    pub(super) fn outcomes(self, minimum: Option<u64>, password: &str) -> Vec<RuleOutcome> {
        let mut outcomes = vec![length(self.length().max(minimum.unwrap_or(0)), password)];
        match self {
            Self::None | Self::Low => {}
            Self::Fair => outcomes.push(all_of(password)),
            Self::Good => outcomes.push(three_of_four(password)),
            Self::Excellent => {
                outcomes.push(three_of_four(password));
                outcomes.push(at_most_two_in_a_row(password));
            }
        }
        outcomes
    }
}

impl RuleOutcome {
    /// The message with its values.
    pub fn text(&self) -> String {
        let mut text = self.message.to_owned();
        for value in &self.format {
            let (place, value) = match value {
                FormatValue::Number(number) => ("%d", number.to_string()),
                FormatValue::Text(word) => ("%s", (*word).to_owned()),
            };
            text = text.replacen(place, &value, 1);
        }
        text
    }

    fn plain(code: &'static str, message: &'static str, is_kept: bool) -> Self {
        Self {
            code,
            message,
            format: Vec::new(),
            is_kept,
            items: Vec::new(),
        }
    }
}

fn length(least: u64, password: &str) -> RuleOutcome {
    let length = password.chars().count() as u64;
    if least <= 1 {
        return RuleOutcome::plain("nonEmpty", "Non-empty password required", length >= 1);
    }
    RuleOutcome {
        format: vec![FormatValue::Number(least)],
        ..RuleOutcome::plain(
            "lengthAtLeast",
            "At least %d characters in length",
            length >= least,
        )
    }
}

fn all_of(password: &str) -> RuleOutcome {
    let mut items = classes(password);
    items.truncate(3);
    let is_kept = items.iter().all(|item| item.is_kept);
    RuleOutcome {
        items,
        ..RuleOutcome::plain("shouldContain", "Should contain:", is_kept)
    }
}

fn three_of_four(password: &str) -> RuleOutcome {
    let items = classes(password);
    let is_kept = items.iter().filter(|item| item.is_kept).count() >= 3;
    RuleOutcome {
        format: vec![FormatValue::Number(3), FormatValue::Number(4)],
        items,
        ..RuleOutcome::plain(
            "containsAtLeast",
            "Contain at least %d of the following %d types of characters:",
            is_kept,
        )
    }
}

fn at_most_two_in_a_row(password: &str) -> RuleOutcome {
    RuleOutcome {
        format: vec![FormatValue::Number(2), FormatValue::Text("aaa")],
        ..RuleOutcome::plain(
            "identicalChars",
            "No more than %d identical characters in a row (e.g., \"%s\" not allowed)",
            longest_run(password) <= 2,
        )
    }
}

fn classes(password: &str) -> Vec<RuleOutcome> {
    let any = |test: fn(char) -> bool| password.chars().any(test);
    let digit = |character: char| character.is_ascii_digit();
    let special = |character: char| !character.is_alphanumeric();
    vec![
        RuleOutcome::plain(
            "lowerCase",
            "lower case letters (a-z)",
            any(char::is_lowercase),
        ),
        RuleOutcome::plain(
            "upperCase",
            "upper case letters (A-Z)",
            any(char::is_uppercase),
        ),
        RuleOutcome::plain("numbers", "numbers (i.e. 0-9)", any(digit)),
        RuleOutcome::plain(
            "specialCharacters",
            "special characters (e.g. !@#$%^&*)",
            any(special),
        ),
    ]
}

fn longest_run(password: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    let mut before = None;
    for character in password.chars() {
        run = if before == Some(character) {
            run + 1
        } else {
            1
        };
        longest = longest.max(run);
        before = Some(character);
    }
    longest
}
