//! Marks a chunk with AVX2: the bitmaps of four blocks are one vector. Only brackets are counted block by block.
//!
//! The same steps as [`super::marks::State::add`], which is the reference, and which takes over where something is unusual.
//!
//! Moving a bitmap out of a vector (`vpmovmskb`) takes longer than comparing bytes. So only three bitmaps are moved to memory. The five that the
//! marks need are computed from them once they are vectors of four blocks.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;
use std::ptr;

use super::marks::{CHUNK, ChunkBits, Collect, FIRST, Marks, State, escapes};
use super::sse2::Sse2;
use super::{AHEAD, BLOCK};
use crate::trail::scan::keys::Pattern;

/// The number of blocks in a group.
const BLOCKS: usize = 4;

/// The number of groups in a chunk.
const GROUPS: usize = CHUNK / BLOCKS;

/// The size of a group in bytes.
const GROUP: usize = BLOCK * BLOCKS;

/// The size of a vector in bytes.
const VECTOR: usize = 32;

/// The size of half a vector in bytes, and the number of values of four bits.
const HALF: usize = 16;

/// The low four bits.
const LOW: u8 = 0xf;

/// Whether the processor has the instructions, and those of [`super::bmi`].
pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx2") && super::bmi::is_supported()
}

/// Marks the next groups.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn collect(collect: Collect<'_>) {
    let Collect { state, json, blocks, pattern, marks } = collect;
    let (whole, rest) = json.as_chunks::<GROUP>();
    let groups = json.len().div_ceil(GROUP).min(blocks / BLOCKS).min(GROUPS);
    let classes = Classes::new(pattern.mark());
    let mut last;
    for index in 0..groups {
        let group = match whole.get(index) {
            Some(group) => group,
            None => {
                last = padded(rest);
                &last
            }
        };
        prefetch(group);
        classes.of(group, index, &mut marks.bits);
    }
    set_before(&mut marks.bits, state);
    let mut strings = Strings::new(pattern, state);
    // Nearly always.
    if pattern.lengths().len() == 1 && pattern.distance().is_some() {
        (0..groups).for_each(|index| strings.add::<true>(index, marks));
    } else {
        (0..groups).for_each(|index| strings.add::<false>(index, marks));
    }
    if !strings.are_usual() {
        return Collect { state, json, blocks, pattern, marks }.walk(Sse2);
    }
    strings.save(groups, &marks.bits, state);
    let (mut depth, mut blocks) = (state.depth, 0);
    for index in 0..groups * BLOCKS {
        let is_marked;
        (depth, is_marked) = marks.count(index, depth);
        blocks |= u64::from(is_marked) << index;
    }
    (state.depth, marks.blocks, marks.is_unusual) = (depth, blocks, false);
}

/// Pads an incomplete group with spaces.
#[cold]
fn padded(bytes: &[u8]) -> [u8; GROUP] {
    let mut group = [b' '; GROUP];
    group[..bytes.len()].copy_from_slice(bytes);
    group
}

/// Prefetches the bytes that come [`AHEAD`] bytes after a group.
#[target_feature(enable = "avx2")]
#[inline]
fn prefetch(group: &[u8; GROUP]) {
    for line in (0..GROUP).step_by(BLOCK) {
        // Any address is allowed, also outside of the text: a prefetch reads nothing.
        _mm_prefetch::<_MM_HINT_T0>(group.as_ptr().wrapping_add(AHEAD + line).cast());
    }
}

/// Tables of classes, by the low four bits of a byte and by its high four bits. A byte is of each class that both tables have for it.
///
/// So a class can only be all combinations of some low halves with some high halves. The bits of the classes are in such an order that one
/// addition sets the highest bit of a byte from a certain class on.
struct Classes {
    low: __m256i,
    high: __m256i,
}

/// Characters, and the bit of their class. The first four classes can precede a string. They are four because no single one has exactly
/// these characters.
const CLASSES: [(&[u8], u8); 7] =
    [(b" ,", 1), (b"\t\n\r", 2), (b":", 4), (b"{[", OPEN), (b"}]", CLOSE), (b"\\", BACKSLASH), (b"\"", QUOTE)];
