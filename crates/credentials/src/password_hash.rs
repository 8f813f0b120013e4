//! Password hashes in their own text forms, and the format and cost each was made with.
//!
//! Argon2id as a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), bcrypt as `$2a$`, `$2b$` or `$2y$`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// More than any import needs, and less than would stop the server.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;

/// A stored hash.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    scheme: Scheme,
}

/// Format and cost; its text form is `argon2id-19456-2-1` or `bcrypt-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    Argon2id {
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Bcrypt {
        cost: u32,
    },
}

/// The text is no hash this server can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a password hash of a supported format and cost")]
pub struct Unreadable;

impl Scheme {
    /// OWASP's Argon2id profile: 19 MiB, 2 passes, 1 lane.
    pub const fn argon2id_default() -> Self {
        Self::Argon2id {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }

    fn checked(self) -> Result<Self, Unreadable> {
        let fits = match self {
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => {
                (1..=16).contains(&lanes)
                    && (8 * lanes..=MAX_MEMORY_KIB).contains(&memory_kib)
                    && (1..=MAX_PASSES).contains(&passes)
            }
            Self::Bcrypt { cost } => (4..=16).contains(&cost),
        };
        if fits { Ok(self) } else { Err(Unreadable) }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => write!(f, "argon2id-{memory_kib}-{passes}-{lanes}"),
            Self::Bcrypt { cost } => write!(f, "bcrypt-{cost}"),
        }
    }
}

impl FromStr for Scheme {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut parts = text.split('-');
        let format = parts.next().ok_or(Unreadable)?;
        let numbers: Vec<u32> = parts
            .map(|part| part.parse().map_err(|_| Unreadable))
            .collect::<Result<_, _>>()?;
        match (format, numbers.as_slice()) {
            ("argon2id", [memory_kib, passes, lanes]) => Self::Argon2id {
                memory_kib: *memory_kib,
                passes: *passes,
                lanes: *lanes,
            }
            .checked(),
            ("bcrypt", [cost]) => Self::Bcrypt { cost: *cost }.checked(),
            _ => Err(Unreadable),
        }
    }
}

/// The parts of an Argon2id PHC string that verifying needs.
pub(crate) struct Argon2Parts {
    pub(crate) salt: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl PasswordHash {
    /// Reads a stored hash.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let scheme = if text.starts_with("$2") {
            bcrypt_scheme(text)?
        } else {
            argon2_scheme(text)?
        };
        Ok(Self {
            text: text.to_owned(),
            scheme: scheme.checked()?,
        })
    }

    pub(crate) fn argon2id(scheme: Scheme, salt: &[u8], tag: &[u8]) -> Self {
        let parameters = match scheme {
            Scheme::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => format!("m={memory_kib},t={passes},p={lanes}"),
            Scheme::Bcrypt { cost } => format!("cost={cost}"),
        };
        let (salt, tag) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(tag));
        Self {
            text: format!("$argon2id$v=19${parameters}${salt}${tag}"),
            scheme,
        }
    }

    /// A hash of no password.
    pub(crate) fn nobodys(scheme: Scheme) -> Result<Self, Unreadable> {
        match scheme.checked()? {
            Scheme::Argon2id { .. } => Ok(Self::argon2id(scheme, &[0; 16], &[0; 32])),
            Scheme::Bcrypt { cost } => Self::parse(&format!("$2b${cost:02}${:.>53}", "")),
        }
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The format and cost it was made with.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn argon2_parts(&self) -> Option<Argon2Parts> {
        let mut parts = self.text.split('$').skip(4);
        let mut decode = || STANDARD_NO_PAD.decode(parts.next()?).ok();
        Some(Argon2Parts {
            salt: decode()?,
            tag: decode()?,
        })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.scheme)
    }
}

fn bcrypt_scheme(text: &str) -> Result<Scheme, Unreadable> {
    let known = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|version| text.starts_with(version));
    let parts: bcrypt::HashParts = text.parse().map_err(|_| Unreadable)?;
    if known {
        let cost = parts.get_cost();
        Ok(Scheme::Bcrypt { cost })
    } else {
        Err(Unreadable)
    }
}

fn argon2_scheme(text: &str) -> Result<Scheme, Unreadable> {
    let rest = text.strip_prefix("$argon2id$v=19$").ok_or(Unreadable)?;
    let [parameters, salt, tag] =
        <[&str; 3]>::try_from(rest.split('$').collect::<Vec<_>>()).map_err(|_| Unreadable)?;
    let mut numbers = [("m", None), ("t", None), ("p", None)];
    for parameter in parameters.split(',') {
        let (name, value) = parameter.split_once('=').ok_or(Unreadable)?;
        let slot = numbers
            .iter_mut()
            .find(|(known, value)| *known == name && value.is_none())
            .ok_or(Unreadable)?;
        slot.1 = Some(value.parse::<u32>().map_err(|_| Unreadable)?);
    }
    let length = |part: &str| {
        STANDARD_NO_PAD
            .decode(part)
            .map(|bytes| bytes.len())
            .map_err(|_| Unreadable)
    };
    if !(8..=64).contains(&length(salt)?) || !(12..=64).contains(&length(tag)?) {
        return Err(Unreadable);
    }
    let [(_, Some(memory_kib)), (_, Some(passes)), (_, Some(lanes))] = numbers else {
        return Err(Unreadable);
    };
    Ok(Scheme::Argon2id {
        memory_kib,
        passes,
        lanes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGON2: &str =
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70";
    const BCRYPT: &str = "$2b$10$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW";

    #[test]
    fn formats_and_costs_are_read() {
        let argon2 = PasswordHash::parse(ARGON2).unwrap();
        assert_eq!(
            argon2.scheme(),
            Scheme::Argon2id {
                memory_kib: 64,
                passes: 1,
                lanes: 1
            }
        );
        assert_eq!(format!("{argon2:?}"), "PasswordHash(argon2id-64-1-1)");
        assert_eq!(
            PasswordHash::parse(BCRYPT).unwrap().scheme(),
            Scheme::Bcrypt { cost: 10 }
        );
    }

    #[test]
    fn scheme_texts_are_read_back() {
        for scheme in [Scheme::argon2id_default(), Scheme::Bcrypt { cost: 12 }] {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
        for text in [
            "",
            "argon2id",
            "argon2id-1-1-1",
            "bcrypt-31",
            "bcrypt-10-1",
            "md5-1",
            "argon2id-64-1-1-1",
        ] {
            assert_eq!(text.parse::<Scheme>(), Err(Unreadable), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_verified_is_not_read() {
        for text in [
            "",
            "plain",
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
            "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
            "$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
            "$argon2id$v=19$m=64,m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
            "$2b$31$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW",
            "$2x$10$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW",
            "$2b$10$short",
            "$2b$10$abcdefghijklmnopqrstu!W5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW",
            "$2b$10$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW$",
        ] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
    }
}
