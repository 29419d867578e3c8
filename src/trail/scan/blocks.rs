//! Classifies bytes of JSON: for each block of 64 bytes, bitmaps of the structural characters.
//!
//! The only unsafe code of the crate. It classifies bytes and knows nothing else about JSON; `frame` interprets the
//! bitmaps. [`Scalar`] is the reference and works everywhere. SSE2, AVX2 and AVX-512 have the same result, and a test compares all
//! implementations that the machine supports.
//!
//! A [`Walk`] is compiled once for each of them, with their instructions also for its own code: its bitmaps stay in registers.
//!
//! # Why it is safe
//! Two things are unsafe: calling a function that is compiled for instructions that the processor may lack, and loading a vector from
//! memory. [`Classifier`] can be created only by [`Classifier::detect`] (and by the tests, with the same check), which selects an
//! implementation only if the processor supports it. The types that classify with such instructions can be created only in functions
//! that are compiled for them. A load reads `VECTOR` bytes at an offset into a `&[u8; BLOCK]` that is a multiple of `VECTOR` and less
//! than `BLOCK`, so it stays inside. The instructions need no alignment.

#![allow(unsafe_code, reason = "vector instructions have no safe way in; the argument is above")]

/// The size of a block in bytes: one bit each in a `u64`.
pub(super) const BLOCK: usize = 64;

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
    /// `u`, which begins the escape of a character by its code.
    pub(super) codes: u64,
    /// The marked byte.
    pub(super) marks: u64,
}

/// Classifies blocks with the instructions that a walk is compiled for.
pub(super) trait Classify: Copy {
    /// The bitmaps of a block, with a byte that is marked in it.
    fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits;

    /// Each bit is the parity of the bits up to and including it.
    #[inline(always)]
    fn prefix_parity(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
}

/// A walk over blocks.
pub(super) trait Walk {
    /// Its result.
    type Output;

    /// Walks. Inlined into a function that is compiled for the instructions of `classify`.
    fn walk(self, classify: impl Classify) -> Self::Output;
}

/// Selects the fastest implementation that the processor supports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classifier(InstructionSet);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Avx512,
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
        let way = x86_64::detect();
        #[cfg(not(target_arch = "x86_64"))]
        let way = InstructionSet::Scalar;
        Self(way)
    }

    /// Runs a walk.
    pub(super) fn run<W: Walk>(self, walk: W) -> W::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects this implementation only if the processor has its instructions.
            InstructionSet::Avx512 => unsafe { x86_64::with_avx512(walk) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects this implementation only if the processor has its instructions.
            InstructionSet::Avx2 => unsafe { x86_64::with_avx2(walk) },
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Sse2 => walk.walk(x86_64::Sse2),
            InstructionSet::Scalar => walk.walk(Scalar),
        }
    }
}

/// The reference: one byte at a time.
#[derive(Clone, Copy)]
struct Scalar;

impl Classify for Scalar {
    #[inline]
    fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
        let mut bits = Bits::default();
        for (index, byte) in block.iter().enumerate() {
            let bit = 1 << index;
            bits.marks |= if *byte == mark { bit } else { 0 };
            bits.codes |= if *byte == b'u' { bit } else { 0 };
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
        bits
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::*;

    use super::{BLOCK, Bits, Classify, InstructionSet, Walk};

    /// The bit that distinguishes `{` and `}` from `[` and `]`.
    const CASE: i8 = 0x20;

    /// The fastest implementation that the processor supports.
    pub(super) fn detect() -> InstructionSet {
        let has_avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("pclmulqdq");
        let has_avx512 = has_avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        match (has_avx512, has_avx2) {
            (true, _) => InstructionSet::Avx512,
            (false, true) => InstructionSet::Avx2,
            (false, false) => InstructionSet::Sse2,
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    pub(super) fn with_avx512<W: Walk>(walk: W) -> W::Output {
        walk.walk(Avx512(()))
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    pub(super) fn with_avx2<W: Walk>(walk: W) -> W::Output {
        walk.walk(Avx2(()))
    }

    /// Exists only in functions that are compiled for AVX-512.
    #[derive(Clone, Copy)]
    struct Avx512(());

    impl Classify for Avx512 {
        #[inline(always)]
        fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
            // SAFETY: the processor has the instructions, because this value exists.
            unsafe { avx512(block, mark) }
        }

        #[inline(always)]
        fn prefix_parity(self, bits: u64) -> u64 {
            // SAFETY: the processor has the instructions, because this value exists.
            unsafe { product_with_ones(bits) }
        }
    }

    /// Exists only in functions that are compiled for AVX2.
    #[derive(Clone, Copy)]
    struct Avx2(());

    impl Classify for Avx2 {
        #[inline(always)]
        fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
            // SAFETY: the processor has the instructions, because this value exists.
            unsafe { avx2(block, mark) }
        }

        #[inline(always)]
        fn prefix_parity(self, bits: u64) -> u64 {
            // SAFETY: the processor has the instructions, because this value exists.
            unsafe { product_with_ones(bits) }
        }
    }

    /// The instructions that every x86-64 has.
    #[derive(Clone, Copy)]
    pub(super) struct Sse2;

    impl Classify for Sse2 {
        #[inline(always)]
        fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
            // SAFETY: SSE2 is part of x86-64.
            unsafe { sse2(block, mark) }
        }
    }

    /// The parity of the bits up to each: the product with all ones, without carries.
    #[target_feature(enable = "pclmulqdq")]
    #[inline]
    fn product_with_ones(bits: u64) -> u64 {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits.cast_signed()), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product).cast_unsigned()
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn avx512(block: &[u8; BLOCK], mark: u8) -> Bits {
        // SAFETY: the vector is as large as the block.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let is = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
        let of_one_case = _mm512_or_si512(bytes, _mm512_set1_epi8(CASE));
        let opens = is(of_one_case, b'{');
        let white = _mm512_cmple_epu8_mask(bytes, _mm512_set1_epi8(b' '.cast_signed()));
        Bits {
            quotes: is(bytes, b'"'),
            backslashes: is(bytes, b'\\'),
            brackets: opens | is(of_one_case, b'}'),
            leads: white | is(bytes, b',') | is(bytes, b':') | opens,
            codes: is(bytes, b'u'),
            marks: is(bytes, mark),
        }
    }

