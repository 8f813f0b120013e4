//! The named password policies (auth0-wire-facts §9.2).
//!
//! History, dictionary and personal data are not judged here; their switches are refused where they would be set.

/// Whether a password satisfies a policy; an unknown name counts as `good`.
pub(super) fn satisfies(policy: Option<&str>, minimum: Option<u64>, password: &str) -> bool {
    let length = password.chars().count() as u64;
    let classes = Classes::of(password);
    let rule = match policy {
        Some("none") => length >= 1,
        Some("low") => length >= 6,
        Some("fair") => length >= 8 && classes.lower && classes.upper && classes.digit,
        Some("excellent") => length >= 10 && classes.count() >= 3 && longest_run(password) <= 2,
        _ => length >= 8 && classes.count() >= 3,
    };
    rule && minimum.is_none_or(|minimum| length >= minimum)
}

struct Classes {
    lower: bool,
    upper: bool,
    digit: bool,
    special: bool,
}

impl Classes {
    fn of(password: &str) -> Self {
        let any = |test: fn(char) -> bool| password.chars().any(test);
        Self {
            lower: any(char::is_lowercase),
            upper: any(char::is_uppercase),
            digit: any(|c| c.is_ascii_digit()),
            special: any(|c| !c.is_alphanumeric()),
        }
    }

    fn count(&self) -> usize {
        [self.lower, self.upper, self.digit, self.special]
            .into_iter()
            .filter(|found| *found)
            .count()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_its_line() {
        for (policy, enough, not_enough) in [
            ("none", "x", ""),
            ("low", "abcdef", "abcde"),
            ("fair", "abcdEF12", "abcdefg1"),
            ("good", "abcdEF12", "abcdefg1"),
            ("good", "abcdef1!", "Abcde1!"),
            ("excellent", "abcdEF12gh", "aaabEF12gh"),
            ("excellent", "aabbEF12gh", "abcdEF12g"),
        ] {
            assert!(satisfies(Some(policy), None, enough), "{policy} {enough}");
            assert!(
                !satisfies(Some(policy), None, not_enough),
                "{policy} {not_enough}"
            );
        }
        assert!(!satisfies(Some("low"), Some(12), "abcdefgh"));
    }
}
