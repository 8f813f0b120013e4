//! A bounded cache whose entries are right within a second, and at once after `forget` on this node.
//!
//! An entry counts only if nothing was forgotten since its read began:
//! a read that raced with a change can therefore not put an old value back.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long an entry may be wrong about a change made on another node. Half of the promised second, less a little:
/// a refusal is remembered that was decided by settings which were themselves remembered.
pub(crate) const FRESH_FOR: Duration = Duration::from_millis(450);

const CAPACITY: usize = 10_000;

#[derive(Clone)]
struct Entry<V> {
    value: V,
    generation: u64,
    read_at: Instant,
}

/// Values by key, each with the time of its reading.
pub(crate) struct Cache<K, V> {
    entries: quick_cache::sync::Cache<K, Entry<V>>,
    generation: AtomicU64,
}

impl<K: Hash + Eq, V: Clone> Default for Cache<K, V> {
    fn default() -> Self {
        Self {
            entries: quick_cache::sync::Cache::new(CAPACITY),
            generation: AtomicU64::new(0),
        }
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// The value, read by `load` unless a fresh one is known. Errors are not kept.
    pub(crate) async fn get_or_load<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        let reading = self.begin();
        let value = load.await?;
        self.put(key, value.clone(), reading);
        Ok(value)
    }

    /// A fresh value, if one is known.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let entry = self.entries.get(key)?;
        let current = entry.generation == self.generation.load(Ordering::Acquire);
        (current && entry.read_at.elapsed() < FRESH_FOR).then_some(entry.value)
    }

    /// A fresh value whose reading began at this moment or later.
    pub(crate) fn get_read_since(&self, key: &K, since: Instant) -> Option<V> {
        let entry = self.entries.get(key)?;
        let current = entry.generation == self.generation.load(Ordering::Acquire);
        let fresh = entry.read_at.elapsed() < FRESH_FOR && entry.read_at >= since;
        (current && fresh).then_some(entry.value)
    }

    /// The last value read, fresh or not; for what never changes once it is known.
    pub(crate) fn last(&self, key: &K) -> Option<V> {
        self.entries.get(key).map(|entry| entry.value)
    }

    /// Marks the moment before a read; `put` needs it.
    pub(crate) fn begin(&self) -> Reading {
        Reading {
            generation: self.generation.load(Ordering::Acquire),
            at: Instant::now(),
        }
    }

    /// Keeps what was read.
    pub(crate) fn put(&self, key: K, value: V, reading: Reading) {
        self.entries.insert(
            key,
            Entry {
                value,
                generation: reading.generation,
                read_at: reading.at,
            },
        );
    }

    /// Makes every entry stale.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// When a read began.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    generation: u64,
    at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_began_before_a_change_is_not_believed() {
        let cache: Cache<&str, u8> = Cache::default();
        let reading = cache.begin();
        cache.forget();
        cache.put("key", 1, reading);
        assert_eq!(cache.get(&"key"), None);

        cache.put("key", 2, cache.begin());
        assert_eq!(cache.get(&"key"), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_can_be_asked_to_be_newer_than_a_moment() {
        let cache: Cache<&str, u8> = Cache::default();
        cache.put("key", 1, cache.begin());
        let now = Instant::now();
        assert_eq!(cache.get_read_since(&"key", now), Some(1));
        assert_eq!(
            cache.get_read_since(&"key", now + Duration::from_micros(1)),
            None
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(cache.get_read_since(&"key", now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn entries_are_read_anew_within_a_second() {
        let cache: Cache<&str, u8> = Cache::default();
        cache.put("key", 1, cache.begin());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(cache.get(&"key"), None);
    }
}
