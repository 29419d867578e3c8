//! Lists of hundreds of thousands of documents in little memory: as JSON, in compressed blocks.
//!
//! Documents of one list resemble each other (resources of a type, writes of a run), so that a block takes a tenth of its text, and a
//! thirtieth of the values in memory. A short list is not compressed. Most blocks of a long list are in a temporary file
//! ([`overflow_into`]).

mod lines;
mod overflow;

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::{slice, vec};

use lines::{Block, Lines, OWN_TEXT, SEPARATOR, Storage};
use overflow::Overflow;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use overflow::overflow_into;

/// Bytes of JSON in a block: the window of the compression.
const BLOCK: usize = 32 * 1024;

/// Bytes of a list's blocks that are in memory, if further ones can be in a file.
const IN_MEMORY: usize = 1024 * 1024;

/// Documents that are sorted at a time.
const SORTED_AT_ONCE: usize = 2048;

/// A list that a long one is split into to sort it has a block in memory: so many lists at most.
const MOST_SORTED_LISTS: usize = 256;

/// A list of documents of one kind. It is written at its end, and read from its beginning.
pub struct PackedList<T> {
    blocks: Vec<Block>,
    /// The documents of the last block, before it is compressed.
    open: Vec<u8>,
    length: usize,
    /// Bytes of the blocks in memory.
    in_memory: usize,
    /// Where further blocks go.
    overflow: Option<Arc<Overflow>>,
    of: PhantomData<fn(T) -> T>,
}

impl<T> PackedList<T> {
    /// An empty list.
    pub const fn new() -> Self {
        Self { blocks: Vec::new(), open: Vec::new(), length: 0, in_memory: 0, overflow: None, of: PhantomData }
    }

    /// How many documents it has.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds all documents of another list.
    pub fn append(&mut self, other: Self) {
        if self.length == 0 {
            *self = other;
            return;
        }
        if !other.blocks.is_empty() {
            self.close();
        }
        for Block { storage, size } in other.blocks {
            match storage {
                Storage::Memory(bytes) => self.put(&bytes, size),
                Storage::File(_) => self.blocks.push(Block { storage, size }),
            }
        }
        self.open.extend_from_slice(&other.open);
        self.length += other.length;
        if self.open.len() >= BLOCK {
            self.close();
        }
    }

    fn push_line(&mut self, line: &[u8]) {
        self.open.extend_from_slice(line);
        self.open.push(SEPARATOR);
        self.length += 1;
        if self.open.len() >= BLOCK {
            self.close();
        }
    }

    fn close(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        if !open.is_empty() {
            lines::compress(&open, |compressed| self.put(compressed, open.len()));
            open.clear();
        }
        self.open = open;
    }

    /// Adds a compressed block.
    fn put(&mut self, bytes: &[u8], size: usize) {
        let is_too_much = self.in_memory + bytes.len() > IN_MEMORY;
        let extent = if is_too_much { self.overflow().and_then(|overflow| overflow.put(bytes)) } else { None };
        let storage = extent.map_or_else(
            || {
                self.in_memory += bytes.len();
                Storage::Memory(bytes.into())
            },
            Storage::File,
        );
        self.blocks.push(Block { storage, size });
    }

    /// Where further blocks can go.
    fn overflow(&mut self) -> Option<&Arc<Overflow>> {
        if self.overflow.as_ref().is_none_or(|overflow| overflow.is_full()) {
            self.overflow = Overflow::current();
        }
        self.overflow.as_ref()
    }

    fn lines(&self) -> Lines<slice::Iter<'_, Block>, &[u8]> {
        Lines::new(self.blocks.iter(), &self.open)
    }

    /// The lines; a block is dropped when it has been read.
    fn into_lines(self) -> Lines<vec::IntoIter<Block>, Vec<u8>> {
        Lines::new(self.blocks.into_iter(), self.open)
    }
}

impl<T: Serialize> PackedList<T> {
    /// Adds a document.
    ///
    /// # Panics
    /// It cannot be JSON: it has a map with keys that are no texts.
    pub fn push(&mut self, document: &T) {
        serde_json::to_writer(&mut self.open, document).expect("it holds text keys only");
        self.open.push(SEPARATOR);
        self.length += 1;
        if self.open.len() >= BLOCK {
            self.close();
        }
    }
}

