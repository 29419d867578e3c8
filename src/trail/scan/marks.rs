//! Finds the bytes of a list that decide where its records begin and end and what keys they have, from the bitmaps of its blocks:
//! strings with their escapes are tracked from the first byte, so that nothing inside of one is looked at.
//!
//! The positions are collected for many blocks at once. What is done with them then depends on the bytes only, and not on how many of
//! them each block happens to have, which no processor predicts.

use super::blocks::{BLOCK, Bits, Classify, Walk};
use super::keys::Pattern;

/// The number of blocks to collect marks of at once. A larger buffer only takes longer to clear for each list.
pub(super) const CHUNK: usize = 32;

/// The marks of a block that are stored without counting them first. Most blocks have fewer.
const USUAL: usize = 4;

/// Even bits.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// The positions to look at in some blocks, in order: brackets outside of strings, closing quotes of possible keys, and the `u` of
/// escapes.
pub(super) struct Marks {
    offsets: [u16; (CHUNK + 1) * BLOCK],
    length: usize,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self { offsets: [0; _], length: 0 }
    }

    /// The offsets from the first of the blocks.
    #[inline(always)]
    pub(super) fn offsets(&self) -> &[u16] {
        &self.offsets[..self.length]
    }

    /// Adds the marks of the block at `offset`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "offsets are at most those of the array")]
    fn add(&mut self, offset: usize, mut marks: u64) {
        let count = marks.count_ones() as usize;
        let free = &mut self.offsets[self.length..self.length + BLOCK];
        let mut add = |slot: &mut u16| {
            *slot = (offset as u16).wrapping_add(marks.trailing_zeros() as u16);
            marks &= marks.wrapping_sub(1);
        };
        free[..USUAL].iter_mut().for_each(&mut add);
        if count > USUAL {
            free[USUAL..count].iter_mut().for_each(&mut add);
        }
        self.length = self.length.wrapping_add(count);
    }
}

/// The state of strings, carried from block to block.
#[derive(Clone, Copy)]
pub(super) struct StringState {
    /// All bits if the previous block ended in a string.
    in_string: u64,
    /// 1 if it ended with a backslash that escapes the next character.
    escapes: u64,
    /// The quotes that begin or end a string.
    quotes: u64,
    /// The marks of keys.
    marks: u64,
    /// 1 if it ended with a character that can precede a string.
    lead: u64,
}

/// Collects the marks of the next blocks at the beginning of `json`, at most `blocks`. An incomplete last block is padded with
/// spaces. Returns whether something unusual follows the last mark.
pub(super) struct Collect<'a> {
    pub(super) state: &'a mut StringState,
    pub(super) json: &'a [u8],
    pub(super) blocks: usize,
    pub(super) pattern: Pattern<'a>,
    pub(super) marks: &'a mut Marks,
}

impl Walk for Collect<'_> {
    type Output = bool;

    #[inline(always)]
    fn walk(self, classify: impl Classify) -> bool {
        let Self { json, blocks, pattern, marks, .. } = self;
        let mut state = *self.state;
        marks.length = 0;
        let (whole, rest) = json.as_chunks::<BLOCK>();
        let whole = &whole[..whole.len().min(blocks)];
        for (index, block) in whole.iter().enumerate() {
            let bits = classify.bits(block, pattern.mark());
            if state.add(classify, &bits, pattern, index, marks) {
                return true;
            }
        }
        let mut is_unusual = false;
        if whole.len() < blocks && !rest.is_empty() {
            let mut last = [b' '; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            let bits = classify.bits(&last, pattern.mark());
            is_unusual = state.add(classify, &bits, pattern, whole.len(), marks);
        }
        *self.state = state;
        is_unusual
    }
}

impl StringState {
    /// After a list's `[` or an element, outside of strings.
    pub(super) fn new() -> Self {
        Self { in_string: 0, escapes: 0, quotes: 0, marks: 0, lead: 1 }
    }

    /// Adds the marks of the block with this index in its chunk. Returns whether something unusual follows them.
    #[inline(always)]
    fn add(
        &mut self,
        classify: impl Classify,
        bits: &Bits,
        pattern: Pattern<'_>,
        index: usize,
        marks: &mut Marks,
    ) -> bool {
        let (escaped, escapes) = escapes(bits.backslashes, self.escapes);
        let quotes = bits.quotes & !escaped;
        // From each opening quote to before its closing one.
        let inside = classify.prefix_parity(quotes) ^ self.in_string;
        let unusual = quotes & inside & !(bits.leads << 1 | self.lead) | bits.backslashes & !inside;
        let keys_end = quotes & !inside & pattern.candidates([quotes, self.quotes], [bits.marks, self.marks]);
        let mut looked_at = bits.brackets & !inside | keys_end | escaped & bits.codes;
        if unusual != 0 {
            // The characters before it.
            looked_at &= (unusual & unusual.wrapping_neg()) - 1;
        }
        *self = Self {
            in_string: (inside.cast_signed() >> (u64::BITS - 1)).cast_unsigned(),
            escapes,
            quotes,
            marks: bits.marks,
            lead: bits.leads >> (u64::BITS - 1),
        };
        marks.add(index.wrapping_mul(BLOCK), looked_at);
        unusual != 0
    }
}

/// The characters of a block after a backslash that is not escaped itself, and 1 if the next block begins with one. `open`: whether this
/// block does.
#[inline(always)]
fn escapes(backslashes: u64, open: u64) -> (u64, u64) {
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
