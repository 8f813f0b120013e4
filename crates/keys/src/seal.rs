//! Secrets the wire must give back, sealed at rest: AES-256-GCM bound to tenant, row and field.
//!
//! A sealed value moved to another row does not open. Layout: version byte, 12 bytes nonce, ciphertext with its tag.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::Entropy;

const VERSION: u8 = 1;

/// What a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    pub tenant: &'a str,
    pub row: &'a str,
    pub field: &'a str,
}

impl Binding<'_> {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.tenant, self.row, self.field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// The value was changed, moved, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with this root key")]
pub struct SealBroken;

/// Seals and opens.
pub struct Sealer(LessSafeKey);

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals a value under a random nonce.
    pub fn seal(&self, binding: &Binding<'_>, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding.to_bytes()),
                &mut sealed,
            )
            .expect("values are far below AES-GCM's bound");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for exactly this place.
    pub fn open(
        &self,
        binding: &Binding<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (version, rest) = sealed.split_first().ok_or(SealBroken)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealBroken)?;
        if *version != VERSION {
            return Err(SealBroken);
        }
        let mut buffer = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .0
            .open_in_place(nonce, Aad::from(binding.to_bytes()), &mut buffer)
            .map_err(|_| SealBroken)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RootKey, SystemEntropy};

    /// 0, 1, 2 and so on.
    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            (0..).zip(buffer).for_each(|(number, byte)| *byte = number);
        }
    }

    const HERE: Binding<'_> = Binding {
        tenant: "t",
        row: "r",
        field: "f",
    };

    #[test]
    fn a_value_opens_where_it_was_sealed_and_nowhere_else() {
        let sealer = RootKey::from_bytes([1; 32]).sealer();
        let sealed = sealer.seal(&HERE, b"secret", &SystemEntropy);
        assert_eq!(sealer.open(&HERE, &sealed).unwrap().as_slice(), b"secret");
        for elsewhere in [
            Binding {
                tenant: "u",
                ..HERE
            },
            Binding { row: "s", ..HERE },
            Binding { field: "g", ..HERE },
            Binding {
                tenant: "tr",
                row: "",
                field: "f",
            },
        ] {
            assert!(sealer.open(&elsewhere, &sealed).is_err());
        }
        assert!(
            RootKey::from_bytes([2; 32])
                .sealer()
                .open(&HERE, &sealed)
                .is_err()
        );
        assert_ne!(sealed, sealer.seal(&HERE, b"secret", &SystemEntropy));
    }

    /// Computed apart from this code: what an earlier version sealed must open for ever.
    #[test]
    fn the_layout_stays_what_it_is() {
        let sealer = RootKey::from_bytes([7; 32]).sealer();
        let sealed = sealer.seal(&HERE, b"secret", &Counting);
        let hexadecimal: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hexadecimal,
            "01000102030405060708090a0b4bc97c4fb04873afbb51f4de1e4852a8c8fc3eaf44f8"
        );
        assert_eq!(format!("{sealer:?}"), "Sealer");
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let sealer = RootKey::from_bytes([1; 32]).sealer();
        let sealed = sealer.seal(&HERE, b"secret", &SystemEntropy);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer.open(&HERE, &changed).is_err(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(
                sealer.open(&HERE, &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }
}
