//! AVX2, and SSE2, which every x86-64 processor has.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use super::{BLOCK, Bits, CASE, Classify, Walk};

/// Whether the processor has the instructions of AVX2 and others of the same age.
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn with_avx2<W: Walk>(walk: W) -> W::Output {
    walk.walk(Avx2(()))
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

#[expect(clippy::cast_sign_loss, reason = "a bitmap")]
#[target_feature(enable = "avx2")]
#[inline]
fn avx2(block: &[u8; BLOCK], mark: u8) -> Bits {
    const VECTOR: usize = 32;
    let map = |low: __m256i, high: __m256i| {
        u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << VECTOR
    };
    let is = |bytes, byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
    let with_case = |bytes| _mm256_or_si256(bytes, _mm256_set1_epi8(CASE.cast_signed()));
    let opens = |bytes| is(with_case(bytes), b'{');
    let closes = |bytes| is(with_case(bytes), b'}');
    // For the low four bits of a byte, the character that can precede a string and has them, if there is one.
    let table = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        b' ' as i8,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        b'\t' as i8,
        b'\n' as i8,
        -1,
        b',' as i8,
        b'\r' as i8,
        -1,
        -1,
    ));
    let leads = |bytes, opens| {
        let in_table = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, bytes), bytes);
        _mm256_or_si256(_mm256_or_si256(in_table, is(bytes, b':')), opens)
    };
    // SAFETY: both loads are inside the block.
    let (low, high) =
        unsafe { (_mm256_loadu_si256(block.as_ptr().cast()), _mm256_loadu_si256(block.as_ptr().add(VECTOR).cast())) };
    let (opens_low, opens_high) = (opens(low), opens(high));
    Bits {
        quotes: map(is(low, b'"'), is(high, b'"')),
        backslashes: map(is(low, b'\\'), is(high, b'\\')),
        opens: map(opens_low, opens_high),
        closes: map(closes(low), closes(high)),
        leads: map(leads(low, opens_low), leads(high, opens_high)),
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
        let of_one_case = _mm_or_si128(bytes, _mm_set1_epi8(CASE.cast_signed()));
        let opens = is(of_one_case, b'{');
        let lines = _mm_or_si128(is(bytes, b'\n'), is(bytes, b'\r'));
        let white = _mm_or_si128(_mm_or_si128(is(bytes, b' '), is(bytes, b'\t')), lines);
        let marks = _mm_or_si128(is(bytes, b','), is(bytes, b':'));
        bits.quotes |= map(is(bytes, b'"'));
        bits.backslashes |= map(is(bytes, b'\\'));
        bits.opens |= map(opens);
        bits.closes |= map(is(of_one_case, b'}'));
        bits.leads |= map(_mm_or_si128(_mm_or_si128(white, marks), opens));
        bits.marks |= map(is(bytes, mark));
    }
    bits
}
