//! Computing hashes, one worker with memory it keeps: fresh memory for each hash would halve the rate.
//!
//! Two implementations of Argon2id, one setting apart, checked against each other and RFC 9106 (`tests`).

use argon2::Block;
use argon2_rust::params::Memory;
use aws_lc_rs::rand;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{Password, PasswordHash, Scheme};

const SALT: usize = 16;
const TAG: usize = 32;
/// bcrypt reads no more; longer passwords are cut, as everywhere (wire facts §10 row 30).
const BCRYPT_MAX: usize = 72;

/// Which code computes Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argon2Implementation {
    /// `argon2-rust`, with SIMD chosen at run time.
    Simd,
    /// RustCrypto's `argon2`.
    RustCrypto,
}

/// One worker's means of hashing.
pub(crate) struct Hasher {
    implementation: Argon2Implementation,
    simd: argon2_rust::Hasher,
    blocks: Vec<Block>,
}

/// The computation itself failed: memory, or a hash that parsed and cannot be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed;

impl Hasher {
    pub(crate) fn new(implementation: Argon2Implementation) -> Self {
        Self {
            implementation,
            simd: simd(argon2_rust::Params::DEFAULT).hasher(),
            blocks: Vec::new(),
        }
    }

    /// Whether the password belongs to the hash; compared in constant time.
    pub(crate) fn verify(
        &mut self,
        password: &Password,
        hash: &PasswordHash,
    ) -> Result<bool, Failed> {
        match hash.scheme() {
            Scheme::Argon2id { .. } => {
                let parts = hash.argon2_parts().ok_or(Failed)?;
                let mut tag = vec![0; parts.tag.len()];
                self.argon2id(password.bytes(), &parts.salt, hash.scheme(), &mut tag)?;
                Ok(tag.ct_eq(&parts.tag).into())
            }
            Scheme::Bcrypt { .. } => {
                bcrypt::verify(cut(password.bytes()), hash.as_str()).map_err(|_| Failed)
            }
        }
    }

    /// A hash of a new password, under a random salt.
    pub(crate) fn hash(
        &mut self,
        password: &Password,
        scheme: Scheme,
    ) -> Result<PasswordHash, Failed> {
        let mut salt = [0; SALT];
        rand::fill(&mut salt).map_err(|_| Failed)?;
        match scheme {
            Scheme::Argon2id { .. } => {
                let mut tag = [0; TAG];
                self.argon2id(password.bytes(), &salt, scheme, &mut tag)?;
                Ok(PasswordHash::argon2id(scheme, &salt, &tag))
            }
            Scheme::Bcrypt { cost } => {
                let parts = bcrypt::hash_with_salt(cut(password.bytes()), cost, salt)
                    .map_err(|_| Failed)?;
                PasswordHash::parse(&parts.format_for_version(bcrypt::Version::TwoB))
                    .map_err(|_| Failed)
            }
        }
    }

    /// The work of one verification under this scheme, for nobody, by the very same code.
    pub(crate) fn decoy(&mut self, password: &Password, scheme: Scheme) -> Result<(), Failed> {
        let nobodys = PasswordHash::nobodys(scheme).map_err(|_| Failed)?;
        self.verify(password, &nobodys).map(drop)
    }

    fn argon2id(
        &mut self,
        password: &[u8],
        salt: &[u8],
        scheme: Scheme,
        tag: &mut [u8],
    ) -> Result<(), Failed> {
        let Scheme::Argon2id {
            memory_kib,
            passes,
            lanes,
        } = scheme
        else {
            return Err(Failed);
        };
        match self.implementation {
            Argon2Implementation::Simd => {
                let length = u32::try_from(tag.len()).map_err(|_| Failed)?;
                let parameters = argon2_rust::Params::builder()
                    .memory(Memory::kib(memory_kib.into()))
                    .passes(passes)
                    .lanes(lanes)
                    .threads(1)
                    .tag_len(argon2_rust::params::TagLen::bytes(length.into()))
                    .build()
                    .map_err(|_| Failed)?;
                self.simd.set_argon2(simd(parameters));
                self.simd.hash_into(password, salt, tag).map_err(|_| Failed)
            }
            Argon2Implementation::RustCrypto => {
                let parameters = argon2::Params::new(memory_kib, passes, lanes, Some(tag.len()))
                    .map_err(|_| Failed)?;
                let wanted = parameters.block_count();
                if self.blocks.len() < wanted {
                    self.blocks.resize(wanted, Block::new());
                }
                let argon2 = argon2::Argon2::new(
                    argon2::Algorithm::Argon2id,
                    argon2::Version::V0x13,
                    parameters,
                );
                let blocks = self.blocks.get_mut(..wanted).ok_or(Failed)?;
                let done = argon2.hash_password_into_with_memory(password, salt, tag, &mut *blocks);
                blocks.iter_mut().for_each(|block| block.as_mut().zeroize());
                done.map_err(|_| Failed)
            }
        }
    }
}

fn simd(parameters: argon2_rust::Params) -> argon2_rust::Argon2 {
    argon2_rust::Argon2::new(
        argon2_rust::Algorithm::Argon2id,
        argon2_rust::Version::V0x13,
        parameters,
    )
}

