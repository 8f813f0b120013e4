//! One block of a list: a binary fuse filter with 16-bit fingerprints (Graf and Lemire, 2022), as it lies in the file.
//!
//! ```text
//! seed            8 bytes
//! window, spread  2 bytes each
//! fingerprints    1,792 of 2 bytes each; zeros behind those of a filter that has fewer, as the last one may
//! ```
//!
//! A key of the block is always found; any other is taken for one with a probability of 2^-16.
//! The fingerprints are computed by the crate `xorf`; the asking is written here because `xorf` trusts a filter's numbers,
//! and these were just read from a file.

use xorf::BinaryFuse16;

use crate::format::Fields;

/// Keys of a full block: as many as its fingerprints have room for.
pub(crate) const KEYS: usize = 1_322;
const FINGERPRINTS: usize = 1_792;
const SHAPE_BYTES: usize = 12;
pub(crate) const BYTES: usize = SHAPE_BYTES + 2 * FINGERPRINTS;

pub(crate) type Block = [u8; BYTES];

/// Builds a block of at most [`KEYS`] distinct keys and asks it for each of them.
/// `None` when none could be built, which chance makes practically impossible.
pub(crate) fn of(keys: &[u64]) -> Option<Block> {
    let built = BinaryFuse16::try_from(keys).ok()?;
    let window = u16::try_from(built.descriptor.segment_length).ok()?;
    let spread = u16::try_from(built.descriptor.segment_count_length).ok()?;
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(&built.descriptor.seed.to_le_bytes());
    bytes.extend_from_slice(&window.to_le_bytes());
    bytes.extend_from_slice(&spread.to_le_bytes());
    for fingerprint in &built.fingerprints {
        bytes.extend_from_slice(&fingerprint.to_le_bytes());
    }
    bytes.resize(BYTES, 0);
    let block = bytes.try_into().ok()?;
    // A block that lost a key would leave a breached password in use, and nobody would notice.
    keys.iter()
        .all(|key| contains(&block, *key) == Some(true))
        .then_some(block)
}

/// Whether the block holds the key; `None` when the bytes are no block.
pub(crate) fn contains(block: &Block, key: u64) -> Option<bool> {
    let mut fields = Fields(block);
    let shape = Shape {
        seed: fields.u64(),
        window: fields.u16().into(),
        spread: fields.u16().into(),
    };
    let (fingerprints, _) = fields.0.as_chunks();
    if shape.fingerprints()? as usize > fingerprints.len() {
        return None;
    }
    let (places, expected) = shape.places(key);
    let mut sum = 0;
    for place in places {
        sum ^= u16::from_le_bytes(*fingerprints.get(place as usize)?);
    }
    Some(sum == expected)
}

/// Which fingerprints a key asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    seed: u64,
    /// Length of one of the windows that a key's three places lie in; a power of two.
    window: u32,
    /// How many first places there are; a multiple of `window`.
    spread: u32,
}

impl Shape {
    /// How many fingerprints the filter has; none when the numbers cannot be a filter's.
    fn fingerprints(&self) -> Option<u32> {
        let whole = self.window.is_power_of_two()
            && self.spread > 0
            && self.spread.is_multiple_of(self.window);
        let tail = self.window.checked_mul(2)?;
        self.spread.checked_add(tail).filter(|_| whole)
    }

    /// The places whose fingerprints a key asks for, each below `fingerprints`, and what their sum has to be.
    fn places(&self, key: u64) -> ([u32; 3], u16) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xorf::Filter as _;

    use super::*;

    fn keys(numbers: std::ops::Range<u64>) -> Vec<u64> {
        numbers
            .map(|number| mixed(number ^ 0x5EED_0000_0000))
            .collect()
    }

    #[test]
    fn a_block_has_3_596_bytes_and_no_room_for_one_key_more() {
        let bytes = |count| {
            let filter = BinaryFuse16::try_from(keys(0..count)).unwrap();
            SHAPE_BYTES + 2 * filter.fingerprints.len()
        };
        let full = KEYS as u64;
        assert_eq!((bytes(full), BYTES), (3_596, 3_596));
        assert!(bytes(full + 1) > BYTES, "{}", bytes(full + 1));
        assert_eq!(of(&keys(0..full + 1)), None);
    }

    #[test]
    fn blocks_of_every_number_of_keys_hold_them() {
        for count in 1..=KEYS as u64 {
            assert!(of(&keys(0..count)).is_some(), "{count} keys");
        }
    }

    #[test]
    fn of_ten_million_strangers_at_most_one_in_fifty_thousand_is_taken_for_a_member() {
        let mut found = 0;
        for round in 0..20 {
            let begin = round * 1_000_000;
            let block = of(&keys(begin..begin + KEYS as u64)).unwrap();
            let strangers = keys(begin + 500_000..begin + 1_000_000);
            let taken = strangers
                .iter()
                .filter(|key| contains(&block, **key) == Some(true));
            found += taken.count();
        }
        assert!((100..=200).contains(&found), "{found} of 10^7");
    }

    #[test]
    fn it_answers_as_xorf_does_for_members_and_strangers() {
        for count in [1, 2, 5, 100, 1_009, 1_010, 1_200, KEYS as u64] {
            let members = keys(0..count);
            let theirs = BinaryFuse16::try_from(members.as_slice()).unwrap();
            let ours = of(&members).unwrap();
            for key in keys(0..250_000) {
                let expected = Some(theirs.contains(&key));
                assert_eq!(contains(&ours, key), expected, "{key} of {count}");
            }
        }
    }

    /// Numbers that are a shape's and such that are not, the latter in most ways.
    fn shapes() -> impl Strategy<Value = (u16, u16)> {
        let near = (0_u32..16, 0_u32..2_000, -1_i32..=1).prop_map(|(power, windows, off)| {
            let window = 1 << power;
            let spread = (window * windows) as i32 + off * i32::from(windows % 5 == 0);
            (window as u16, spread as u16)
        });
        prop_oneof![3 => near, 1 => any::<(u16, u16)>()]
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

        #[test]
        fn bytes_of_any_kind_are_asked_only_if_their_shape_fits_into_them(
            seed: u64, (window, spread) in shapes(), filling: u8, key: u64,
        ) {
            let mut block = [filling; BYTES];
            block[..8].copy_from_slice(&seed.to_le_bytes());
            block[8..10].copy_from_slice(&window.to_le_bytes());
            block[10..12].copy_from_slice(&spread.to_le_bytes());
            let (window, spread) = (u32::from(window), u32::from(spread));
            let fits = window.is_power_of_two()
                && spread > 0
                && spread % window == 0
                && spread + 2 * window <= FINGERPRINTS as u32;
            prop_assert_eq!(contains(&block, key).is_some(), fits);
        }

        #[test]
        fn bytes_of_chance_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), BYTES), key: u64,
        ) {
            contains(&bytes.try_into().unwrap(), key);
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