/// The marked byte, which is not known when the tables are made.
const MARK: u8 = 8;
const OPEN: u8 = 16;
const CLOSE: u8 = 32;
const BACKSLASH: u8 = 64;
const QUOTE: u8 = 128;

/// The tables of [`Classes`], without the mark. Each half of a vector needs a copy of the table.
const fn tables() -> [[u8; VECTOR]; 2] {
    let [mut low, mut high] = [[0; VECTOR]; 2];
    let mut class = 0;
    while class < CLASSES.len() {
        let (characters, bit) = CLASSES[class];
        let mut index = 0;
        while index < characters.len() {
            let (half, other_half) = (characters[index] as usize % HALF, characters[index] as usize / HALF);
            low[half] |= bit;
            low[HALF + half] |= bit;
            high[other_half] |= bit;
            high[HALF + other_half] |= bit;
            index += 1;
        }
        class += 1;
    }
    [low, high]
}

/// The index of each entry of a table, in both copies.
const fn indices() -> [u8; VECTOR] {
    let mut indices = [0; VECTOR];
    let mut index: u8 = 0;
    while (index as usize) < VECTOR {
        indices[index as usize] = index & LOW;
        index += 1;
    }
    indices
}

/// The classes in the third bitmap: those that can precede a string, the mark, and backslashes. The first bitmap has quotes and backslashes,
/// and the third one tells which of these are backslashes.
const LEADING: u8 = (OPEN - 1) | OPEN | BACKSLASH;

impl Classes {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(mark: u8) -> Self {
        const TABLES: [[u8; VECTOR]; 2] = tables();
        const INDICES: [u8; VECTOR] = indices();
        let mark_at = |half: u8| {
            let is = _mm256_cmpeq_epi8(loaded(&INDICES), _mm256_set1_epi8(half.cast_signed()));
            _mm256_and_si256(is, _mm256_set1_epi8(MARK.cast_signed()))
        };
        let [low, high] = TABLES.each_ref().map(|table| loaded(table));
        let (mark_low, mark_high) = (mark_at(mark & LOW), mark_at(mark >> 4));
        Self { low: _mm256_or_si256(low, mark_low), high: _mm256_or_si256(high, mark_high) }
    }

    /// Writes three bitmaps of the group with this index in the chunk: quotes and backslashes; these and brackets; [`LEADING`].
    #[target_feature(enable = "avx2")]
    #[inline]
    fn of(&self, group: &[u8; GROUP], index: usize, bits: &mut ChunkBits) {
        let [quoting, structural, leading] =
            bits.each_mut().map(|bits| halves(&mut bits[FIRST..].as_chunks_mut::<BLOCKS>().0[index % GROUPS]));
        let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
        // Sets the highest bit of bytes from this class on.
        let from = |classes, class: u8| _mm256_add_epi8(classes, all(0x80 - class));
        for (index, bytes) in group.as_chunks::<VECTOR>().0.iter().enumerate() {
            let bytes = loaded(bytes);
            // Zero for bytes that are not ASCII.
            let low = _mm256_shuffle_epi8(self.low, bytes);
            let high = _mm256_shuffle_epi8(self.high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), all(LOW)));
            let classes = _mm256_and_si256(low, high);
            put(&mut quoting[index], from(classes, BACKSLASH));
            put(&mut structural[index], from(classes, OPEN));
            put(&mut leading[index], from(_mm256_and_si256(classes, all(LEADING)), 1));
        }
    }
}

/// Each bitmap as two, first that of the block's first half.
fn halves(bits: &mut [u64; BLOCKS]) -> &mut [u32; 2 * BLOCKS] {
    // SAFETY: the arrays have the same size, every value is valid in both, and the alignment of the new one is not larger.
    unsafe { &mut *ptr::from_mut(bits).cast() }
}

/// Writes the highest bits of some bytes to memory. Volatile, because otherwise the compiler first stores many bitmaps on the stack.
#[target_feature(enable = "avx2")]
#[inline]
fn put(bits: &mut u32, bytes: __m256i) {
    // SAFETY: a reference is valid.
    unsafe { ptr::from_mut(bits).write_volatile(_mm256_movemask_epi8(bytes).cast_unsigned()) };
}

