//! A queue with fair turns: round robin over clients, within a client over sources, within a source in order.
//!
//! A source with a thousand jobs delays another's first job by one job. Bounded by the places that jobs hold.

use std::collections::{HashMap, VecDeque};

use super::Share;

/// Jobs in fair order.
pub(super) struct Queue<J> {
    clients: Turns<u64, Turns<u64, VecDeque<J>>>,
    length: usize,
}

/// Lanes that are not empty, in the order of their turns.
struct Turns<K, L> {
    order: VecDeque<K>,
    lanes: HashMap<K, L>,
}

impl<K, L> Default for Turns<K, L> {
    fn default() -> Self {
        Self {
            order: VecDeque::new(),
            lanes: HashMap::new(),
        }
    }
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self {
            clients: Turns::default(),
            length: 0,
        }
    }
}

impl<J> Queue<J> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, share: &Share, job: J) {
        let client = self.clients.lane(share.client);
        client.lane(share.source).push_back(job);
        self.length += 1;
    }

    /// Takes out a job of this share before its turn.
    pub(super) fn remove(&mut self, share: &Share, is_it: impl Fn(&J) -> bool) -> Option<J> {
        let client = self.clients.lanes.get_mut(&share.client)?;
        let source = client.lanes.get_mut(&share.source)?;
        let job = source.remove(source.iter().position(is_it)?)?;
        if source.is_empty() {
            client.close(share.source);
        }
        if client.order.is_empty() {
            self.clients.close(share.client);
        }
        self.length -= 1;
        Some(job)
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<J> {
        let job = self.clients.turn(
            |client| client.turn(VecDeque::pop_front, VecDeque::is_empty),
            |client| client.order.is_empty(),
        )?;
        self.length -= 1;
        Some(job)
    }
}

impl<K: Copy + Eq + std::hash::Hash, L: Default> Turns<K, L> {
    fn lane(&mut self, key: K) -> &mut L {
        self.lanes.entry(key).or_insert_with(|| {
            self.order.push_back(key);
            L::default()
        })
    }

    fn close(&mut self, key: K) {
        self.lanes.remove(&key);
        self.order.retain(|other| *other != key);
    }

    /// Takes from the lane whose turn it is, and puts it last unless it is empty now.
    fn turn<J>(
        &mut self,
        take: impl FnOnce(&mut L) -> Option<J>,
        is_empty: impl FnOnce(&L) -> bool,
    ) -> Option<J> {
        let key = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&key)?;
        let job = take(lane);
        if is_empty(lane) {
            self.lanes.remove(&key);
        } else {
            self.order.push_back(key);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientStanding;

    fn share(client: u64, source: u64) -> Share {
        Share {
            source,
            client,
            standing: ClientStanding::Authenticated,
        }
    }

    fn drained(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn clients_then_sources_take_turns() {
        let mut queue = Queue::default();
        for job in ["a1-1", "a1-2", "a1-3"] {
            queue.push(&share(1, 1), job);
        }
        queue.push(&share(1, 2), "a2-1");
        queue.push(&share(2, 1), "b1-1");
        queue.push(&share(2, 1), "b1-2");
        assert_eq!(queue.len(), 6);
        assert_eq!(
            drained(&mut queue),
            ["a1-1", "b1-1", "a2-1", "b1-2", "a1-2", "a1-3"]
        );
        assert_eq!(queue.len(), 0);
        assert!(queue.clients.lanes.is_empty() && queue.clients.order.is_empty());
    }

    #[test]
    fn a_job_taken_out_leaves_nothing_and_the_order_of_the_others() {
        let mut queue = Queue::default();
        for (source, job) in [(1, "1-1"), (2, "2-1"), (1, "1-2")] {
            queue.push(&share(1, source), job);
        }
        queue.push(&share(2, 1), "b");
        assert_eq!(queue.remove(&share(1, 2), |job| *job == "1-2"), None);
        assert_eq!(queue.remove(&share(1, 1), |job| *job == "1-1"), Some("1-1"));
        assert_eq!(queue.remove(&share(1, 2), |job| *job == "2-1"), Some("2-1"));
        assert_eq!(queue.remove(&share(2, 1), |job| *job == "b"), Some("b"));
        assert_eq!(queue.len(), 1);
        assert_eq!(drained(&mut queue), ["1-2"]);
        assert!(queue.clients.lanes.is_empty() && queue.clients.order.is_empty());
    }

    #[test]
    fn a_flood_delays_a_newcomer_by_one_job() {
        let mut queue = Queue::default();
        for _ in 0..1_000 {
            queue.push(&share(1, 1), "flood");
        }
        queue.push(&share(1, 2), "honest");
        assert_eq!(queue.pop(), Some("flood"));
        assert_eq!(queue.pop(), Some("honest"));
    }
}
