//! Random texts that act as names or secrets, and the digests under which secrets are kept.
//!
//! Secrets here have at least 190 bits, so a plain SHA-256 of them cannot be searched. Passwords are `credentials`' matter.

use std::fmt;

use aws_lc_rs::digest;
use subtle::ConstantTimeEq;

use crate::Entropy;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The SHA-256 of a random secret or token.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    pub fn of(secret: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, secret: &str) -> bool {
        self.0.ct_eq(&Self::of(secret).0).into()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// 32 letters and digits.
pub fn client_id(entropy: &dyn Entropy) -> String {
    text(32, ALPHANUMERIC, entropy)
}

/// 64 characters safe in URLs.
pub fn client_secret(entropy: &dyn Entropy) -> String {
    text(64, URL_SAFE, entropy)
}

/// 43 characters safe in URLs.
pub fn opaque_token(entropy: &dyn Entropy) -> String {
    text(43, URL_SAFE, entropy)
}

/// A prefix such as `con_` and so many letters and digits.
pub fn prefixed_id(prefix: &str, length: usize, entropy: &dyn Entropy) -> String {
    format!("{prefix}{}", text(length, ALPHANUMERIC, entropy))
}

/// A prefix such as `lst_` and so many decimal digits.
pub fn numbered_id(prefix: &str, length: usize, entropy: &dyn Entropy) -> String {
    format!("{prefix}{}", text(length, b"0123456789", entropy))
}

/// 24 hexadecimal digits.
pub fn hex24(entropy: &dyn Entropy) -> String {
    text(24, b"0123456789abcdef", entropy)
}

/// Every character of the alphabet equally likely: bytes beyond its last whole multiple are thrown away.
fn text(length: usize, alphabet: &[u8], entropy: &dyn Entropy) -> String {
    let whole = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut random = [0; 64];
    while text.len() < length {
        entropy.fill(&mut random);
        let fair = random
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < whole);
        let characters = fair.filter_map(|byte| alphabet.get(byte % alphabet.len()));
        text.extend(
            characters
                .take(length - text.len())
                .map(|byte| char::from(*byte)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SeededEntropy, SystemEntropy};

    #[test]
    fn texts_have_their_length_and_alphabet() {
        let alphanumeric = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
        let id = client_id(&SystemEntropy);
        assert!(id.len() == 32 && alphanumeric(&id));
        assert_eq!(client_secret(&SystemEntropy).len(), 64);
        let connection = prefixed_id("con_", 16, &SystemEntropy);
        assert!(connection.len() == 20 && alphanumeric(&connection[4..]));
        assert!(hex24(&SystemEntropy).chars().all(|c| c.is_ascii_hexdigit()));
    }

    #[test]
    fn characters_are_equally_likely() {
        let long = text(62_000, ALPHANUMERIC, &SeededEntropy::new(1));
        for character in ALPHANUMERIC {
            let count = long.bytes().filter(|byte| byte == character).count();
            assert!(
                (850..=1_150).contains(&count),
                "{} {count}",
                char::from(*character)
            );
        }
    }

    #[test]
    fn a_digest_matches_its_secret_alone() {
        let digest = SecretDigest::of("secret");
        assert!(SecretDigest::from_bytes(digest.to_bytes()).matches("secret"));
        assert!(!digest.matches("Secret"));
        assert_eq!(format!("{digest:?}"), "SecretDigest");
        // FIPS 180-4, the example of one block.
        let known = SecretDigest::of("abc").to_bytes();
        assert_eq!(known[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
