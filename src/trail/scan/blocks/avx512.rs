//! Marks a chunk with AVX-512: the bitmaps of eight blocks are one vector, and no step looks at a single block.
//!
//! The same steps as [`super::marks::State::add`], which is the reference.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;
use std::hint::black_box;

use super::marks::{CHUNK, ChunkBits, Collect, Marks, State, escapes};
use super::{BLOCK, CASE};
use crate::trail::scan::keys::Pattern;

/// The number of blocks in a group.
const BLOCKS: usize = 8;

/// The size of a group in bytes.
const GROUP: usize = BLOCK * BLOCKS;

/// For the low six bits of a byte, the character that can precede a string and has them, or a byte that has others.
const LEADS: [u8; BLOCK] = {
    let mut table = [0; BLOCK];
    table[0] = 1;
    let leads = b"{[,: \t\n\r";
    let mut index = 0;
    while index < leads.len() {
        table[leads[index] as usize % BLOCK] = leads[index];
        index += 1;
    }
    table
};

/// Whether the processor has the instructions.
pub(super) fn is_supported() -> bool {
    macro_rules! has {
        ($($feature:tt)*) => { $(is_x86_feature_detected!($feature))&&* };
    }
    has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512vbmi" "avx512vbmi2" "avx512vpopcntdq" "vpclmulqdq")
        && has!("avx2" "bmi1" "bmi2" "lzcnt" "popcnt" "pclmulqdq")
}

