//! Addresses and display names of a mail, checked so that none of them can become a header or a command.
//!
//! RFC 5321 §4.1.2 and §4.5.3.1, RFC 5322 §3.4. Whether an address has a mailbox is not known here.

use std::fmt;
use std::str::FromStr;

use lettre::message::Mailbox as WireMailbox;

const MAX_ADDRESS: usize = 254;
const MAX_NAME: usize = 200;

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("is longer than 254 bytes")]
    TooLong,
    #[error("has a display name longer than 200 bytes")]
    NameTooLong,
    #[error("has a control character")]
    ControlCharacter,
    #[error("is no mail address; write ana@example.com or Ana <ana@example.com>")]
    Malformed,
}

/// One address, with or without a display name: `ana@example.com`, `Ana <ana@example.com>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    wire: WireMailbox,
}

impl Mailbox {
    /// The bare address.
    pub fn address(&self) -> &str {
        self.wire.email.as_ref()
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.wire.email.domain()
    }

    pub(crate) fn wire(&self) -> &WireMailbox {
        &self.wire
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_ADDRESS + MAX_NAME + 4 {
            return Err(AddressError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::ControlCharacter);
        }
        let wire: WireMailbox = text.trim().parse().map_err(|_| AddressError::Malformed)?;
        let address: &str = wire.email.as_ref();
        if address.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        if address.contains(char::is_whitespace) {
            return Err(AddressError::Malformed);
        }
        if wire.name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
            return Err(AddressError::NameTooLong);
        }
        Ok(Self { wire })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wire.fmt(f)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&self.domain()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mailbox, AddressError> {
        text.parse()
    }

    #[test]
    fn addresses_are_taken_with_and_without_a_name() {
        assert_eq!(
            parse("ana@example.com").unwrap().address(),
            "ana@example.com"
        );
        let named = parse("Shop, Ltd. <shop@example.com>");
        assert_eq!(named, Err(AddressError::Malformed), "a comma wants quotes");
        let named = parse("\"Shop, Ltd.\" <shop@example.com>").unwrap();
        assert_eq!(named.address(), "shop@example.com");
        assert_eq!(named.to_string(), "\"Shop, Ltd.\" <shop@example.com>");
        assert_eq!(
            parse("jürgen@bücher.example").unwrap().domain(),
            "bücher.example"
        );
    }

    #[test]
    fn what_could_become_a_header_or_a_command_is_no_address() {
        use AddressError::{ControlCharacter, Malformed, NameTooLong, TooLong};
        let long = format!("{}@example.com", "a".repeat(500));
        let long_name = format!("{} <ana@example.com>", "a".repeat(201));
        for (text, error) in [
            ("", Malformed),
            ("ana", Malformed),
            ("ana@[127.0.0.1]", Malformed),
            (
                "ana@example.com\r\nBcc: mallory@example.com",
                ControlCharacter,
            ),
            (
                "Ana\nBcc: m@example.com <ana@example.com>",
                ControlCharacter,
            ),
            ("ana@example.com> SIZE=1", Malformed),
            ("ana@example.com, mallory@example.com", Malformed),
            ("ana b@example.com", Malformed),
            (long.as_str(), TooLong),
            (long_name.as_str(), NameTooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_does_not_tell_who() {
        let printed = format!("{:?}", parse("Ana <ana@example.com>").unwrap());
        assert_eq!(printed, "Mailbox(\"example.com\")");
    }
}
