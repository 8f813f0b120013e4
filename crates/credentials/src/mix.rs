//! The formats and costs of a connection's hashes, in their shares.
//!
//! An unknown identifier is given one of them, as often as real users have it: otherwise the time of a refusal would tell
//! who exists. It keeps the one it has while users come and go, as a real user does, unless it stands at a border.

use crate::Scheme;

/// Schemes with the number of users that have each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    counted: Vec<(Scheme, u64)>,
    total: u64,
    default: Scheme,
}

impl Mix {
    /// A mix; `default` is what an empty connection's users would get.
    pub fn new(counted: impl IntoIterator<Item = (Scheme, u64)>, default: Scheme) -> Self {
        let mut counted: Vec<_> = counted
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        counted.sort_unstable();
        let total = counted
            .iter()
            .fold(0_u64, |total, (_, count)| total.saturating_add(*count));
        Self {
            counted,
            total,
            default,
        }
    }

    /// The scheme of an identifier nobody has, by a keyed digest of it.
    pub fn pick(&self, digest: &[u8; 32]) -> Scheme {
        let number = u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default());
        // A share of the whole and not a remainder, which would be another one with every new user.
        let place = (u128::from(number) * u128::from(self.total)) >> u64::BITS;
        let mut left = u64::try_from(place).unwrap_or_default();
        for (scheme, count) in &self.counted {
            match left.checked_sub(*count) {
                Some(rest) => left = rest,
                None => return *scheme,
            }
        }
        self.default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u64) -> [u8; 32] {
        let mut digest = [0; 32];
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        digest[..8].copy_from_slice(&spread.to_be_bytes());
        digest
    }

    #[test]
    fn unknown_identifiers_get_schemes_in_the_shares_users_have_them() {
        let (old, new) = (Scheme::Bcrypt { cost: 10 }, Scheme::argon2id_default());
        let mix = Mix::new([(old, 300), (new, 700)], new);
        let olds = (0..10_000)
            .filter(|number| mix.pick(&digest(*number)) == old)
            .count();
        assert!((2_800..=3_200).contains(&olds), "{olds}");
        assert_eq!(mix.pick(&digest(5)), mix.pick(&digest(5)));
    }

    #[test]
    fn a_new_user_changes_next_to_nobody() {
        let (old, new) = (Scheme::Bcrypt { cost: 10 }, Scheme::argon2id_default());
        let before = Mix::new([(old, 300), (new, 700)], new);
        let after = Mix::new([(old, 300), (new, 701)], new);
        let changed = (0..10_000)
            .filter(|number| before.pick(&digest(*number)) != after.pick(&digest(*number)))
            .count();
        assert!(changed <= 10, "{changed}");
    }

    #[test]
    fn an_empty_connection_has_the_default() {
        let default = Scheme::argon2id_default();
        assert_eq!(Mix::new([], default).pick(&digest(1)), default);
        assert_eq!(
            Mix::new([(Scheme::Bcrypt { cost: 10 }, 0)], default).pick(&digest(1)),
            default
        );
    }
}
