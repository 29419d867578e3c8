//! Groups of events that share names, directly or through others. What grows with the number of events is on disk ([`Pairs`]).
//!
//! Two events with the same name are an edge of a graph, and a group is a connected component of it. Each round joins a node to the lowest
//! number that it or a neighbor has an edge to, until each group is a star around its lowest number: the large-star and small-star steps of
//! "Connected Components in MapReduce and Beyond", <https://doi.org/10.1145/2670979.2670997>. Nearly all groups are stars from the beginning.

use super::super::StoreError;
use super::pairs::{Pairs, Sorted};

const BITS: usize = u64::BITS as usize;

/// Marks an event that has a name only as one that several resources can have. Larger than each number: in the order of pairs, the
/// others come first.
const LABEL: u64 = 1 << 63;

/// A bit for each number. The largest number that was set decides how many.
#[derive(Debug, Default)]
pub(in crate::store) struct Bits(Vec<u64>);

impl Bits {
    pub(in crate::store) fn set(&mut self, at: usize) {
        if self.0.len() <= at / BITS {
            self.0.resize(at / BITS + 1, 0);
        }
        self.0[at / BITS] |= 1 << (at % BITS);
    }

    pub(in crate::store) fn has(&self, at: usize) -> bool {
        self.0.get(at / BITS).is_some_and(|bits| bits & (1 << (at % BITS)) != 0)
    }
}

/// The names of events, by hash. Hashes that collide make larger groups.
#[derive(Debug, Default)]
pub(super) struct Groups(Pairs);

impl Groups {
    /// Adds a name of an event. `is_label`: several resources can have it, so it joins only events that another event has as its own.
    pub(super) fn add(&mut self, name: u64, number: u64, is_label: bool) -> Result<(), StoreError> {
        self.0.add((name, if is_label { number | LABEL } else { number }))
    }

    /// The numbers of events that are not alone, ascending, each with the number of its group.
    pub(super) fn members(self) -> Result<Sorted, StoreError> {
        let mut edges = Pairs::default();
        let mut names = self.0.sorted()?;
        while let Some((name, first)) = names.next()? {
            while let Some(other) = names.next_of(name)? {
                let (one, other) = (first & !LABEL, other & !LABEL);
                if first & LABEL == 0 && one != other {
                    edges.add((one.max(other), one.min(other)))?;
                }
            }
        }
        let mut stars = stars(edges)?;
        let mut members = Pairs::default();
        while let Some((member, center)) = stars.next()? {
            members.add((member, center))?;
            members.add((center, center))?;
        }
        members.sorted()
    }
}

/// Edges from each node to the lowest of its group. An edge has the higher number first.
fn stars(mut edges: Pairs) -> Result<Sorted, StoreError> {
    loop {
        let (large, is_large_changed) = large_star(edges)?;
        let (small, is_small_changed) = small_star(large)?;
        if !is_large_changed && !is_small_changed {
            return small.sorted();
        }
        edges = small;
    }
}

/// Joins the higher neighbors of each node to the lowest of its neighbors and itself. Returns whether that changed an edge.
fn large_star(edges: Pairs) -> Result<(Pairs, bool), StoreError> {
    let mut both = Pairs::default();
    let mut edges = edges.sorted()?;
    while let Some((high, low)) = edges.next()? {
        both.add((high, low))?;
        both.add((low, high))?;
    }
    drop(edges);
    let (mut joined, mut is_changed) = (Pairs::default(), false);
    let mut both = both.sorted()?;
    while let Some((node, lowest)) = both.next()? {
        let mut neighbor = Some(lowest);
        while let Some(other) = neighbor {
            if other > node {
                joined.add((other, lowest.min(node)))?;
                is_changed |= lowest < node;
            }
            neighbor = both.next_of(node)?;
        }
    }
    Ok((joined, is_changed))
}

/// Joins each node and its lower neighbors to the lowest of these.
fn small_star(edges: Pairs) -> Result<(Pairs, bool), StoreError> {
    let (mut joined, mut is_changed) = (Pairs::default(), false);
    let mut edges = edges.sorted()?;
    while let Some((node, lowest)) = edges.next()? {
        joined.add((node, lowest))?;
        while let Some(other) = edges.next_of(node)? {
            joined.add((other, lowest))?;
            is_changed = true;
        }
    }
    Ok((joined, is_changed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn members(names: &[(u64, u64, bool)]) -> Vec<(u64, u64)> {
        let mut groups = Groups::default();
        names.iter().for_each(|&(name, number, is_label)| groups.add(name, number, is_label).unwrap());
        let mut members = groups.members().unwrap();
        std::iter::from_fn(|| members.next().unwrap()).collect()
    }

    #[test]
    fn events_with_a_name_in_common_are_one_group() {
        assert_eq!(
            members(&[(7, 1, false), (7, 4, false), (8, 4, false), (8, 3, false), (9, 2, false)]),
            [(1, 1), (3, 1), (4, 1)]
        );
    }

    #[test]
    fn a_label_joins_only_to_what_has_it_as_its_own() {
        assert_eq!(members(&[(7, 1, true), (7, 2, true)]), []);
        assert_eq!(members(&[(7, 1, true), (7, 2, true), (7, 3, false)]), [(1, 1), (2, 1), (3, 1)]);
        assert_eq!(members(&[(7, 1, true), (7, 1, false)]), []);
    }

    /// The same by union and find in memory.
    fn expected(names: &[(u64, u64, bool)]) -> Vec<(u64, u64)> {
        let numbers = names.iter().map(|(_, number, _)| *number);
        let mut groups: BTreeMap<u64, u64> = numbers.clone().zip(numbers).collect();
        for (name, number, _) in names {
            for (_, other, _) in names.iter().filter(|(other, ..)| other == name) {
                let (one, other) = (groups[number], groups[other]);
                groups.values_mut().filter(|group| **group == one.max(other)).for_each(|group| *group = one.min(other));
            }
        }
        let size = |of: u64| groups.values().filter(|group| **group == of).count();
        groups.iter().filter(|(_, group)| size(**group) > 1).map(|(number, group)| (*number, *group)).collect()
    }

    #[test]
    fn groups_are_those_of_union_and_find() {
        let mut seed = 1_u64;
        let mut random = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        for round in 0..300 {
            let most = 2 + round / 5;
            let names: Vec<_> = (0..most).map(|_| (random(most), random(most), false)).collect();
            assert_eq!(members(&names), expected(&names), "{names:?}");
        }
        let chain: Vec<_> = (0..200).flat_map(|at| [(at, 199 - at, false), (at, 198 - at.min(198), false)]).collect();
        assert_eq!(members(&chain), expected(&chain));
    }
}
