//! Marks a chunk with AVX-512: the bitmaps of eight blocks are one vector, and no step looks at a single block.
//!
//! The same steps as [`super::marks::State::add`], which is the reference.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;
use std::hint::black_box;

use super::marks::{CHUNK, ChunkBits, Collect, FIRST, Marks, State, escapes};
use super::{AHEAD, BLOCK};
use crate::trail::scan::keys::Pattern;

/// The number of blocks in a group.
const BLOCKS: usize = 8;

/// The number of groups in a chunk.
const GROUPS: usize = CHUNK / BLOCKS;

/// The size of a group in bytes.
const GROUP: usize = BLOCK * BLOCKS;

/// Whether the processor has the instructions.
pub(super) fn is_supported() -> bool {
    macro_rules! has {
        ($($feature:tt)*) => { $(is_x86_feature_detected!($feature))&&* };
    }
    has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512vbmi" "avx512vbmi2" "avx512vpopcntdq" "vpclmulqdq")
        && has!("avx2" "lzcnt" "pclmulqdq")
        && super::bmi::is_supported()
}

/// Marks the next groups.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vpopcntdq,vpclmulqdq")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn collect(collect: Collect<'_>) {
    let Collect { state, json, blocks, pattern, marks } = collect;
    (marks.blocks, marks.is_unusual) = (0, false);
    let (whole, rest) = json.as_chunks::<GROUP>();
    let whole = &whole[..whole.len().min(blocks / BLOCKS)];
    let classes = Classes::new(pattern.mark());
    let mut groups = 0;
    for group in whole {
        classes.of(group, groups, &mut marks.bits);
        groups += 1;
    }
    if whole.len() < blocks / BLOCKS && !rest.is_empty() {
        let mut last = [b' '; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        classes.of(&last, groups, &mut marks.bits);
        groups += 1;
    }
    // Masks go to memory, and return as vectors. Otherwise the compiler builds the vectors in registers, which takes longer.
    black_box(&mut marks.bits);
    let mut vectors = Vectors::of(state, pattern);
    // Nearly always. Even a branch that always goes the same way makes the loop a sixth slower.
    let is_usual = if pattern.lengths().len() == 1 && pattern.distance().is_some() {
        (0..groups).all(|index| vectors.add::<true>(pattern, index, marks))
    } else {
        (0..groups).all(|index| vectors.add::<false>(pattern, index, marks))
    };
    if is_usual {
        *state = vectors.state();
    }
}

/// A control character that JSON does not use.
const LAST_OF_ASCII: u8 = 0x7f;

/// The classes of a byte, one bit each. A backslash is leading too, so that two bits tell it from a quote, and likewise brackets.
const QUOTING: u8 = 0x80;
const BRACKET: u8 = 0x40;
/// Can precede a string.
const LEADING: u8 = 0x20;

/// The classes of each byte of ASCII, without the mark. [`LAST_OF_ASCII`] has none, and stands for all bytes that are not ASCII.
const CLASSES: [u8; 2 * BLOCK] = {
    const CHARACTERS: [(&[u8], u8); 5] = [
        (b"\"", QUOTING),
        (b"\\", QUOTING | LEADING),
        (b"{[", BRACKET | LEADING),
        (b"}]", BRACKET),
        (b",: \t\n\r", LEADING),
    ];
    let mut table = [0; _];
    let mut class = 0;
    while class < CHARACTERS.len() {
        let (characters, bits) = CHARACTERS[class];
        let mut index = 0;
        while index < characters.len() {
            table[characters[index] as usize] = bits;
            index += 1;
        }
        class += 1;
    }
    table
};

/// [`CLASSES`] with the mark.
struct Classes([__m512i; 2]);

impl Classes {
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn new(mark: u8) -> Self {
        Self([0, BLOCK].map(|half| {
            // SAFETY: half of the table is as large as a vector.
            let table = unsafe { _mm512_loadu_si512(CLASSES[half..half + BLOCK].as_ptr().cast()) };
            let place = usize::from(mark).checked_sub(half).filter(|place| *place < BLOCK);
            let marked = place.map_or(0, |place| 1 << place);
            _mm512_or_si512(table, _mm512_maskz_set1_epi8(marked, LEADING.cast_signed()))
        }))
    }

