//! The two hashes of the Have I Been Pwned corpus, and the 64 bits of them that a filter holds.
//!
//! SHA-1 is taken of the UTF-8 bytes, NTLM is MD4 of the UTF-16LE code units (MS-NLMP §3.3.1).
//! Neither protects a password: they are how the corpus names one.

use aws_lc_rs::digest;
use md4::{Digest, Md4};
use zeroize::Zeroizing;

/// Which hash the lines of a corpus are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sha1,
    Ntlm,
}

impl Kind {
    /// Length of the hash in bytes.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Ntlm => 16,
        }
    }

    /// The hash of a password as it was typed.
    pub(crate) fn hash(self, password: &str) -> Hash {
        match self {
            Self::Sha1 => Hash::padded(
                digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref(),
            ),
            Self::Ntlm => {
                // Room for the whole text, so that no outgrown copy stays behind.
                let mut text = Zeroizing::new(Vec::with_capacity(2 * password.len()));
                for unit in password.encode_utf16() {
                    text.extend_from_slice(&unit.to_le_bytes());
                }
                Hash::padded(&Md4::digest(text.as_slice()))
            }
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Ntlm => "NTLM",
        })
    }
}

/// A hash of either kind; the shorter one ends in zeros. Ordered as the corpus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash(pub(crate) [u8; 20]);

impl Hash {
    fn padded(digest: &[u8]) -> Self {
        let mut hash = [0; 20];
        for (to, from) in hash.iter_mut().zip(digest) {
            *to = *from;
        }
        Self(hash)
    }

    /// The first 64 bits, which a filter holds in place of the whole: in the order of the hashes,
    /// and the same for two of 2·10^9 hashes about once in ten corpora.
    pub(crate) fn key(&self) -> u64 {
        self.0
            .iter()
            .take(8)
            .fold(0, |key, byte| key << 8 | u64::from(*byte))
    }

    /// The first five hex digits: the range file that holds this hash.
    pub(crate) fn range(&self) -> u32 {
        (self.key() >> 44) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(kind: Kind, password: &str, hex: &str) {
        let hash = kind.hash(password).0;
        let told: String = hash[..kind.bytes()]
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert_eq!(told, hex, "{kind} of {password}");
        assert!(hash[kind.bytes()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn hashes_are_those_of_the_corpus() {
        is(
            Kind::Sha1,
            "password",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        );
        is(
            Kind::Sha1,
            "P@ssw0rd",
            "21BD12DC183F740EE76F27B78EB39C8AD972A757",
        );
        is(Kind::Ntlm, "password", "8846F7EAEE8FB117AD06BDD830B7586C");
        is(Kind::Ntlm, "", "31D6CFE0D16AE931B73C59D7E0C089C0");
        // MS-NLMP §4.2.2.1.2.
        is(Kind::Ntlm, "Password", "A4F49C406510BDCAB6824EE7C30FD852");
    }

    #[test]
    fn text_beyond_ascii_is_hashed_as_utf_8_and_as_utf_16() {
        // SHA-1 of C3 A9, MD4 of E9 00.
        is(Kind::Sha1, "é", "BF15BE717AC1B080B4F1C456692825891FF5073D");
        is(Kind::Ntlm, "é", "E77286D072C7858E9110CC3A011D2AC8");
        // Beyond the basic plane: the surrogates D834 DD1E.
        is(Kind::Ntlm, "𝄞", "78D54ECB6CC7C823F8B6D7ACF67BF657");
    }

    #[test]
    fn the_key_is_the_beginning_of_the_hash() {
        let hash = Kind::Sha1.hash("password");
        assert_eq!(hash.key(), 0x5BAA_61E4_C9B9_3F3F);
        assert_eq!(hash.range(), 0x5BAA6);
    }
}
