//! Who holds how many places, so that neither one source, nor one client's unknown callers, nor clients without a secret
//! can fill the pool.
//!
//! In eighths of all places. Sources with failures: three together. Sources that have not proven themselves: three each,
//! five a client, six together. A proven source: four while others hold places, and never the last one. Public clients: two
//! together. So a flood of guesses from any number of addresses leaves a quarter to sources that have logged somebody in.

use std::collections::HashMap;

use super::{ClientStanding, Record, Share};

/// Counts of places.
pub(super) struct Places {
    capacity: usize,
    taken: usize,
    public: usize,
    unproven: usize,
    failing: usize,
    sources: HashMap<u64, usize>,
    /// Places of each client's sources that have not proven themselves.
    clients: HashMap<u64, usize>,
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: 0,
            public: 0,
            unproven: 0,
            failing: 0,
            sources: HashMap::new(),
            clients: HashMap::new(),
        }
    }

    /// Takes a place, if the share has one left.
    pub(super) fn take(&mut self, share: &Share, record: Record) -> bool {
        let own = self.sources.get(&share.source).copied().unwrap_or_default();
        let of_client = self.clients.get(&share.client).copied().unwrap_or_default();
        let of_source = match record {
            Record::Proven if self.taken == own => 7,
            Record::Proven => 4,
            Record::New | Record::Failing => 3,
        };
        let public = share.standing == ClientStanding::Public;
        let unproven = record != Record::Proven;
        let failing = record == Record::Failing;
        let full = self.taken >= self.capacity
            || own >= self.eighths(of_source)
            || (public && self.public >= self.eighths(2))
            || (unproven && of_client >= self.eighths(5))
            || (unproven && self.unproven >= self.eighths(6))
            || (failing && self.failing >= self.eighths(3));
        if full {
            return false;
        }
        self.taken += 1;
        self.public += usize::from(public);
        self.failing += usize::from(failing);
        *self.sources.entry(share.source).or_default() += 1;
        if unproven {
            self.unproven += 1;
            *self.clients.entry(share.client).or_default() += 1;
        }
        true
    }

    /// Gives a place back.
    pub(super) fn give_back(&mut self, share: &Share, record: Record) {
        let public = share.standing == ClientStanding::Public;
        self.taken = self.taken.saturating_sub(1);
        self.public = self.public.saturating_sub(usize::from(public));
        self.failing = self
            .failing
            .saturating_sub(usize::from(record == Record::Failing));
        leave(&mut self.sources, share.source);
        if record != Record::Proven {
            self.unproven = self.unproven.saturating_sub(1);
            leave(&mut self.clients, share.client);
        }
    }

    /// Places taken by sources of which this is known.
    pub(super) fn taken_by(&self, record: Record) -> usize {
        match record {
            Record::Proven => self.taken - self.unproven,
            Record::New => self.unproven - self.failing,
            Record::Failing => self.failing,
        }
    }

    /// So many eighths of all places, and at least one.
    fn eighths(&self, number: usize) -> usize {
        (self.capacity * number / 8).max(1)
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}

fn leave(holders: &mut HashMap<u64, usize>, key: u64) {
    if let Some(own) = holders.get_mut(&key) {
        *own = own.saturating_sub(1);
        if *own == 0 {
            holders.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(client: u64, source: u64, standing: ClientStanding) -> Share {
        Share {
            source,
            client,
            standing,
        }
    }

    fn known(client: u64, source: u64) -> Share {
        share(client, source, ClientStanding::Authenticated)
    }

    fn take_all(places: &mut Places, share: &Share, record: Record) -> usize {
        (0..1_000)
            .take_while(|_| places.take(share, record))
            .count()
    }

    /// How many places sources of their own, one each, come to.
    fn take_from_many(places: &mut Places, client: u64, record: Record) -> usize {
        let sources = client * 10_000..client * 10_000 + 1_000;
        sources
            .take_while(|source| places.take(&known(client, *source), record))
            .count()
    }

    #[test]
    fn one_source_leaves_room_for_others() {
        let mut places = Places::new(80);
        let busy = known(1, 1);
        assert_eq!(take_all(&mut places, &busy, Record::Proven), 70);
        assert_eq!(take_all(&mut places, &known(1, 2), Record::Proven), 10);
        for _ in 0..31 {
            places.give_back(&busy, Record::Proven);
        }
        assert_eq!(
            take_all(&mut places, &busy, Record::Proven),
            1,
            "half, while others hold places"
        );
        let mut places = Places::new(80);
        assert_eq!(take_all(&mut places, &known(1, 3), Record::New), 30);
        assert_eq!(take_all(&mut places, &known(1, 4), Record::Failing), 20);
    }

    #[test]
    fn any_number_of_unknown_sources_leaves_room_for_proven_ones_and_for_other_clients() {
        let mut places = Places::new(80);
        assert_eq!(take_from_many(&mut places, 1, Record::New), 50);
        assert_eq!(take_from_many(&mut places, 2, Record::New), 10);
        assert_eq!(take_from_many(&mut places, 3, Record::Proven), 20);
    }

    #[test]
    fn sources_with_failures_leave_room_for_new_ones() {
        let mut places = Places::new(80);
        assert_eq!(take_from_many(&mut places, 1, Record::Failing), 30);
        assert_eq!(take_from_many(&mut places, 2, Record::Failing), 0);
        assert_eq!(take_from_many(&mut places, 1, Record::New), 20);
    }

    #[test]
    fn public_clients_have_a_quarter_together() {
        let mut places = Places::new(80);
        let taken: usize = (0..10)
            .map(|number| share(number, number, ClientStanding::Public))
            .map(|public| take_all(&mut places, &public, Record::Proven))
            .sum();
        assert_eq!(taken, 20);
        assert!(places.take(&known(99, 99), Record::Proven));
    }

    #[test]
    fn nothing_is_left_of_places_given_back() {
        let mut places = Places::new(8);
        let some = share(1, 1, ClientStanding::Public);
        for record in [Record::Proven, Record::New, Record::Failing] {
            assert!(places.take(&some, record));
            places.give_back(&some, record);
        }
        assert!(places.sources.is_empty() && places.clients.is_empty());
        let counts = (places.taken, places.public, places.unproven, places.failing);
        assert_eq!(counts, (0, 0, 0, 0));
    }
}
