//! Classifies bytes of JSON: for each block of 64 bytes, bitmaps of the structural characters.
//!
//! The only unsafe code of the crate. It classifies bytes and knows nothing else about JSON; `frame` interprets the
//! bitmaps. [`scalar`] is the reference and works everywhere. SSE2 and AVX2 have the same result, and a test compares all
//! implementations that the machine supports.
//!
//! # Why it is safe
//! Two things are unsafe: calling a function that is compiled for AVX2 or SSE2, and loading a vector from memory.
//! [`Classifier`] can be created only by [`Classifier::detect`] (and by the tests, with the same check), which selects an implementation
//! only if the processor supports it. A load reads `VECTOR` bytes at an offset into a `&[u8; BLOCK]` that is a multiple of
//! `VECTOR` and less than `BLOCK`, so it stays inside. The instructions need no alignment.

#![allow(unsafe_code, reason = "vector instructions have no safe way in; the argument is above")]

/// The size of a block in bytes: one bit each in a `u64`.
pub(super) const BLOCK: usize = 64;

/// The number of blocks that are classified at once: their bitmaps stay in the L1 cache.
pub(super) const CHUNK: usize = 64;

/// The bitmaps of a block. The lowest bit is its first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// `"`
    pub(super) quotes: u64,
    /// `\`
    pub(super) backslashes: u64,
    /// `{`, `}`, `[`, `]`
    pub(super) brackets: u64,
    /// Characters that can precede a string: `{`, `[`, `,`, `:`, and all up to the space.
    pub(super) leads: u64,
    /// The marked byte.
    pub(super) marks: u64,
}

/// Classifies blocks with the fastest implementation that the processor supports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classifier(InstructionSet);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "every x86-64 has SSE2; the tests compare with it"))]
    Scalar,
}

impl Classifier {
    /// Selects the fastest implementation.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let way = if std::arch::is_x86_feature_detected!("avx2") { InstructionSet::Avx2 } else { InstructionSet::Sse2 };
        #[cfg(not(target_arch = "x86_64"))]
        let way = InstructionSet::Scalar;
        Self(way)
    }

    /// Classifies the first blocks of `json`, at most [`CHUNK`], and marks a byte in them. Returns their number. An incomplete
    /// last block is padded with spaces.
    pub(super) fn classify(self, json: &[u8], mark: u8, bits: &mut [Bits; CHUNK]) -> usize {
        let (blocks, rest) = json.as_chunks::<BLOCK>();
        let whole = blocks.len().min(CHUNK);
        self.whole(&blocks[..whole], mark, bits);
        if whole == CHUNK || rest.is_empty() {
            return whole;
        }
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let mut of_last = [Bits::default()];
        self.whole(&[last], mark, &mut of_last);
        bits[whole] = of_last[0];
        whole + 1
    }

    fn whole(self, blocks: &[[u8; BLOCK]], mark: u8, bits: &mut [Bits]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects this implementation only if the processor has AVX2.
            InstructionSet::Avx2 => unsafe { x86_64::avx2(blocks, mark, bits) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: SSE2 is part of x86-64.
            InstructionSet::Sse2 => unsafe { x86_64::sse2(blocks, mark, bits) },
            InstructionSet::Scalar => scalar(blocks, mark, bits),
        }
    }
}

