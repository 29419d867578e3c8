//! Pairs of numbers, sorted on disk where they are many: memory does not grow with their number.
//!
//! Many pairs are sorted in memory and written as one run, into a temporary database that SQLite keeps on disk. The runs are merged
//! while they are read, some blocks of each at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::{Connection, params};

use super::super::StoreError;
use super::sorter::temporary;

/// Pairs that are sorted in memory: 2 MB.
const AT_ONCE: usize = 1 << 17;

/// Pairs of a run that are read at once: 16 KB.
const BLOCK: usize = 1 << 10;

/// The cache of the temporary database, in KiB: blocks are written and read in order.
const CACHE_KIB: i64 = 1024;

/// Two numbers.
pub(super) type Pair = (u64, u64);

/// Pairs to sort.
#[derive(Debug)]
pub(super) struct Pairs {
    held: Vec<Pair>,
    disk: Option<Connection>,
    runs: i64,
    at_once: usize,
}

impl Default for Pairs {
    fn default() -> Self {
        Self::of_runs(AT_ONCE)
    }
}

impl Pairs {
    fn of_runs(at_once: usize) -> Self {
        Self { held: Vec::new(), disk: None, runs: 0, at_once }
    }

    pub(super) fn add(&mut self, pair: Pair) -> Result<(), StoreError> {
        self.held.push(pair);
        if self.held.len() < self.at_once { Ok(()) } else { self.write_run() }
    }

    fn write_run(&mut self) -> Result<(), StoreError> {
        self.sort_held();
        let disk = match self.disk.take() {
            Some(disk) => disk,
            None => temporary(
                CACHE_KIB,
                "CREATE TABLE blocks (run INTEGER, block INTEGER, pairs BLOB, PRIMARY KEY (run, block))",
            )?,
        };
        let disk = self.disk.insert(disk);
        let mut insert = disk.prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3)")?;
        for (block, pairs) in (0_i64..).zip(self.held.chunks(BLOCK)) {
            let bytes: Vec<u8> = pairs
                .iter()
                .flat_map(|(first, second)| [first.to_le_bytes(), second.to_le_bytes()])
                .flatten()
                .collect();
            insert.execute(params![self.runs, block, bytes])?;
        }
        drop(insert);
        self.held.clear();
        self.runs += 1;
        Ok(())
    }

    fn sort_held(&mut self) {
        self.held.sort_unstable();
        self.held.dedup();
    }

    /// All pairs in ascending order, each once.
    pub(super) fn sorted(mut self) -> Result<Sorted, StoreError> {
        self.sort_held();
        let last = Run { number: self.runs, block: 0, pairs: std::mem::take(&mut self.held), at: 0, is_held: true };
        let of_disk = (0..self.runs).map(|number| Run { number, block: 0, pairs: Vec::new(), at: 0, is_held: false });
        let mut sorted = Sorted { runs: of_disk.chain([last]).collect(), disk: self.disk, next: BinaryHeap::new() };
        for run in 0..sorted.runs.len() {
            sorted.advance(run)?;
        }
        Ok(sorted)
    }
}

/// Pairs in ascending order.
#[derive(Debug)]
pub(super) struct Sorted {
    disk: Option<Connection>,
    runs: Vec<Run>,
    /// The next pair of each run.
    next: BinaryHeap<Reverse<(Pair, usize)>>,
}

/// A sorted part of the pairs.
#[derive(Debug)]
struct Run {
    number: i64,
    /// The next block to read.
    block: i64,
    pairs: Vec<Pair>,
    at: usize,
    /// Whether all its pairs are in memory.
    is_held: bool,
}

impl Sorted {
    /// The next pair without reading it.
    pub(super) fn peek(&self) -> Option<Pair> {
        self.next.peek().map(|Reverse((pair, _))| *pair)
    }

    pub(super) fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        let Some(Reverse((pair, run))) = self.next.pop() else { return Ok(None) };
        self.advance(run)?;
        while let Some(Reverse((again, run))) = self.next.peek().copied().filter(|Reverse((next, _))| *next == pair) {
            debug_assert_eq!(again, pair);
            self.next.pop();
            self.advance(run)?;
        }
        Ok(Some(pair))
    }

    /// The second number of the next pair, if its first is this one.
    pub(super) fn next_of(&mut self, first: u64) -> Result<Option<u64>, StoreError> {
        let is_of_first = self.peek().is_some_and(|(next, _)| next == first);
        Ok(if is_of_first { self.next()?.map(|(_, second)| second) } else { None })
    }

    fn advance(&mut self, run: usize) -> Result<(), StoreError> {
        let of_run = &mut self.runs[run];
        if of_run.at == of_run.pairs.len() && !of_run.is_held {
            of_run.read_block(self.disk.as_ref())?;
        }
        if let Some(pair) = of_run.pairs.get(of_run.at) {
            self.next.push(Reverse((*pair, run)));
            of_run.at += 1;
        }
        Ok(())
    }
}

impl Run {
    /// Leaves no pairs at the end.
    fn read_block(&mut self, disk: Option<&Connection>) -> Result<(), StoreError> {
        self.pairs.clear();
        self.at = 0;
        let Some(disk) = disk else { return Ok(()) };
        let mut select = disk.prepare_cached("SELECT pairs FROM blocks WHERE run = ?1 AND block = ?2")?;
        let mut rows = select.query([self.number, self.block])?;
        if let Some(row) = rows.next()? {
            let (numbers, _) = row.get_ref(0)?.as_blob().unwrap_or_default().as_chunks::<8>();
            let number = |at: usize| u64::from_le_bytes(numbers[at]);
            self.pairs.extend((0..numbers.len() / 2).map(|at| (number(2 * at), number(2 * at + 1))));
        }
        self.block += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_all_runs_are_in_order_and_once() {
        for at_once in [3, 2500, AT_ONCE] {
            let mut pairs = Pairs::of_runs(at_once);
            let mut expected = std::collections::BTreeSet::new();
            let mut number = 1_u64;
            for _ in 0..5000 {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let pair = (number >> 55, number >> 60);
                expected.insert(pair);
                pairs.add(pair).unwrap();
            }
            let mut sorted = pairs.sorted().unwrap();
            let found: Vec<Pair> = std::iter::from_fn(|| sorted.next().unwrap()).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_pairs_are_none() {
        assert_eq!(Pairs::default().sorted().unwrap().next().unwrap(), None);
    }
}