impl<T: DeserializeOwned> PackedList<T> {
    /// The documents, in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { lines: self.lines(), left: self.length, of: PhantomData }
    }

    /// Up to `size` documents at a time, in order. The list gets smaller as they are read.
    ///
    /// # Panics
    /// `size` is 0.
    pub fn into_chunks(self, size: usize) -> impl Iterator<Item = Vec<T>> {
        assert!(size > 0, "chunks have at least one document");
        let mut all = self.into_iter();
        std::iter::from_fn(move || Some(all.by_ref().take(size).collect()).filter(|chunk: &Vec<T>| !chunk.is_empty()))
    }

    /// The document at a place.
    #[cfg(test)]
    pub(crate) fn get(&self, at: usize) -> T {
        self.iter().nth(at).expect("the list has it")
    }

    /// Sorts the documents; those with the same key keep their order.
    pub fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        if self.iter().map(|document| key(&document)).is_sorted() {
            return;
        }
        let at_once = SORTED_AT_ONCE.max(self.length / MOST_SORTED_LISTS);
        let empty = || Self { overflow: self.overflow.clone(), ..Self::new() };
        // One list for all parts: separate lists would each keep `IN_MEMORY` bytes in memory.
        let (mut parts, mut ends, sorted) = (empty(), Vec::new(), empty());
        let mut lines = std::mem::replace(self, sorted).into_lines();
        loop {
            let mut part: Vec<(K, Vec<u8>)> = Vec::new();
            while part.len() < at_once
                && let Some(line) = lines.next()
            {
                part.push((key(&read(line)), line.to_vec()));
            }
            if part.is_empty() {
                break;
            }
            part.sort_by(|(one, _), (other, _)| one.cmp(other));
            part.iter().for_each(|(_, line)| parts.push_line(line));
            parts.close();
            ends.push(parts.blocks.len());
        }
        drop(lines);
        let mut blocks = parts.blocks.into_iter();
        let mut first_block = 0;
        let mut next_list = |end: usize| {
            let blocks: Vec<Block> = blocks.by_ref().take(end - std::mem::replace(&mut first_block, end)).collect();
            Lines::new(blocks.into_iter(), Vec::new())
        };
        let mut lists: Vec<_> = ends.into_iter().map(&mut next_list).collect();
        let count = lists.len();
        // The number of the list decides between equal keys; so lines are never compared.
        let mut first: BinaryHeap<Reverse<(K, usize, Vec<u8>)>> = BinaryHeap::new();
        let mut take = |at: usize, first: &mut BinaryHeap<_>| {
            first.extend(lists[at].next().map(|line| Reverse((key(&read(line)), at, line.to_vec()))));
        };
        (0..count).for_each(|at| take(at, &mut first));
        while let Some(Reverse((_, at, line))) = first.pop() {
            self.push_line(&line);
            take(at, &mut first);
        }
    }
}

fn read<T: DeserializeOwned>(line: &[u8]) -> T {
    serde_json::from_slice(line).expect(OWN_TEXT)
}

/// The documents of a list.
pub struct Documents<T, B, O> {
    lines: Lines<B, O>,
    left: usize,
    of: PhantomData<fn() -> T>,
}

/// The documents of a list that stays.
pub type Iter<'l, T> = Documents<T, slice::Iter<'l, Block>, &'l [u8]>;

/// The documents of a list that is not needed any more.
pub type IntoIter<T> = Documents<T, vec::IntoIter<Block>, Vec<u8>>;

impl<T: DeserializeOwned, B: Iterator<Item: Borrow<Block>>, O: AsRef<[u8]>> Iterator for Documents<T, B, O> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let document = read(self.lines.next()?);
        self.left -= 1;
        Some(document)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: DeserializeOwned> IntoIterator for PackedList<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    /// The list gets smaller as its documents are read.
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { left: self.length, lines: self.into_lines(), of: PhantomData }
    }
}

impl<'l, T: DeserializeOwned> IntoIterator for &'l PackedList<T> {
    type Item = T;
    type IntoIter = Iter<'l, T>;

    fn into_iter(self) -> Iter<'l, T> {
        self.iter()
    }
}

impl<T: Serialize> FromIterator<T> for PackedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(documents: I) -> Self {
        let mut list = Self::new();
        list.extend(documents);
        list
    }
}

impl<T: Serialize> Extend<T> for PackedList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, documents: I) {
        documents.into_iter().for_each(|document| self.push(&document));
    }
}

impl<T> Default for PackedList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for PackedList<T> {
    fn clone(&self) -> Self {
        let Self { blocks, open, length, in_memory, overflow, of } = self;
        let (blocks, open, overflow) = (blocks.clone(), open.clone(), overflow.clone());
        Self { blocks, open, length: *length, in_memory: *in_memory, overflow, of: *of }
    }
}

impl<T: DeserializeOwned + PartialEq> PartialEq for PackedList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.iter().eq(other.iter())
    }
}

impl<T: DeserializeOwned + Eq> Eq for PackedList<T> {}

impl<T: DeserializeOwned + fmt::Debug> fmt::Debug for PackedList<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<T, B, O> fmt::Debug for Documents<T, B, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Documents").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + Serialize> Serialize for PackedList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Serialize + Deserialize<'de>> Deserialize<'de> for PackedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Documents<T>(PhantomData<fn() -> T>);

        impl<'de, T: Serialize + Deserialize<'de>> Visitor<'de> for Documents<T> {
            type Value = PackedList<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut documents: A) -> Result<PackedList<T>, A::Error> {
                let mut list = PackedList::new();
                while let Some(document) = documents.next_element::<T>()? {
                    list.push(&document);
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Documents(PhantomData))
    }
}

#[cfg(test)]
mod tests;