/// Marks the next groups.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,vpclmulqdq")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn collect(collect: Collect<'_>) {
    let Collect { state, json, blocks, pattern, marks } = collect;
    (marks.blocks, marks.is_unusual) = (0, false);
    let (whole, rest) = json.as_chunks::<GROUP>();
    let whole = &whole[..whole.len().min(blocks / BLOCKS)];
    let mut groups = 0;
    for group in whole {
        classify(group, pattern.mark(), groups, &mut marks.bits);
        groups += 1;
    }
    if whole.len() < blocks / BLOCKS && !rest.is_empty() {
        let mut last = [b' '; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        classify(&last, pattern.mark(), groups, &mut marks.bits);
        groups += 1;
    }
    // Masks go to memory, and return as vectors. Otherwise the compiler builds the vectors in registers, which takes longer.
    black_box(&mut marks.bits);
    let mut vectors = Vectors::of(state);
    for index in 0..groups {
        vectors.add(pattern, index, marks);
        if marks.is_unusual {
            return;
        }
    }
    *state = vectors.state();
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn classify(group: &[u8; GROUP], mark: u8, index: usize, bits: &mut ChunkBits) {
    let [quotes, backslashes, opens, closes, leads] =
        bits.each_mut().map(|bits| &mut bits.as_chunks_mut::<BLOCKS>().0[index]);
    let is = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
    // SAFETY: the table is as large as a vector.
    let table = unsafe { _mm512_loadu_si512(LEADS.as_ptr().cast()) };
    for (index, block) in group.as_chunks::<BLOCK>().0.iter().enumerate() {
        // SAFETY: a block is as large as a vector.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let of_one_case = _mm512_or_si512(bytes, _mm512_set1_epi8(CASE.cast_signed()));
        quotes[index] = is(bytes, b'"');
        backslashes[index] = is(bytes, b'\\');
        opens[index] = is(of_one_case, b'{');
        closes[index] = is(of_one_case, b'}');
        let in_table = _mm512_cmpeq_epi8_mask(bytes, _mm512_permutexvar_epi8(bytes, table));
        leads[index] = in_table | is(bytes, mark);
    }
}

/// The state between two groups. What a bitmap of the next group needs of the previous one is in the last block of a vector.
struct Vectors {
    /// All bits if the previous group ended in a string.
    in_string: u8,
    /// The last bit: a backslash that escapes the next character.
    escapes: __m512i,
    quotes: __m512i,
    leads: __m512i,
    /// In each block, the number of open brackets after the group.
    depth: __m512i,
}

impl Vectors {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn of(state: &State) -> Self {
        let all = |bits: u64| _mm512_set1_epi64(bits.cast_signed());
        Self {
            in_string: u8::from(state.in_string != 0).wrapping_neg(),
            escapes: all(state.escapes << (u64::BITS - 1)),
            quotes: all(state.quotes),
            leads: all(state.leads),
            depth: _mm512_set1_epi64(state.depth),
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn state(&self) -> State {
        let last = |vector| stored(vector)[BLOCKS - 1];
        State {
            in_string: u64::from(self.in_string != 0).wrapping_neg(),
            escapes: last(self.escapes) >> (u64::BITS - 1),
            quotes: last(self.quotes),
            leads: last(self.leads),
            depth: last(self.depth).cast_signed(),
        }
    }

    /// Adds the marks of the group with this index in the chunk.
    #[target_feature(enable = "avx512f,avx512dq,avx512vbmi2,avx512vpopcntdq,vpclmulqdq")]
    #[inline]
    fn add(&mut self, pattern: Pattern<'_>, index: usize, marks: &mut Marks) {
        let [quotes, backslashes, opens, closes, leads] =
            marks.bits.each_ref().map(|bits| loaded(&bits.as_chunks::<BLOCKS>().0[index]));
        let mut escaped = shifted_by_one(backslashes, self.escapes);
        if _mm512_test_epi64_mask(backslashes, escaped) == 0 {
            self.escapes = backslashes;
        } else {
            (escaped, self.escapes) = escaped_by_runs(backslashes, self.escapes);
        }
        let all_quotes = quotes;
        let quotes = _mm512_andnot_si512(escaped, all_quotes);
        let inside = self.inside(quotes);
        let is_led = shifted_by_one(leads, self.leads);
        let begins = _mm512_and_si512(quotes, inside);
        let unusual = _mm512_or_si512(_mm512_andnot_si512(is_led, begins), _mm512_andnot_si512(inside, backslashes));
        let mut candidates = _mm512_setzero_si512();
        for &length in pattern.lengths() {
            candidates = _mm512_or_si512(candidates, shifted(all_quotes, self.quotes, length));
        }
        if let Some(distance) = pattern.distance() {
            candidates = _mm512_and_si512(candidates, shifted(leads, self.leads, distance));
        }
        let keys_end = _mm512_and_si512(_mm512_andnot_si512(inside, quotes), candidates);
        let strings = _mm512_or_si512(keys_end, escaped);
        let opens = _mm512_andnot_si512(inside, opens);
        let closes = _mm512_andnot_si512(inside, closes);
        let closed = _mm512_popcnt_epi64(closes);
        let change = _mm512_sub_epi64(_mm512_popcnt_epi64(opens), closed);
        let after = _mm512_add_epi64(self.depth, sums(change));
        let depths = _mm512_sub_epi64(after, change);
        let lowest = _mm512_sub_epi64(depths, closed);
        let has_strings = _mm512_test_epi64_mask(strings, strings);
        let marked = _mm512_cmple_epi64_mask(lowest, _mm512_setzero_si512())
            | _mm512_mask_cmple_epi64_mask(has_strings, lowest, _mm512_set1_epi64(1));
        marks.blocks |= u64::from(marked) << (index * BLOCKS);
        store(opens, &mut marks.opens, index);
        store(closes, &mut marks.closes, index);
        store(strings, &mut marks.strings, index);
        store(depths, &mut marks.depths, index);
        self.quotes = all_quotes;
        self.leads = leads;
        self.depth = _mm512_permutexvar_epi64(_mm512_set1_epi64(7), after);
        let is_unusual = _mm512_test_epi64_mask(unusual, unusual);
        if is_unusual != 0 {
            let block = is_unusual.trailing_zeros() as usize;
            marks.end_before(index * BLOCKS + block, stored(unusual)[block]);
        }
    }

    /// The bits from each opening quote to before its closing one.
    #[target_feature(enable = "avx512f,avx512dq,vpclmulqdq")]
    #[inline]
    fn inside(&mut self, quotes: __m512i) -> __m512i {
        let ones = _mm512_set1_epi8(-1);
        // The parity of the bits up to each: the product with all ones, without carries.
        let even = _mm512_clmulepi64_epi128::<0x00>(quotes, ones);
        let odd = _mm512_clmulepi64_epi128::<0x01>(quotes, ones);
        let inside = _mm512_unpacklo_epi64(even, odd);
        // The same for the parities of the blocks.
        let mut parity = _mm512_movepi64_mask(inside);
        for shift in [1, 2, 4] {
            parity ^= parity << shift;
        }
        let begin_inside = parity << 1 ^ self.in_string;
        self.in_string = ((parity ^ self.in_string).cast_signed() >> (u8::BITS - 1)).cast_unsigned();
        _mm512_mask_xor_epi64(inside, begin_inside, inside, ones)
    }
}

/// The characters after backslashes that are not escaped themselves, where backslashes follow each other.
#[cold]
#[target_feature(enable = "avx512f")]
fn escaped_by_runs(backslashes: __m512i, before: __m512i) -> (__m512i, __m512i) {
    let mut open = stored(before)[BLOCKS - 1] >> (u64::BITS - 1);
    let mut escaped = [0; BLOCKS];
    for (escaped, backslashes) in escaped.iter_mut().zip(stored(backslashes)) {
        (*escaped, open) = escapes(backslashes, open);
    }
    (loaded(&escaped), _mm512_set1_epi64((open << (u64::BITS - 1)).cast_signed()))
}

/// The sum of the blocks up to each.
#[target_feature(enable = "avx512f")]
#[inline]
fn sums(blocks: __m512i) -> __m512i {
    let zero = _mm512_setzero_si512();
    let pairs = _mm512_add_epi64(blocks, _mm512_alignr_epi64::<7>(blocks, zero));
    let fours = _mm512_add_epi64(pairs, _mm512_alignr_epi64::<6>(pairs, zero));
    _mm512_add_epi64(fours, _mm512_alignr_epi64::<4>(fours, zero))
}

/// The bits of a group shifted up by one, with the last of the group before.
#[target_feature(enable = "avx512f,avx512vbmi2")]
#[inline]
fn shifted_by_one(bits: __m512i, before: __m512i) -> __m512i {
    _mm512_shldi_epi64::<1>(bits, _mm512_alignr_epi64::<7>(bits, before))
}

/// The bits of a group shifted up by less than 64, with those of the group before.
#[target_feature(enable = "avx512f,avx512vbmi2")]
#[inline]
fn shifted(bits: __m512i, before: __m512i, distance: u32) -> __m512i {
    _mm512_shldv_epi64(bits, _mm512_alignr_epi64::<7>(bits, before), _mm512_set1_epi64(i64::from(distance)))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn loaded(bits: &[u64; BLOCKS]) -> __m512i {
    // SAFETY: the array is as large as a vector.
    unsafe { _mm512_loadu_si512(bits.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn stored(vector: __m512i) -> [u64; BLOCKS] {
    let mut bits = [0; BLOCKS];
    // SAFETY: the array is as large as a vector.
    unsafe { _mm512_storeu_si512(bits.as_mut_ptr().cast(), vector) };
    bits
}

/// Stores the values of the group with this index.
#[target_feature(enable = "avx512f")]
#[inline]
fn store<T>(vector: __m512i, values: &mut [T; CHUNK], index: usize) {
    const { assert!(size_of::<T>() == size_of::<u64>()) };
    let group = &mut values.as_chunks_mut::<BLOCKS>().0[index];
    // SAFETY: the group is as large as a vector.
    unsafe { _mm512_storeu_si512(group.as_mut_ptr().cast(), vector) };
}
