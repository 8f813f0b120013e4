//! One binary fuse filter with 16-bit fingerprints (Graf and Lemire, 2022): which three places a key asks,
//! and the building of the fingerprints, which is the crate `xorf`'s.
//!
//! A key of the set is always found; any other is taken for one with a probability of 2^-16.
//! The asking is written here because `xorf` wants the fingerprints in memory, and ours stay in the file.

use xorf::BinaryFuse16;

/// What is needed to ask a filter, apart from its fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    /// Length of one of the windows that a key's three places lie in; a power of two.
    pub(crate) window: u32,
    /// How many first places there are; a multiple of `window`.
    pub(crate) spread: u32,
}

impl Shape {
    /// How many fingerprints the filter has; none when the numbers cannot be a filter's.
    pub(crate) fn fingerprints(&self) -> Option<u32> {
        let whole = self.window.is_power_of_two()
            && self.spread > 0
            && self.spread.is_multiple_of(self.window);
        let tail = self.window.checked_mul(2)?;
        self.spread.checked_add(tail).filter(|_| whole)
    }

    /// The places whose fingerprints a key asks for, each below `fingerprints`, and what their sum has to be.
    pub(crate) fn places(&self, key: u64) -> ([u32; 3], u16) {
        let hash = mixed(key.wrapping_add(self.seed));
        let within = self.window - 1;
        let first = ((u128::from(hash) * u128::from(self.spread)) >> 64) as u32;
        let second = (first + self.window) ^ ((hash >> 18) as u32 & within);
        let third = (first + 2 * self.window) ^ (hash as u32 & within);
        ([first, second, third], (hash ^ (hash >> 32)) as u16)
    }
}

/// The last step of MurmurHash3 with 64 bits.
fn mixed(mut bits: u64) -> u64 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    bits ^ (bits >> 33)
}

/// A filter with its fingerprints, as it is built.
pub(crate) struct Filter {
    pub(crate) shape: Shape,
    pub(crate) fingerprints: Box<[u16]>,
}

impl Filter {
    /// Builds a filter of distinct keys and asks it for each of them.
    /// `None` when none could be built, which chance makes practically impossible.
    pub(crate) fn of(keys: &[u64]) -> Option<Self> {
        let built = BinaryFuse16::try_from(keys).ok()?;
        let filter = Self {
            shape: Shape {
                seed: built.descriptor.seed,
                window: built.descriptor.segment_length,
                spread: built.descriptor.segment_count_length,
            },
            fingerprints: built.fingerprints,
        };
        let sized = filter.shape.fingerprints()? as usize == filter.fingerprints.len();
        // A filter that lost a key would leave a breached password in use, and nobody would notice.
        (sized && keys.iter().all(|key| filter.contains(*key))).then_some(filter)
    }

    fn contains(&self, key: u64) -> bool {
        let (places, expected) = self.shape.places(key);
        let sum = places
            .iter()
            .map(|place| self.fingerprints.get(*place as usize).copied())
            .try_fold(0, |sum, fingerprint| Some(sum ^ fingerprint?));
        sum == Some(expected)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xorf::Filter as _;

    use super::*;

    fn keys(count: u64) -> Vec<u64> {
        (0..count)
            .map(|number| mixed(number ^ 0x5EED_0000_0000))
            .collect()
    }

    #[test]
    fn filters_of_every_small_size_hold_their_keys() {
        for count in 1..=300 {
            assert!(Filter::of(&keys(count)).is_some(), "{count} keys");
        }
    }

    #[test]
    fn of_ten_million_strangers_at_most_one_in_fifty_thousand_is_taken_for_a_member() {
        let mut probes = keys(11_000_000);
        let strangers = probes.split_off(1_000_000);
        let filter = Filter::of(&probes).unwrap();
        let found = strangers.iter().filter(|key| filter.contains(**key));
        let found = found.count();
        assert!((100..=200).contains(&found), "{found} of 10^7");
    }

    #[test]
    fn it_answers_as_xorf_does_for_members_and_strangers() {
        let members = keys(20_000);
        let theirs = BinaryFuse16::try_from(members.as_slice()).unwrap();
        let ours = Filter::of(&members).unwrap();
        for key in keys(2_000_000) {
            assert_eq!(ours.contains(key), theirs.contains(&key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_place_lies_outside_whatever_the_shape(
            seed: u64, key: u64, power in 0_u32..20, windows in 1_u32..2_000,
        ) {
            let window = 1 << power;
            let shape = Shape { seed, window, spread: window * windows };
            let fingerprints = shape.fingerprints().unwrap();
            prop_assert!(shape.places(key).0.iter().all(|place| *place < fingerprints));
        }
    }

    #[test]
    fn numbers_that_cannot_be_a_filters_are_seen() {
        let shape = |window, spread| Shape {
            seed: 1,
            window,
            spread,
        };
        assert_eq!(shape(4, 8).fingerprints(), Some(16));
        for bad in [
            shape(0, 8),
            shape(3, 9),
            shape(4, 0),
            shape(4, 6),
            shape(1 << 31, 1 << 31),
            shape(4, u32::MAX - 3),
        ] {
            assert_eq!(bad.fingerprints(), None, "{bad:?}");
        }
    }
}
