//! Finds the blocks of a list in which a record may begin or end, or may have one of the keys, from the bitmaps of the blocks:
//! strings with their escapes are tracked from the first byte, so that nothing inside of one is looked at, and brackets are counted.
//!
//! Most blocks are deep inside a record, where no bracket of the block can end it. In these, brackets are only counted.

use super::{BLOCK, Bits, Classify};
use crate::trail::scan::keys::Pattern;

/// The number of blocks to walk at once, at most.
pub(in crate::trail::scan) const CHUNK: usize = 64;

/// The index of the first block in the bitmaps of a chunk: they begin with a line of the cache, so that no vector is in two lines. Right before
/// the first block is the last one of the chunk before.
#[cfg(target_arch = "x86_64")]
pub(super) const FIRST: usize = BITMAP - CHUNK;

/// The size of a bitmap of [`ChunkBits`].
const BITMAP: usize = CHUNK + 8;

/// Even bits.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// What is outside of strings in the blocks of a chunk.
///
/// Lines of a processor's cache have 64 bytes. The fields are in the order that keeps all arrays aligned.
#[derive(Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(in crate::trail::scan) struct Marks {
    /// The number of open brackets before each block.
    pub(in crate::trail::scan) depths: [i64; CHUNK],
    /// `{`, `[`
    pub(in crate::trail::scan) opens: [u64; CHUNK],
    /// `}`, `]`
    pub(in crate::trail::scan) closes: [u64; CHUNK],
    /// The closing quotes of possible keys, and the characters after backslashes.
    pub(in crate::trail::scan) strings: [u64; CHUNK],
    /// For implementations that classify a whole chunk first.
    pub(in crate::trail::scan) bits: ChunkBits,
    /// The blocks to look at, one bit each. The arrays have a meaning only for these.
    pub(in crate::trail::scan) blocks: u64,
    /// Something unusual follows the last mark.
    pub(in crate::trail::scan) is_unusual: bool,
}

/// Three bitmaps of each block of a chunk. What they mean is the implementation's own.
pub(in crate::trail::scan) type ChunkBits = [[u64; BITMAP]; 3];

impl Marks {
    pub(in crate::trail::scan) fn new() -> Self {
        let (opens, closes, strings) = ([0; _], [0; _], [0; _]);
        Self { depths: [0; _], opens, closes, strings, bits: [[0; _]; _], blocks: 0, is_unusual: false }
    }

    /// Counts the brackets of a block whose other marks are known. `depth`: the number of open brackets before it. Returns the number after it,
    /// and whether the block is one to look at.
    #[inline(always)]
    pub(super) fn count(&mut self, index: usize, depth: i64) -> (i64, bool) {
        self.depths[index] = depth;
        // The lowest depth that is possible in the block. At depth 1, a record has its own strings; below, it begins or ends.
        let lowest = depth.wrapping_sub(i64::from(self.closes[index].count_ones()));
        let is_marked = lowest <= i64::from(self.strings[index] != 0);
        (lowest.wrapping_add(i64::from(self.opens[index].count_ones())), is_marked)
    }

    /// Ends the marks of the block with this index before the first of some characters.
    #[cold]
    pub(in crate::trail::scan) fn end_before(&mut self, index: usize, characters: u64) {
        let kept = (1 << characters.trailing_zeros()) - 1;
        for bits in [&mut self.opens, &mut self.closes, &mut self.strings] {
            bits[index] &= kept;
        }
        self.blocks &= (1 << index) - 1;
        self.blocks |= 1 << index;
        self.is_unusual = true;
    }
}

/// The state between two blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trail::scan) struct State {
    /// All bits if the previous block ended in a string.
    pub(in crate::trail::scan) in_string: u64,
    /// 1 if it ended with a backslash that escapes the next character.
    pub(in crate::trail::scan) escapes: u64,
    /// All quotes, also those with a backslash before them.
    pub(in crate::trail::scan) quotes: u64,
    /// The characters that can precede a string, and the marks of keys.
    pub(in crate::trail::scan) leads: u64,
    /// The number of open brackets.
    pub(in crate::trail::scan) depth: i64,
}

