//! SSE2, which every x86-64 processor has.

use std::arch::x86_64::*;

use super::{BLOCK, Bits, CASE, Classify};

/// Classifies with SSE2.
#[derive(Clone, Copy)]
pub(super) struct Sse2;

impl Classify for Sse2 {
    #[inline(always)]
    fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { sse2(block, mark) }
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
        let marks = _mm_or_si128(_mm_or_si128(is(bytes, b','), is(bytes, b':')), is(bytes, mark));
        bits.quotes |= map(is(bytes, b'"'));
        bits.backslashes |= map(is(bytes, b'\\'));
        bits.opens |= map(opens);
        bits.closes |= map(is(of_one_case, b'}'));
        bits.leads |= map(_mm_or_si128(_mm_or_si128(white, marks), opens));
    }
    bits
}