    #[expect(clippy::cast_sign_loss, reason = "a bitmap")]
    #[target_feature(enable = "avx2")]
    #[inline]
    fn avx2(block: &[u8; BLOCK], mark: u8) -> Bits {
        const VECTOR: usize = 32;
        let map = |low: __m256i, high: __m256i| {
            u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << VECTOR
        };
        let is = |bytes, byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let with_case = |bytes| _mm256_or_si256(bytes, _mm256_set1_epi8(CASE));
        let opens = |bytes| is(with_case(bytes), b'{');
        let closes = |bytes| is(with_case(bytes), b'}');
        let leads = |bytes, opens| {
            let white = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(b' '.cast_signed())), bytes);
            _mm256_or_si256(_mm256_or_si256(white, _mm256_or_si256(is(bytes, b','), is(bytes, b':'))), opens)
        };
        // SAFETY: both loads are inside the block.
        let (low, high) = unsafe {
            (_mm256_loadu_si256(block.as_ptr().cast()), _mm256_loadu_si256(block.as_ptr().add(VECTOR).cast()))
        };
        let (opens_low, opens_high) = (opens(low), opens(high));
        Bits {
            quotes: map(is(low, b'"'), is(high, b'"')),
            backslashes: map(is(low, b'\\'), is(high, b'\\')),
            brackets: map(_mm256_or_si256(opens_low, closes(low)), _mm256_or_si256(opens_high, closes(high))),
            leads: map(leads(low, opens_low), leads(high, opens_high)),
            codes: map(is(low, b'u'), is(high, b'u')),
            marks: map(is(low, mark), is(high, mark)),
        }
    }

    #[expect(clippy::cast_sign_loss, reason = "a bitmap")]
    #[target_feature(enable = "sse2")]
    #[inline]
    fn sse2(block: &[u8; BLOCK], mark: u8) -> Bits {
        const VECTOR: usize = 16;
        let is = |bytes, byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
        let mut bits = Bits::default();
        for offset in (0..BLOCK).step_by(VECTOR) {
            // SAFETY: the load is inside the block.
            let bytes = unsafe { _mm_loadu_si128(block.as_ptr().add(offset).cast()) };
            let map = |vector| u64::from(_mm_movemask_epi8(vector) as u32) << offset;
            let of_one_case = _mm_or_si128(bytes, _mm_set1_epi8(CASE));
            let opens = is(of_one_case, b'{');
            let white = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(b' '.cast_signed())), bytes);
            let marks = _mm_or_si128(is(bytes, b','), is(bytes, b':'));
            bits.quotes |= map(is(bytes, b'"'));
            bits.backslashes |= map(is(bytes, b'\\'));
            bits.brackets |= map(_mm_or_si128(opens, is(of_one_case, b'}')));
            bits.leads |= map(_mm_or_si128(_mm_or_si128(white, marks), opens));
            bits.codes |= map(is(bytes, b'u'));
            bits.marks |= map(is(bytes, mark));
        }
        bits
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
        ways.extend(match x86_64::detect() {
            InstructionSet::Avx512 => vec![InstructionSet::Sse2, InstructionSet::Avx2, InstructionSet::Avx512],
            InstructionSet::Avx2 => vec![InstructionSet::Sse2, InstructionSet::Avx2],
            _ => vec![InstructionSet::Sse2],
        });
        ways
    }

    struct One<'b>(&'b [u8; BLOCK], u8);

    impl Walk for One<'_> {
        type Output = Bits;

        fn walk(self, classify: impl Classify) -> Bits {
            classify.bits(self.0, self.1)
        }
    }

    struct Parity(u64);

    impl Walk for Parity {
        type Output = u64;

        fn walk(self, classify: impl Classify) -> u64 {
            classify.prefix_parity(self.0)
        }
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
                    codes: bit(byte == b'u'),
                    marks: bit(byte == b'N'),
                };
                for way in ways() {
                    assert_eq!(Classifier(way).run(One(&block, b'N')), expected, "{way:?} {byte} at {index}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_way_gives_the_same(
            random in prop::array::uniform32(any::<u8>()),
            json in prop::array::uniform32(prop::sample::select(br#""\{}[],: ;[]{}a"#.to_vec())),
            bits in any::<u64>(),
        ) {
            let mut block = [0; BLOCK];
            block[..BLOCK / 2].copy_from_slice(&random);
            block[BLOCK / 2..].copy_from_slice(&json);
            let scalar = Classifier(InstructionSet::Scalar);
            for way in ways().into_iter().map(Classifier) {
                prop_assert_eq!(way.run(One(&block, b'a')), scalar.run(One(&block, b'a')));
                let parity = way.run(Parity(bits));
                prop_assert!((0..u64::BITS).all(|at| parity >> at & 1 == u64::from((bits << (63 - at)).count_ones() & 1)));
            }
        }
    }
}
