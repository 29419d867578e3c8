//! Sets of hashes in memory of a bounded size. All err in one direction: they find more in common than there is.

/// The largest number of hashes with a place of their own, as a power of two: 64 MB for [`Seen`].
const MOST_COUNTED: usize = 1 << 28;

/// The same for [`Groups`], which takes 128 MB then.
const MOST_GROUPED: usize = 1 << 25;

/// Places for each event: few collide.
const PLACES_PER_EVENT: usize = 8;

const BITS: usize = u64::BITS as usize;

fn places(rows: usize, most: usize) -> usize {
    rows.saturating_mul(PLACES_PER_EVENT).checked_next_power_of_two().unwrap_or(most).clamp(BITS, most)
}

/// A bit for each number.
#[derive(Debug)]
pub(in crate::store) struct Bits(Vec<u64>);

impl Bits {
    pub(in crate::store) fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(BITS)])
    }

    pub(in crate::store) fn set(&mut self, at: usize) {
        self.0[at / BITS] |= 1 << (at % BITS);
    }

    pub(in crate::store) fn has(&self, at: usize) -> bool {
        self.0[at / BITS] & (1 << (at % BITS)) != 0
    }
}

/// Which hashes were added more than once.
#[derive(Debug)]
pub(super) struct Seen {
    once: Bits,
    twice: Bits,
    places: usize,
}

impl Seen {
    pub(super) fn for_rows(rows: usize) -> Self {
        Self::with_places(places(rows, MOST_COUNTED))
    }

    fn with_places(places: usize) -> Self {
        Self { once: Bits::new(places), twice: Bits::new(places), places }
    }

    pub(super) fn add(&mut self, hash: u64) {
        let at = place(hash, self.places);
        if self.once.has(at) {
            self.twice.set(at);
        }
        self.once.set(at);
    }

    pub(super) fn is_shared(&self, hash: u64) -> bool {
        self.twice.has(place(hash, self.places))
    }
}

/// Groups of hashes that are joined.
#[derive(Debug)]
pub(super) struct Groups(Vec<u32>);

impl Groups {
    pub(super) fn for_rows(rows: usize) -> Self {
        let places = u32::try_from(places(rows, MOST_GROUPED)).expect("the largest number fits");
        Self((0..places).collect())
    }

    pub(super) fn join(&mut self, one: u64, other: u64) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[other as usize] = one;
    }

    /// The number of a hash's group.
    pub(super) fn of(&mut self, hash: u64) -> u32 {
        let mut at = place(hash, self.0.len());
        while self.0[at] as usize != at {
            let next = self.0[at] as usize;
            self.0[at] = self.0[next];
            at = next;
        }
        u32::try_from(at).expect("the largest number fits")
    }
}

/// `places` is a power of two.
fn place(hash: u64, places: usize) -> usize {
    usize::try_from(hash & (places as u64 - 1)).expect("it is less than the number of places")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_was_added_twice_is_shared() {
        let mut seen = Seen::for_rows(10);
        [1, 2, 2].into_iter().for_each(|hash| seen.add(hash));
        assert_eq!([1, 2, 3].map(|hash| seen.is_shared(hash)), [false, true, false]);
    }

    #[test]
    fn what_is_joined_is_one_group() {
        let mut groups = Groups::for_rows(10);
        groups.join(1, 2);
        groups.join(3, 4);
        groups.join(4, 1);
        assert!([2, 3, 4].into_iter().all(|hash| groups.of(hash) == groups.of(1)));
        assert_ne!(groups.of(5), groups.of(1));
    }
}
