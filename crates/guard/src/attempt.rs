//! One attempt to log in, as far as protection is concerned.
//!
//! Who decides the source and its standing is the server; this page only says what they mean.

use crate::Source;

/// What is tried, by whom, from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The identifier of the connection within its tenant.
    pub connection: String,
    pub account: Account,
    pub source: Source,
    pub standing: Standing,
}

/// The account an attempt counts against: all identifiers of one user lead to one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// The user's id.
    Known(String),
    /// A keyed digest of the normalised identifier that nobody has.
    Unknown(Vec<u8>),
}

impl Account {
    /// One of 64 marks, spread evenly over accounts.
    pub(crate) fn mark(&self) -> u64 {
        let (kind, name) = match self {
            Self::Known(user) => (0u8, user.as_bytes()),
            Self::Unknown(digest) => (1, digest.as_slice()),
        };
        // FNV-1a, stirred once more because it hardly moves the high bits for the last bytes. User ids are ours and
        // digests are keyed, so nobody can aim at a mark.
        let hash = std::iter::once(&kind)
            .chain(name)
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let stirred = (hash ^ hash.wrapping_shr(32)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        1u64.rotate_left(stirred.wrapping_shr(58) as u32)
    }
}

/// How far the source of an attempt is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The caller's own address.
    Own,
    /// The address a trusted client vouches for.
    Vouched,
    /// The caller's own address, because a trusted client sent an unreadable one: no allowlist applies.
    Distrusted,
    /// The own address of an authenticated confidential client that is not trusted to name its users' addresses:
    /// many users may share it, which is watched.
    Backend,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_single_bits_and_well_spread() {
        let mut counts = [0u32; 64];
        for number in 0..6_400 {
            let mark = Account::Known(format!("auth0|{number:024x}")).mark();
            assert_eq!(mark.count_ones(), 1);
            counts[mark.trailing_zeros() as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (50..=170).contains(count)),
            "{counts:?}"
        );
    }
}
