//! Passwords that count as breached without any list of the operator's.
//!
//! The common ones are the table of the crate `passwords` (MIT; about 100,000, compared as typed).
//! The test passwords are the ones Auth0 documents for trying breached-password detection out
//! (docs "Breached Password Detection", section on verifying the configuration).

/// Why a password needs no look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// One of the vendor's documented test passwords: breached in every mix of sources.
    TestPassword,
    /// Among the ones that everybody tries first.
    Common,
}

/// Documented test passwords.
const TEST_PASSWORDS: [&str; 2] = ["Paaf213XXYYZZ", "Paat739!!WWXXYYZZ"];
/// Every password that begins with this is a test password.
const TEST_PREFIX: &str = "AUTH0-TEST-";

/// Whether a password, as it was typed, is breached whatever the lists say.
pub fn built_in(password: &str) -> Option<BuiltIn> {
    if password.starts_with(TEST_PREFIX) || TEST_PASSWORDS.contains(&password) {
        return Some(BuiltIn::TestPassword);
    }
    passwords::analyzer::is_common_password(password).then_some(BuiltIn::Common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(passwords: &[&str], expected: Option<BuiltIn>) {
        for password in passwords {
            assert_eq!(built_in(password), expected, "{password}");
        }
    }

    #[test]
    fn the_documented_test_passwords_are_always_breached() {
        all(
            &[
                "Paaf213XXYYZZ",
                "Paat739!!WWXXYYZZ",
                "AUTH0-TEST-",
                "AUTH0-TEST-correct horse battery staple",
            ],
            Some(BuiltIn::TestPassword),
        );
        all(
            &[
                "paaf213xxyyzz",
                "Paaf213XXYYZZ1",
                "auth0-test-x",
                " AUTH0-TEST-x",
                "AUTH0-TES",
            ],
            None,
        );
    }

    #[test]
    fn what_everybody_tries_first_is_breached_and_what_nobody_does_is_not() {
        all(
            &["123456", "password", "Password1", "P@ssw0rd", "qwerty123"],
            Some(BuiltIn::Common),
        );
        all(
            &[
                "",
                "\"",
                ",",
                "correct horse battery staple",
                "mT7#vLq2!xWz",
            ],
            None,
        );
    }
}
