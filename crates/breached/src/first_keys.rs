//! The first key of each block, kept in memory: they tell the one block that may hold a key.
//!
//! Hashes fill their space evenly, so that a key's value tells about where its block is. A search from there touches
//! few of the 8 MB of a whole corpus, and takes a third of the time. Where it misses, as in a list of a few ranges,
//! all are searched.

/// How far from the guess a block is looked for: chance moves those of a whole corpus by 17 on the average at most.
const NEAR: usize = 64;
pub(crate) const FIRST_KEY_BYTES: usize = 8;

/// First keys in ascending order.
pub(crate) struct FirstKeys(Vec<u64>);

impl FirstKeys {
    /// Reads them as they lie in the file; `None` when they do not ascend.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (keys, _) = bytes.as_chunks::<FIRST_KEY_BYTES>();
        let keys: Vec<u64> = keys.iter().map(|key| u64::from_le_bytes(*key)).collect();
        keys.is_sorted_by(|one, next| one < next)
            .then_some(Self(keys))
    }

    /// The only block that may hold the key; none when the key is before all.
    pub(crate) fn block_of(&self, key: u64) -> Option<usize> {
        let up_to = |keys: &[u64]| keys.partition_point(|first| *first <= key);
        let guess = ((u128::from(key) * self.0.len() as u128) >> 64) as usize;
        let begin = guess.saturating_sub(NEAR);
        let end = self.0.len().min(guess + NEAR);
        let near = self.0.get(begin..end).filter(|near| {
            near.first().is_some_and(|first| *first <= key)
                && self.0.get(end).is_none_or(|next| key < *next)
        });
        match near {
            Some(near) => begin + up_to(near),
            None => up_to(&self.0),
        }
        .checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(keys: &[u64]) -> Option<FirstKeys> {
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        FirstKeys::decode(&bytes)
    }

    #[test]
    fn keys_that_do_not_ascend_are_none() {
        assert_eq!(read(&[1, 9, u64::MAX]).unwrap().0, [1, 9, u64::MAX]);
        assert!(read(&[1, 9, 9]).is_none());
        assert!(read(&[9, 1]).is_none());
    }

    #[test]
    fn a_list_without_blocks_has_none_for_any_key() {
        let none = read(&[]).unwrap();
        assert_eq!((none.block_of(0), none.block_of(u64::MAX)), (None, None));
    }

    proptest! {
        #[test]
        fn it_is_the_last_block_that_begins_up_to_the_key_however_the_keys_lie(
            mut keys in proptest::collection::vec(any::<u64>(), 1..1_000),
            squeezed in 0_u32..60,
            moved: u64,
            asked: u64,
        ) {
            for key in &mut keys {
                *key = (*key >> squeezed).saturating_add(moved >> 1);
            }
            keys.sort_unstable();
            keys.dedup();
            let first_keys = read(&keys).unwrap();
            let beside = keys.iter().flat_map(|key| [key.saturating_sub(1), *key, key.saturating_add(1)]);
            for key in beside.chain([0, asked, u64::MAX]) {
                let expected = keys.iter().rposition(|first| *first <= key);
                prop_assert_eq!(first_keys.block_of(key), expected, "{}", key);
            }
        }
    }
}