/// The reference: one byte at a time.
fn scalar(blocks: &[[u8; BLOCK]], mark: u8, bits: &mut [Bits]) {
    for (block, bits) in blocks.iter().zip(bits) {
        *bits = Bits::default();
        for (index, byte) in block.iter().enumerate() {
            let bit = 1 << index;
            bits.marks |= if *byte == mark { bit } else { 0 };
            match byte {
                b'"' => bits.quotes |= bit,
                b'\\' => bits.backslashes |= bit,
                b'{' | b'[' => {
                    bits.brackets |= bit;
                    bits.leads |= bit;
                }
                b'}' | b']' => bits.brackets |= bit,
                b',' | b':' | ..=b' ' => bits.leads |= bit,
                _ => {}
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Bits};

    /// The bit that distinguishes `{` and `}` from `[` and `]`.
    const CASE: i8 = 0x20;

    #[expect(clippy::cast_sign_loss, reason = "a bitmap")]
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(blocks: &[[u8; BLOCK]], mark: u8, bits: &mut [Bits]) {
        const VECTOR: usize = 32;
        let map = |low: __m256i, high: __m256i| {
            u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << VECTOR
        };
        let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
        let (quote, backslash, space, case) = (all(b'"'), all(b'\\'), all(b' '), _mm256_set1_epi8(CASE));
        let mark = all(mark);
        let (open, close, comma, colon) = (all(b'{'), all(b'}'), all(b','), all(b':'));
        for (block, bits) in blocks.iter().zip(bits) {
            // SAFETY: both loads are inside the block.
            let (low, high) = unsafe {
                (_mm256_loadu_si256(block.as_ptr().cast()), _mm256_loadu_si256(block.as_ptr().add(VECTOR).cast()))
            };
            let opens = |bytes| _mm256_cmpeq_epi8(_mm256_or_si256(bytes, case), open);
            let closes = |bytes| _mm256_cmpeq_epi8(_mm256_or_si256(bytes, case), close);
            let leads = |bytes, opens| {
                let white = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, space), bytes);
                let marks = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, comma), _mm256_cmpeq_epi8(bytes, colon));
                _mm256_or_si256(_mm256_or_si256(white, marks), opens)
            };
            let (opens_low, opens_high) = (opens(low), opens(high));
            *bits = Bits {
                quotes: map(_mm256_cmpeq_epi8(low, quote), _mm256_cmpeq_epi8(high, quote)),
                backslashes: map(_mm256_cmpeq_epi8(low, backslash), _mm256_cmpeq_epi8(high, backslash)),
                brackets: map(_mm256_or_si256(opens_low, closes(low)), _mm256_or_si256(opens_high, closes(high))),
                leads: map(leads(low, opens_low), leads(high, opens_high)),
                marks: map(_mm256_cmpeq_epi8(low, mark), _mm256_cmpeq_epi8(high, mark)),
            };
        }
    }

    #[expect(clippy::cast_sign_loss, reason = "a bitmap")]
    #[target_feature(enable = "sse2")]
    pub(super) fn sse2(blocks: &[[u8; BLOCK]], mark: u8, bits: &mut [Bits]) {
        const VECTOR: usize = 16;
        let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
        let (quote, backslash, space, case) = (all(b'"'), all(b'\\'), all(b' '), _mm_set1_epi8(CASE));
        let mark = all(mark);
        let (open, close, comma, colon) = (all(b'{'), all(b'}'), all(b','), all(b':'));
        for (block, bits) in blocks.iter().zip(bits) {
            *bits = Bits::default();
            for offset in (0..BLOCK).step_by(VECTOR) {
                // SAFETY: the load is inside the block.
                let bytes = unsafe { _mm_loadu_si128(block.as_ptr().add(offset).cast()) };
                let map = |vector| u64::from(_mm_movemask_epi8(vector) as u32) << offset;
                let opens = _mm_cmpeq_epi8(_mm_or_si128(bytes, case), open);
                let closes = _mm_cmpeq_epi8(_mm_or_si128(bytes, case), close);
                let white = _mm_cmpeq_epi8(_mm_min_epu8(bytes, space), bytes);
                let marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, colon));
                bits.quotes |= map(_mm_cmpeq_epi8(bytes, quote));
                bits.backslashes |= map(_mm_cmpeq_epi8(bytes, backslash));
                bits.brackets |= map(_mm_or_si128(opens, closes));
                bits.leads |= map(_mm_or_si128(_mm_or_si128(white, marks), opens));
                bits.marks |= map(_mm_cmpeq_epi8(bytes, mark));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All implementations that the machine supports.
    fn ways() -> Vec<InstructionSet> {
        let mut ways = vec![InstructionSet::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            ways.push(InstructionSet::Sse2);
            if std::arch::is_x86_feature_detected!("avx2") {
                ways.push(InstructionSet::Avx2);
            }
        }
        ways
    }

    fn classified(way: InstructionSet, json: &[u8], mark: u8) -> Vec<Bits> {
        let mut bits = [Bits::default(); CHUNK];
        let blocks = Classifier(way).classify(json, mark, &mut bits);
        bits[..blocks].to_vec()
    }

    #[test]
    fn every_byte_has_one_class_in_every_position() {
        for byte in 0..=u8::MAX {
            for index in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[index] = byte;
                let bit = |is: bool| u64::from(is) << index;
                let expected = Bits {
                    quotes: bit(byte == b'"'),
                    backslashes: bit(byte == b'\\'),
                    brackets: bit(b"{}[]".contains(&byte)),
                    leads: bit(b"{[,:".contains(&byte) || byte <= b' '),
                    marks: bit(byte == b'N'),
                };
                for way in ways() {
                    assert_eq!(classified(way, &block, b'N'), [expected], "{way:?} {byte} at {index}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_way_gives_the_same(
            random in prop::collection::vec(any::<u8>(), 0..300),
            json in prop::collection::vec(prop::sample::select(br#""\{}[],: ;[]{}a"#.to_vec()), 0..5000),
        ) {
            for bytes in [random, json] {
                let expected = classified(InstructionSet::Scalar, &bytes, b'a');
                prop_assert_eq!(expected.len(), bytes.len().div_ceil(BLOCK).min(CHUNK));
                for way in ways() {
                    prop_assert_eq!(&classified(way, &bytes, b'a'), &expected);
                }
            }
        }
    }
}