    /// Writes three bitmaps of the group with this index in the chunk: quotes and backslashes; brackets; what can precede a string, the mark and
    /// backslashes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn of(&self, group: &[u8; GROUP], index: usize, bits: &mut ChunkBits) {
        let [quoting, brackets, leading] =
            bits.each_mut().map(|bits| &mut bits[FIRST..].as_chunks_mut::<BLOCKS>().0[index % GROUPS]);
        let all = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let Self([first, second]) = *self;
        for (index, block) in group.as_chunks::<BLOCK>().0.iter().enumerate() {
            // Any address is allowed, also outside of the text: a prefetch reads nothing.
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
            // SAFETY: a block is as large as a vector.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let classes = _mm512_permutex2var_epi8(first, _mm512_min_epu8(bytes, all(LAST_OF_ASCII)), second);
            // Only one comparison, because comparisons share a unit of the processor with the table.
            quoting[index] = _mm512_movepi8_mask(classes);
            brackets[index] = _mm512_movepi8_mask(_mm512_add_epi8(classes, classes));
            leading[index] = _mm512_test_epi8_mask(classes, all(LEADING));
        }
    }
}

/// The state between two groups. What a bitmap of the next group needs of the previous one is in the last block of a vector.
struct Vectors {
    /// In each block, the number of bits from a key's opening quote to its closing one. For several lengths, the first.
    length: __m512i,
    /// The same from its marked byte. Zero without one.
    mark: __m512i,
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
    fn of(state: &State, pattern: Pattern<'_>) -> Self {
        let all = |bits: u64| _mm512_set1_epi64(bits.cast_signed());
        Self {
            length: all(pattern.lengths()[0].into()),
            mark: all(pattern.distance().unwrap_or_default().into()),
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

    /// Adds the marks of the group with this index in the chunk. Returns whether nothing unusual follows them. `ONE_KEY`: there is one key, with
    /// a mark.
    #[target_feature(enable = "avx512f,avx512dq,avx512vbmi2,avx512vpopcntdq,vpclmulqdq")]
    #[inline]
    fn add<const ONE_KEY: bool>(&mut self, pattern: Pattern<'_>, index: usize, marks: &mut Marks) -> bool {
        let index = index % GROUPS;
        let [quoting, brackets, leading] =
            marks.bits.each_ref().map(|bits| loaded(&bits[FIRST..].as_chunks::<BLOCKS>().0[index]));
        let both = |one, other| _mm512_and_si512(one, other);
        let except = |some, all| _mm512_andnot_si512(some, all);
        let (all_quotes, backslashes, leads) =
            (except(leading, quoting), both(quoting, leading), except(quoting, leading));
        let (opens, closes) = (both(brackets, leading), except(leading, brackets));
        let mut escaped = shifted_by_one(backslashes, self.escapes);
        if _mm512_test_epi64_mask(backslashes, escaped) == 0 {
            self.escapes = backslashes;
        } else {
            (escaped, self.escapes) = escaped_by_runs(backslashes, self.escapes);
        }
        let quotes = except(escaped, all_quotes);
        let inside = self.inside(quotes);
        let is_led = shifted_by_one(leads, self.leads);
        let unusual = _mm512_or_si512(except(is_led, both(quotes, inside)), except(inside, backslashes));
        let mut candidates = shifted(all_quotes, self.quotes, self.length);
        if !ONE_KEY {
            for &length in pattern.lengths() {
                let length = _mm512_set1_epi64(length.into());
                candidates = _mm512_or_si512(candidates, shifted(all_quotes, self.quotes, length));
            }
        }
        if ONE_KEY || pattern.distance().is_some() {
            candidates = both(candidates, shifted(leads, self.leads, self.mark));
        }
        let keys_end = both(except(inside, quotes), candidates);
        let strings = _mm512_or_si512(keys_end, escaped);
        let (opens, closes) = (except(inside, opens), except(inside, closes));
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
        is_unusual == 0
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
fn shifted(bits: __m512i, before: __m512i, distances: __m512i) -> __m512i {
    _mm512_shldv_epi64(bits, _mm512_alignr_epi64::<7>(bits, before), distances)
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
    let group = &mut values.as_chunks_mut::<BLOCKS>().0[index % GROUPS];
    // SAFETY: the group is as large as a vector.
    unsafe { _mm512_storeu_si512(group.as_mut_ptr().cast(), vector) };
}