/// Marks the next blocks at the beginning of `json`, at most `blocks`. An incomplete last block is padded with spaces.
pub(in crate::trail::scan) struct Collect<'a> {
    pub(in crate::trail::scan) state: &'a mut State,
    pub(in crate::trail::scan) json: &'a [u8],
    pub(in crate::trail::scan) blocks: usize,
    pub(in crate::trail::scan) pattern: Pattern<'a>,
    pub(in crate::trail::scan) marks: &'a mut Marks,
}

impl Collect<'_> {
    /// Marks the blocks one after the other.
    #[inline(always)]
    pub(super) fn walk(self, classify: impl Classify) {
        let Self { json, blocks, pattern, marks, .. } = self;
        let mut state = *self.state;
        (marks.blocks, marks.is_unusual) = (0, false);
        let (whole, rest) = json.as_chunks::<BLOCK>();
        let whole = &whole[..whole.len().min(blocks)];
        for (index, block) in whole.iter().enumerate() {
            let bits = classify.bits(block, pattern.mark());
            if !state.add(classify, &bits, pattern, index, marks) {
                return;
            }
        }
        if whole.len() < blocks && !rest.is_empty() {
            let mut last = [b' '; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            let bits = classify.bits(&last, pattern.mark());
            state.add(classify, &bits, pattern, whole.len(), marks);
        }
        *self.state = state;
    }
}

impl State {
    /// After a list's `[` or an element, outside of strings.
    pub(in crate::trail::scan) fn new() -> Self {
        Self { in_string: 0, escapes: 0, quotes: 0, leads: u64::MAX, depth: 0 }
    }

    /// Adds the marks of the block with this index in its chunk. Returns whether nothing unusual follows them.
    #[inline(always)]
    fn add(
        &mut self,
        classify: impl Classify,
        bits: &Bits,
        pattern: Pattern<'_>,
        index: usize,
        marks: &mut Marks,
    ) -> bool {
        let index = index % CHUNK;
        let escaped;
        (escaped, self.escapes) = escapes(bits.backslashes, self.escapes);
        let quotes = bits.quotes & !escaped;
        // From each opening quote to before its closing one.
        let inside = classify.prefix_parity(quotes) ^ self.in_string;
        let lead = bits.leads << 1 | self.leads >> (u64::BITS - 1);
        let unusual = quotes & inside & !lead | bits.backslashes & !inside;
        let keys_end = quotes & !inside & pattern.candidates([bits.quotes, self.quotes], [bits.leads, self.leads]);
        marks.opens[index] = bits.opens & !inside;
        marks.closes[index] = bits.closes & !inside;
        marks.strings[index] = keys_end | escaped;
        let (depth, is_marked) = marks.count(index, self.depth);
        marks.blocks |= u64::from(is_marked) << index;
        if unusual != 0 {
            marks.end_before(index, unusual);
            return false;
        }
        self.in_string = (inside.cast_signed() >> (u64::BITS - 1)).cast_unsigned();
        self.quotes = bits.quotes;
        self.leads = bits.leads;
        self.depth = depth;
        true
    }
}

/// The characters of a block after a backslash that is not escaped itself, and 1 if the next block begins with one. `open`: whether this
/// block does.
#[inline(always)]
pub(in crate::trail::scan) fn escapes(backslashes: u64, open: u64) -> (u64, u64) {
    if backslashes == 0 {
        return (open, 0);
    }
    let unescaped = backslashes & !open;
    let follows = unescaped << 1 | open;
    // For runs of backslashes that begin at an odd bit, an addition carries through the run to the bit after it.
    let odd_starts = unescaped & !EVEN & !follows;
    let (after_runs, overflows) = odd_starts.overflowing_add(unescaped);
    ((EVEN ^ (after_runs << 1)) & follows, u64::from(overflows))
}
