//! The root key, and one key a use derived from it (HKDF-SHA256, RFC 5869).

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Entropy, Sealer};

const LENGTH: usize = 32;

/// 32 bytes from which every other key of the deployment is derived.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; LENGTH]);

/// The text is not 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the root key is not 32 bytes in base64 on one line; `portcullis keys root` prints a new one"
)]
pub struct RootKeyUnreadable;

impl RootKey {
    /// A key with these bytes.
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; LENGTH];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads the one line of a key file.
    pub fn from_base64_line(line: &str) -> Result<Self, RootKeyUnreadable> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(line.trim())
                .map_err(|_| RootKeyUnreadable)?,
        );
        bytes
            .as_slice()
            .try_into()
            .map(Self)
            .map_err(|_| RootKeyUnreadable)
    }

    /// The one line of a key file.
    pub fn to_base64_line(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0))
    }

    /// A value that tells this key from others and nothing about it.
    pub fn check_value(&self) -> String {
        self.derive("check value")
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The key that digests what meters count. It never rotates: meters would be forgotten.
    pub fn meter_key(&self) -> MeterKey {
        MeterKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive("meters")))
    }

    /// The key of the digests that choose what an unknown identifier costs; known meter digests do not tell them.
    pub fn decoy_key(&self) -> MeterKey {
        MeterKey(hmac::Key::new(hmac::HMAC_SHA256, &*self.derive("decoys")))
    }

    /// The key that seals secrets at rest.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.derive("seal"))
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; LENGTH]> {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                LENGTH
            }
        }
        let mut derived = Zeroizing::new([0; LENGTH]);
        let extracted = Salt::new(HKDF_SHA256, b"portcullis v1").extract(&self.0);
        extracted
            .expand(&[purpose.as_bytes()], Length)
            .and_then(|okm| okm.fill(&mut *derived))
            .expect("32 bytes are within what HKDF-SHA256 gives");
        derived
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

/// Digests what a meter counts, so that the database does not tell it.
#[derive(Clone)]
pub struct MeterKey(hmac::Key);

impl MeterKey {
    /// HMAC-SHA256 over tenant and bytes, each with its length.
    pub fn digest(&self, tenant: &str, bytes: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [tenant.as_bytes(), bytes] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        digest
    }
}

impl fmt::Debug for MeterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn keys_are_read_back_and_told_apart() {
        let key = RootKey::generate(&SystemEntropy);
        let again = RootKey::from_base64_line(&format!("{}\n", *key.to_base64_line())).unwrap();
        assert_eq!(key.check_value(), again.check_value());
        assert_ne!(
            key.check_value(),
            RootKey::generate(&SystemEntropy).check_value()
        );
        assert!(!key.to_base64_line().contains(&key.check_value()));
        assert_eq!(format!("{key:?} {:?}", key.meter_key()), "RootKey MeterKey");
    }

    /// Computed apart from this code, by RFC 5869 and RFC 2104: other values would lose every meter and secret.
    #[test]
    fn derived_keys_stay_what_they_are() {
        let root = RootKey::from_bytes([7; 32]);
        assert_eq!(root.check_value(), "dfda1db0588771ba0d78eb3e00503dd0");
        let digest = root.meter_key().digest("ten_1", b"user@example.com");
        let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hexadecimal,
            "0292270a744f0ab23aa5a70a8b22e49a4eca21544ecce507001ea3baa6e97cfb"
        );
        let decoy = root.decoy_key().digest("ten_1", b"user@example.com");
        assert_ne!(decoy, digest);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "c2hvcnQ=", "not base64!", &STANDARD.encode([0; 33])] {
            assert!(RootKey::from_base64_line(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tenant_and_bytes_are_not_concatenated() {
        let key = RootKey::from_bytes([1; 32]).meter_key();
        assert_ne!(key.digest("ab", b"c"), key.digest("a", b"bc"));
        assert_eq!(key.digest("ab", b"c"), key.digest("ab", b"c"));
    }
}
