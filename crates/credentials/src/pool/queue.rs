//! A queue with fair turns: by what is known of the source, then round robin over clients, within a client over sources,
//! within a source in order.
//!
//! Of ten turns, proven sources have six, new ones three and failing ones one; a turn that nobody needs goes to the next.
//! A source with a thousand jobs delays another of its kind by one job; only a job that has waited long comes before those
//! whose turn it is, so that newcomers cannot push it on for ever. Bounded by the places that jobs hold.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use super::{Record, Share};

/// Whose turn it is, over and over.
const TURNS: [Record; 10] = {
    use Record::{Failing as F, New as N, Proven as P};
    [P, N, P, P, N, P, F, P, N, P]
};

/// How many turns pass until so many of this kind have had theirs, were all others to use each of their own. Those who
/// come later may do so; a wait that counts on their staying away is no promise.
pub(super) fn turns_for(record: Record, many: usize) -> usize {
    let own = TURNS.iter().filter(|turn| **turn == record).count();
    (many * TURNS.len()).div_ceil(own)
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
    clients: Turns<u64, Turns<u64, VecDeque<(u64, J)>>>,
    /// Every job in the order of arrival, with whose it is.
    arrivals: BTreeMap<u64, (Instant, Share)>,
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
            arrivals: BTreeMap::new(),
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
        [&self.proven, &self.new, &self.failing]
            .iter()
            .map(|kind| kind.arrivals.len())
            .sum()
    }

    /// Numbers rise with every job.
    pub(super) fn push(&mut self, share: &Share, record: Record, number: u64, at: Instant, job: J) {
        let kind = self.kind_mut(record);
        let client = kind.clients.lane(share.client);
        client.lane(share.source).push_back((number, job));
        kind.arrivals.insert(number, (at, *share));
    }

    /// Takes out a job before its turn.
    pub(super) fn remove(&mut self, record: Record, number: u64) -> Option<J> {
        self.kind_mut(record).remove(number)
    }

    /// The job whose turn it is: of its kind the oldest, where that came before `long_ago`.
    pub(super) fn pop(&mut self, long_ago: Option<Instant>) -> Option<J> {
        let turns = TURNS.iter().cycle().skip(self.turn).take(TURNS.len());
        for (passed, record) in turns.enumerate() {
            if let Some(job) = self.kind_mut(*record).pop(long_ago) {
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
    fn pop(&mut self, long_ago: Option<Instant>) -> Option<J> {
        let (&oldest, &(at, _)) = self.arrivals.first_key_value()?;
        if long_ago.is_some_and(|long_ago| at <= long_ago) {
            return self.remove(oldest);
        }
        let (number, job) = self.clients.turn(
            |client| client.turn(VecDeque::pop_front, VecDeque::is_empty),
            |client| client.order.is_empty(),
        )?;
        self.arrivals.remove(&number);
        Some(job)
    }

    fn remove(&mut self, number: u64) -> Option<J> {
        let (_, share) = self.arrivals.remove(&number)?;
        let client = self.clients.lanes.get_mut(&share.client)?;
        let source = client.lanes.get_mut(&share.source)?;
        let at = source.iter().position(|(other, _)| *other == number)?;
        let (_, job) = source.remove(at)?;
        if source.is_empty() {
            client.close(share.source);
        }
        if client.order.is_empty() {
            self.clients.close(share.client);
        }
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
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::ClientStanding;
    use crate::pool::monotonic;

    fn share(client: u64, source: u64) -> Share {
        Share {
            source,
            client,
            standing: ClientStanding::Authenticated,
        }
    }

    fn drained(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop(None)).collect()
    }

    fn push(
        queue: &mut Queue<&'static str>,
        share: &Share,
        record: Record,
        job: &'static str,
    ) -> u64 {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::SeqCst);
        queue.push(share, record, number, monotonic(), job);
        number
    }

    #[test]
    fn clients_then_sources_take_turns() {
        let mut queue = Queue::default();
        for job in ["a1-1", "a1-2", "a1-3"] {
            push(&mut queue, &share(1, 1), Record::New, job);
        }
        push(&mut queue, &share(1, 2), Record::New, "a2-1");
        push(&mut queue, &share(2, 1), Record::New, "b1-1");
        push(&mut queue, &share(2, 1), Record::New, "b1-2");
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
        let numbers = [(1, "1-1"), (2, "2-1"), (1, "1-2")]
            .map(|(source, job)| push(&mut queue, &share(1, source), Record::New, job));
        let other = push(&mut queue, &share(2, 1), Record::New, "b");
        assert_eq!(queue.remove(Record::Proven, numbers[0]), None);
        assert_eq!(queue.remove(Record::New, numbers[0]), Some("1-1"));
        assert_eq!(queue.remove(Record::New, numbers[0]), None);
        assert_eq!(queue.remove(Record::New, numbers[1]), Some("2-1"));
        assert_eq!(queue.remove(Record::New, other), Some("b"));
        assert_eq!(queue.len(), 1);
        assert_eq!(drained(&mut queue), ["1-2"]);
        assert!(queue.new.clients.lanes.is_empty() && queue.new.clients.order.is_empty());
    }

    #[test]
    fn a_job_that_has_waited_long_comes_before_newcomers() {
        let mut queue = Queue::default();
        let source = share(1, 1);
        for job in ["first", "second"] {
            push(&mut queue, &source, Record::New, job);
        }
        assert_eq!(queue.pop(None), Some("first"));
        let then = monotonic();
        for source in 2..5 {
            push(&mut queue, &share(1, source), Record::New, "newcomer");
        }
        push(&mut queue, &share(1, 9), Record::Proven, "proven");
        assert_eq!(queue.pop(Some(then)), Some("proven"), "turns of kinds stay");
        assert_eq!(queue.pop(Some(then)), Some("second"));
        assert_eq!(drained(&mut queue), ["newcomer"; 3]);
    }

    #[test]
    fn a_flood_delays_a_newcomer_by_one_job() {
        let mut queue = Queue::default();
        for _ in 0..1_000 {
            push(&mut queue, &share(1, 1), Record::New, "flood");
        }
        push(&mut queue, &share(1, 2), Record::New, "honest");
        assert_eq!(queue.pop(None), Some("flood"));
        assert_eq!(queue.pop(None), Some("honest"));
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
                push(&mut queue, &share(1, source), record, job);
            }
        }
        let first: Vec<_> = std::iter::from_fn(|| queue.pop(None)).take(10).collect();
        let count = |name| first.iter().filter(|job| **job == name).count();
        assert_eq!((count("proven"), count("new"), count("failing")), (6, 3, 1));
        assert_eq!(drained(&mut queue).len(), 20, "nobody's turn is lost");
    }

    #[test]
    fn a_kind_counts_on_its_own_turns_alone() {
        assert_eq!(turns_for(Record::Proven, 0), 0);
        assert_eq!(turns_for(Record::Proven, 6), 10);
        assert_eq!(turns_for(Record::New, 12), 40);
        assert_eq!(turns_for(Record::Failing, 5), 50);
    }
}