/// A shift up by less than 64 bits.
#[derive(Clone, Copy)]
struct Shift {
    up: __m128i,
    /// For the bits of the block before.
    down: __m128i,
}

impl Shift {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn by(bits: u32) -> Self {
        let count = |bits: u32| _mm_cvtsi32_si128(bits.cast_signed());
        Self { up: count(bits), down: count(u64::BITS - bits) }
    }

    /// The bits of each block, with those of the block before it.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn of(self, bits: __m256i, before: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_sll_epi64(bits, self.up), _mm256_srl_epi64(before, self.down))
    }
}

/// Restores the bitmaps of the block before the chunk.
fn set_before(bits: &mut ChunkBits, state: &State) {
    let backslash = state.escapes << (u64::BITS - 1);
    let [quoting, _, leading] = bits;
    (quoting[FIRST - 1], leading[FIRST - 1]) = (state.quotes | backslash, state.leads | backslash);
}

/// Finds strings, and the brackets outside of them.
struct Strings<'k> {
    /// All bits if the previous group ended in a string.
    inside: __m256i,
    /// What was unusual in the groups so far.
    unusual: __m256i,
    /// From the marked byte to the closing quote of a key.
    mark: Shift,
    has_mark: bool,
    /// From its opening quote to the closing one.
    length: Shift,
    /// The same for other keys.
    other_lengths: &'k [u32],
}

impl<'k> Strings<'k> {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(pattern: Pattern<'k>, state: &State) -> Self {
        let (length, other_lengths) = pattern.lengths().split_first().expect("there is at least one key");
        Self {
            inside: _mm256_set1_epi64x(state.in_string.cast_signed()),
            unusual: _mm256_setzero_si256(),
            mark: Shift::by(pattern.distance().unwrap_or_default()),
            has_mark: pattern.distance().is_some(),
            length: Shift::by(*length),
            other_lengths,
        }
    }

    /// Saves the state after this number of groups, except the number of open brackets.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn save(&self, groups: usize, bits: &ChunkBits, state: &mut State) {
        let [quoting, _, leading] = bits.each_ref().map(|bits| bits[FIRST - 1 + groups * BLOCKS]);
        state.in_string = _mm256_extract_epi64::<0>(self.inside).cast_unsigned();
        state.escapes = (quoting & leading) >> (u64::BITS - 1);
        state.quotes = quoting & !leading;
        state.leads = leading & !quoting;
    }

    /// Whether nothing was unusual in the groups so far.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn are_usual(&self) -> bool {
        _mm256_testz_si256(self.unusual, self.unusual) == 1
    }

    /// Adds the marks of the group with this index in the chunk. [`Marks::count`] adds the rest. `ONE_KEY`: there is one key, with a mark.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add<const ONE_KEY: bool>(&mut self, index: usize, marks: &mut Marks) {
        let [quoting, structural, leading] = vectors::<FIRST>(&marks.bits, index);
        let [quoting_before, _, leading_before] = vectors::<{ FIRST - 1 }>(&marks.bits, index);
        let both = |one, other| _mm256_and_si256(one, other);
        let except = |some, all| _mm256_andnot_si256(some, all);
        let (quotes, quotes_before) = (except(leading, quoting), except(leading_before, quoting_before));
        let (mut backslashes, backslashes_before) = (both(quoting, leading), both(quoting_before, leading_before));
        let (leads, leads_before) = (except(quoting, leading), except(quoting_before, leading_before));
        let brackets = except(quoting, structural);
        let (opens, closes) = (both(brackets, leads), except(leads, brackets));

        let mut candidates = self.length.of(quotes, quotes_before);
        if !ONE_KEY {
            for &length in self.other_lengths {
                candidates = _mm256_or_si256(candidates, Shift::by(length).of(quotes, quotes_before));
            }
        }
        if ONE_KEY || self.has_mark {
            candidates = both(candidates, self.mark.of(leads, leads_before));
        }

        let mut escaped = shifted_by_one(backslashes, backslashes_before);
        if _mm256_testz_si256(backslashes, escaped) == 0 {
            (backslashes, escaped) = without_escaped(&mut marks.bits, index);
        }
        let quotes = except(escaped, quotes);
        let inside = self.inside(quotes);
        let not_led = except(shifted_by_one(leads, leads_before), both(quotes, inside));
        let unusual = _mm256_or_si256(not_led, except(inside, backslashes));
        self.unusual = _mm256_or_si256(self.unusual, unusual);
        let keys_end = both(except(inside, quotes), candidates);
        store(except(inside, opens), &mut marks.opens, index);
        store(except(inside, closes), &mut marks.closes, index);
        store(_mm256_or_si256(keys_end, escaped), &mut marks.strings, index);
    }

    /// The bits from each opening quote to before its closing one.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn inside(&mut self, quotes: __m256i) -> __m256i {
        let xor = |one, other| _mm256_xor_si256(one, other);
        let mut inside = quotes;
        inside = xor(inside, _mm256_add_epi64(inside, inside));
        inside = xor(inside, _mm256_slli_epi64::<2>(inside));
        inside = xor(inside, _mm256_slli_epi64::<4>(inside));
        inside = xor(inside, _mm256_slli_epi64::<8>(inside));
        inside = xor(inside, _mm256_slli_epi64::<16>(inside));
        inside = xor(inside, _mm256_slli_epi64::<32>(inside));
        // The same for the parities of the blocks: first in each half of the vector.
        let odd = _mm256_cmpgt_epi64(_mm256_setzero_si256(), inside);
        let halves = xor(odd, _mm256_slli_si256::<8>(odd));
        let ends = _mm256_shuffle_epi32::<0b11_10_11_10>(halves);
        let parities = xor(halves, _mm256_permute2x128_si256::<0x08>(ends, ends));
        let inside = xor(xor(inside, odd), xor(parities, self.inside));
        self.inside = xor(self.inside, _mm256_permute4x64_epi64::<0xff>(parities));
        inside
    }
}

