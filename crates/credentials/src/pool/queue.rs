//! A queue with fair turns: by what is known of the source, then round robin over clients, within a client over sources,
//! within a source in order.
//!
//! Of ten turns, proven sources have six, new ones three and failing ones one; a turn that nobody needs goes to the next.
//! A source with a thousand jobs delays another of its kind by one job. Bounded by the places that jobs hold.

use std::collections::{HashMap, VecDeque};

use super::{Record, Share};

/// Whose turn it is, over and over.
const TURNS: [Record; 10] = {
    use Record::{Failing as F, New as N, Proven as P};
    [P, N, P, P, N, P, F, P, N, P]
};

/// How many turns pass until as many of this kind as there are have all had theirs, were nobody to come or go.
pub(super) fn turns_ahead(record: Record, many: impl Fn(Record) -> usize) -> usize {
    let turns_of = |record| TURNS.iter().filter(|turn| **turn == record).count();
    let (own, own_turns) = (many(record), turns_of(record));
    let others = Record::ALL.into_iter().filter(|other| *other != record);
    let between = others.map(|other| {
        let at_most = (own * turns_of(other)).div_ceil(own_turns);
        many(other).min(at_most)
    });
    own + between.sum::<usize>()
}

/// Jobs in fair order.
pub(super) struct Queue<J> {
    proven: Kind<J>,
    new: Kind<J>,
    failing: Kind<J>,
    turn: usize,
}

/// The jobs of all sources of which the same is known.
struct Kind<J> {
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

impl<J> Default for Kind<J> {
    fn default() -> Self {
        Self {
            clients: Turns::default(),
            length: 0,
        }
    }
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self {
            proven: Kind::default(),
            new: Kind::default(),
            failing: Kind::default(),
            turn: 0,
        }
    }
}

impl<J> Queue<J> {
    pub(super) fn len(&self) -> usize {
        self.proven.length + self.new.length + self.failing.length
    }

    pub(super) fn push(&mut self, share: &Share, record: Record, job: J) {
        let kind = self.kind_mut(record);
        let client = kind.clients.lane(share.client);
        client.lane(share.source).push_back(job);
        kind.length += 1;
    }

    /// Takes out a job of this share before its turn.
    pub(super) fn remove(
        &mut self,
        share: &Share,
        record: Record,
        is_it: impl Fn(&J) -> bool,
    ) -> Option<J> {
        let kind = self.kind_mut(record);
        let client = kind.clients.lanes.get_mut(&share.client)?;
        let source = client.lanes.get_mut(&share.source)?;
        let job = source.remove(source.iter().position(is_it)?)?;
        if source.is_empty() {
            client.close(share.source);
        }
        if client.order.is_empty() {
            kind.clients.close(share.client);
        }
        kind.length -= 1;
        Some(job)
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<J> {
        let turns = TURNS.iter().cycle().skip(self.turn).take(TURNS.len());
        for (passed, record) in turns.enumerate() {
            if let Some(job) = self.kind_mut(*record).pop() {
                self.turn = (self.turn + passed + 1) % TURNS.len();
                return Some(job);
            }
        }
        None
    }

    fn kind_mut(&mut self, record: Record) -> &mut Kind<J> {
        match record {
            Record::Proven => &mut self.proven,
            Record::New => &mut self.new,
            Record::Failing => &mut self.failing,
        }
    }
}

impl<J> Kind<J> {
    fn pop(&mut self) -> Option<J> {
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
            queue.push(&share(1, 1), Record::New, job);
        }
        queue.push(&share(1, 2), Record::New, "a2-1");
        queue.push(&share(2, 1), Record::New, "b1-1");
        queue.push(&share(2, 1), Record::New, "b1-2");
        assert_eq!(queue.len(), 6);
        assert_eq!(
            drained(&mut queue),
            ["a1-1", "b1-1", "a2-1", "b1-2", "a1-2", "a1-3"]
        );
        assert_eq!(queue.len(), 0);
        assert!(queue.new.clients.lanes.is_empty() && queue.new.clients.order.is_empty());
    }

    #[test]
    fn a_job_taken_out_leaves_nothing_and_the_order_of_the_others() {
        let mut queue = Queue::default();
        for (source, job) in [(1, "1-1"), (2, "2-1"), (1, "1-2")] {
            queue.push(&share(1, source), Record::New, job);
        }
        queue.push(&share(2, 1), Record::New, "b");
        assert_eq!(
            queue.remove(&share(1, 2), Record::New, |job| *job == "1-2"),
            None
        );
        assert_eq!(
            queue.remove(&share(1, 1), Record::New, |job| *job == "1-1"),
            Some("1-1")
        );
        assert_eq!(
            queue.remove(&share(1, 2), Record::New, |job| *job == "2-1"),
            Some("2-1")
        );
        assert_eq!(
            queue.remove(&share(2, 1), Record::New, |job| *job == "b"),
            Some("b")
        );
        assert_eq!(queue.len(), 1);
        assert_eq!(drained(&mut queue), ["1-2"]);
        assert!(queue.new.clients.lanes.is_empty() && queue.new.clients.order.is_empty());
    }

    #[test]
    fn a_flood_delays_a_newcomer_by_one_job() {
        let mut queue = Queue::default();
        for _ in 0..1_000 {
            queue.push(&share(1, 1), Record::New, "flood");
        }
        queue.push(&share(1, 2), Record::New, "honest");
        assert_eq!(queue.pop(), Some("flood"));
        assert_eq!(queue.pop(), Some("honest"));
    }

    #[test]
    fn proven_sources_have_most_turns_new_ones_some_and_failing_ones_few() {
        let mut queue = Queue::default();
        for source in 0..10 {
            for (record, job) in [
                (Record::Proven, "proven"),
                (Record::New, "new"),
                (Record::Failing, "failing"),
            ] {
                queue.push(&share(1, source), record, job);
            }
        }
        let first: Vec<_> = std::iter::from_fn(|| queue.pop()).take(10).collect();
        let count = |name| first.iter().filter(|job| **job == name).count();
        assert_eq!((count("proven"), count("new"), count("failing")), (6, 3, 1));
        assert_eq!(drained(&mut queue).len(), 20, "nobody's turn is lost");
    }

    #[test]
    fn those_ahead_are_those_of_the_same_kind_as_far_as_its_turns_go() {
        let counts = |proven, new, failing| {
            move |record| match record {
                Record::Proven => proven,
                Record::New => new,
                Record::Failing => failing,
            }
        };
        assert_eq!(turns_ahead(Record::New, counts(0, 12, 0)), 12);
        assert_eq!(turns_ahead(Record::Proven, counts(0, 12, 0)), 0);
        assert_eq!(turns_ahead(Record::New, counts(1, 12, 0)), 13);
        assert_eq!(turns_ahead(Record::New, counts(99, 12, 99)), 40);
        assert_eq!(turns_ahead(Record::Proven, counts(6, 99, 99)), 10);
        assert_eq!(turns_ahead(Record::Failing, counts(99, 99, 5)), 50);
    }
}