fn cut(password: &[u8]) -> &[u8] {
    password.get(..BCRYPT_MAX).unwrap_or(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Argon2Implementation; 2] =
        [Argon2Implementation::Simd, Argon2Implementation::RustCrypto];

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[test]
    fn known_hashes_are_verified() {
        // The reference implementation's own test vector for Argon2id, version 1.3.
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::parse(known).unwrap();
        for implementation in BOTH {
            let mut hasher = Hasher::new(implementation);
            assert!(hasher.verify(&password("password"), &hash).unwrap());
            assert!(!hasher.verify(&password("Password"), &hash).unwrap());
        }
    }

    /// RFC 9106 §5.3, which takes a secret and associated data that stored passwords do not have.
    #[test]
    fn both_implementations_compute_the_example_of_the_rfc() {
        let (secret, data) = ([3; 8], [4; 12]);
        let known = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b,
            0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9,
            0x6b, 0x01, 0xe6, 0x59,
        ];
        let mut tag = [0; 32];
        let parameters = argon2_rust::Params::builder()
            .memory(Memory::kib(32))
            .passes(3)
            .lanes(4)
            .threads(1)
            .build()
            .unwrap();
        simd(parameters)
            .hasher()
            .hash_into_with_ad(&[1; 32], &[2; 16], &secret, &data, &mut tag)
            .unwrap();
        assert_eq!(tag, known);

        let mut tag = [0; 32];
        let parameters = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(argon2::AssociatedData::new(&data).unwrap())
            .build()
            .unwrap();
        argon2::Argon2::new_with_secret(
            &secret,
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            parameters,
        )
        .unwrap()
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
        assert_eq!(tag, known);
    }

    #[test]
    fn memory_is_kept_and_left_zeroed() {
        let scheme = |memory_kib| Scheme::Argon2id {
            memory_kib,
            passes: 1,
            lanes: 1,
        };
        let mut simd = Hasher::new(Argon2Implementation::Simd);
        let mut plain = Hasher::new(Argon2Implementation::RustCrypto);
        assert_eq!(simd.simd.reserved_blocks(), 0, "none before the first hash");
        for memory_kib in [64, 128, 64, 128] {
            simd.decoy(&password("x"), scheme(memory_kib)).unwrap();
            plain.decoy(&password("x"), scheme(memory_kib)).unwrap();
        }
        assert_eq!(simd.simd.reserved_blocks(), 128);
        assert_eq!(plain.blocks.len(), 128);
        let zeroed = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        assert!(plain.blocks.iter().all(zeroed));
    }

    #[test]
    fn a_decoy_is_the_verification_of_a_hash_like_any_other() {
        let mut hasher = Hasher::new(Argon2Implementation::Simd);
        for scheme in [Scheme::argon2id_default(), Scheme::Bcrypt { cost: 4 }] {
            let nobodys = PasswordHash::nobodys(scheme).unwrap();
            assert_eq!(PasswordHash::parse(nobodys.as_str()).unwrap(), nobodys);
            assert_eq!(nobodys.scheme(), scheme);
            assert!(!hasher.verify(&password("x"), &nobodys).unwrap());
            hasher.decoy(&password("x"), scheme).unwrap();
        }
    }

    #[test]
    fn both_implementations_agree_whatever_came_before() {
        let mut simd = Hasher::new(Argon2Implementation::Simd);
        let mut plain = Hasher::new(Argon2Implementation::RustCrypto);
        for (memory_kib, passes, lanes) in [
            (64, 1, 1),
            (8, 3, 1),
            (256, 2, 2),
            (1_024, 1, 1),
            (32, 1, 4),
            (64, 1, 1),
        ] {
            let scheme = Scheme::Argon2id {
                memory_kib,
                passes,
                lanes,
            };
            for length in [1, 71, 128, 1_024] {
                let word = password(&"x".repeat(length));
                let one = simd.hash(&word, scheme).unwrap();
                let two = plain.hash(&word, scheme).unwrap();
                assert!(plain.verify(&word, &one).unwrap(), "{scheme} {length}");
                assert!(simd.verify(&word, &two).unwrap(), "{scheme} {length}");
                assert!(!simd.verify(&password("other"), &two).unwrap(), "{scheme}");
            }
        }
    }

    #[test]
    fn bcrypt_is_verified_and_cut_at_72_bytes() {
        let mut hasher = Hasher::new(Argon2Implementation::Simd);
        // From the bcrypt reference test vectors.
        for (word, known) in [
            (
                "U*U",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            ),
            (
                "U*U*",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            ),
        ] {
            let hash = PasswordHash::parse(known).unwrap();
            assert!(hasher.verify(&password(word), &hash).unwrap(), "{word}");
            assert!(!hasher.verify(&password("U*"), &hash).unwrap());
        }
        let long = hasher
            .hash(&password(&"x".repeat(100)), Scheme::Bcrypt { cost: 4 })
            .unwrap();
        assert!(hasher.verify(&password(&"x".repeat(72)), &long).unwrap());
        assert!(!hasher.verify(&password(&"x".repeat(71)), &long).unwrap());
    }
}