/// Removes escaped backslashes from the bitmaps of a group. Returns the others, and the characters after them.
#[cold]
#[target_feature(enable = "avx2")]
fn without_escaped(bits: &mut ChunkBits, index: usize) -> (__m256i, __m256i) {
    let [quoting, _, leading] = bits;
    let first = FIRST + index % GROUPS * BLOCKS;
    let mut open = (quoting[first - 1] & leading[first - 1]) >> (u64::BITS - 1);
    let (mut kept, mut after) = ([0; BLOCKS], [0; BLOCKS]);
    for block in 0..BLOCKS {
        let (quoting, leading) = (&mut quoting[first + block], &mut leading[first + block]);
        let backslashes = *quoting & *leading;
        (after[block], open) = escapes(backslashes, open);
        kept[block] = backslashes & !after[block];
        *quoting &= !backslashes | kept[block];
        *leading &= !backslashes | kept[block];
    }
    (loaded(&kept), loaded(&after))
}

/// The bitmaps of the blocks of a group (`START` is [`FIRST`]), or of the block before each of these (`START` is one less).
#[target_feature(enable = "avx2")]
#[inline]
fn vectors<const START: usize>(bits: &ChunkBits, index: usize) -> [__m256i; 3] {
    bits.each_ref().map(|bits| loaded(&bits[START..].as_chunks::<BLOCKS>().0[index % GROUPS]))
}

/// The bits of each block shifted up by one, with the last of the block before it.
#[target_feature(enable = "avx2")]
#[inline]
fn shifted_by_one(bits: __m256i, before: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_add_epi64(bits, bits), _mm256_srli_epi64::<63>(before))
}

#[target_feature(enable = "avx2")]
#[inline]
fn loaded<T>(values: &T) -> __m256i {
    const { assert!(size_of::<T>() == VECTOR) };
    // SAFETY: the values are as large as a vector.
    unsafe { _mm256_loadu_si256(ptr::from_ref(values).cast()) }
}

/// Stores the values of the group with this index.
#[target_feature(enable = "avx2")]
#[inline]
fn store<T>(vector: __m256i, values: &mut [T; CHUNK], index: usize) {
    const { assert!(size_of::<T>() == size_of::<u64>()) };
    let group = &mut values.as_chunks_mut::<BLOCKS>().0[index % GROUPS];
    // SAFETY: the group is as large as a vector.
    unsafe { _mm256_storeu_si256(group.as_mut_ptr().cast(), vector) };
}
