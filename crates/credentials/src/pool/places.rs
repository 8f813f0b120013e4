//! Who holds how many places, so that neither one source nor clients without a secret can fill the pool.
//!
//! One source: at most half while others hold places, and never the last eighth. Public clients: a quarter together.

use std::collections::HashMap;

use super::{ClientStanding, Share};

/// Counts of places.
pub(super) struct Places {
    capacity: usize,
    taken: usize,
    public: usize,
    sources: HashMap<u64, usize>,
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: 0,
            public: 0,
            sources: HashMap::new(),
        }
    }

    /// Takes a place, if the share has one left.
    pub(super) fn take(&mut self, share: &Share) -> bool {
        let own = self.sources.get(&share.source).copied().unwrap_or_default();
        let others = self.taken - own;
        let bound = if others > 0 {
            self.capacity / 2
        } else {
            self.capacity - self.capacity.div_ceil(8)
        };
        let public = share.standing == ClientStanding::Public;
        let full = self.taken >= self.capacity
            || own >= bound.max(1)
            || (public && self.public >= self.public_bound());
        if full {
            return false;
        }
        self.taken += 1;
        self.public += usize::from(public);
        *self.sources.entry(share.source).or_default() += 1;
        true
    }

    /// Gives a place back.
    pub(super) fn give_back(&mut self, share: &Share) {
        self.taken = self.taken.saturating_sub(1);
        self.public = self
            .public
            .saturating_sub(usize::from(share.standing == ClientStanding::Public));
        if let Some(own) = self.sources.get_mut(&share.source) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.sources.remove(&share.source);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    fn public_bound(&self) -> usize {
        (self.capacity / 4).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(source: u64, standing: ClientStanding) -> Share {
        Share {
            source,
            client: 1,
            standing,
        }
    }

    fn take_all(places: &mut Places, share: &Share) -> usize {
        (0..1_000).take_while(|_| places.take(share)).count()
    }

    #[test]
    fn one_source_leaves_room_for_others() {
        let mut places = Places::new(80);
        let hostile = share(1, ClientStanding::Authenticated);
        assert_eq!(take_all(&mut places, &hostile), 70);
        assert_eq!(
            take_all(&mut places, &share(2, ClientStanding::Authenticated)),
            10
        );
        for _ in 0..31 {
            places.give_back(&hostile);
        }
        assert_eq!(
            take_all(&mut places, &hostile),
            1,
            "half, while others hold places"
        );
    }

    #[test]
    fn public_clients_have_a_quarter_together() {
        let mut places = Places::new(80);
        let taken: usize = (0..10)
            .map(|source| take_all(&mut places, &share(source, ClientStanding::Public)))
            .sum();
        assert_eq!(taken, 20);
        assert!(places.take(&share(99, ClientStanding::Authenticated)));
    }

    #[test]
    fn nothing_is_left_of_places_given_back() {
        let mut places = Places::new(8);
        let some = share(1, ClientStanding::Public);
        assert!(places.take(&some));
        places.give_back(&some);
        assert!(places.sources.is_empty());
        assert_eq!((places.taken, places.public), (0, 0));
    }
}
