//! NEON, which every 64-bit ARM processor has.

use std::arch::aarch64::*;

use super::{BLOCK, Bits, CASE, Classify};

const _: () =
    assert!(cfg!(target_endian = "little"), "the order of bits in `bitmap` is that of little-endian processors");

/// Four vectors of a block: the first one has bytes 0, 4, 8 and so on, the second one bytes 1, 5, 9. [`bitmap`] needs this order.
type Vectors = [uint8x16_t; 4];

/// Classifies with NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon;

impl Classify for Neon {
    #[inline(always)]
    fn bits(self, block: &[u8; BLOCK], mark: u8) -> Bits {
        // SAFETY: NEON is part of 64-bit ARM.
        unsafe { classified(block, mark) }
    }
}

/// By the low four bits of a byte: the character with these bits that can precede a string, or zero if there is none. A byte of zero has the
/// low bits of the space, so it equals no entry.
const LEADS: [u8; 16] = {
    let mut leads = [0; 16];
    let characters = *b" \t\n\r,";
    let mut at = 0;
    while at < characters.len() {
        leads[(characters[at] & LOW) as usize] = characters[at];
        at += 1;
    }
    leads
};

/// The low four bits.
const LOW: u8 = 0x0f;

#[target_feature(enable = "neon")]
#[inline]
fn classified(block: &[u8; BLOCK], mark: u8) -> Bits {
    // SAFETY: the four vectors are as large as the block, and the table is as large as a vector.
    let (uint8x16x4_t(first, second, third, fourth), leads) =
        unsafe { (vld4q_u8(block.as_ptr()), vld1q_u8(LEADS.as_ptr())) };
    let bytes = [first, second, third, fourth];
    let is = |bytes, byte| vceqq_u8(bytes, vdupq_n_u8(byte));
    let of_one_case = |bytes| vorrq_u8(bytes, vdupq_n_u8(CASE));
    let opens = |bytes| is(of_one_case(bytes), b'{');
    let leads = |bytes| {
        let in_table = vceqq_u8(vqtbl1q_u8(leads, vandq_u8(bytes, vdupq_n_u8(LOW))), bytes);
        vorrq_u8(vorrq_u8(in_table, is(bytes, b':')), vorrq_u8(is(bytes, mark), opens(bytes)))
    };
    Bits {
        quotes: bitmap(bytes.map(|bytes| is(bytes, b'"'))),
        backslashes: bitmap(bytes.map(|bytes| is(bytes, b'\\'))),
        opens: bitmap(bytes.map(opens)),
        closes: bitmap(bytes.map(|bytes| is(of_one_case(bytes), b'}'))),
        leads: bitmap(bytes.map(leads)),
    }
}

/// A bit for each byte, in the order of the block. The bytes are all ones or zero.
#[target_feature(enable = "neon")]
#[inline]
fn bitmap([first, second, third, fourth]: Vectors) -> u64 {
    // Four consecutive bytes of the block are at the same position of the four vectors. Their bits become the upper half of one byte, which is
    // then copied into its lower half.
    let upper = vsriq_n_u8::<1>(fourth, third);
    let lower = vsriq_n_u8::<1>(second, first);
    let halves = vsriq_n_u8::<2>(upper, lower);
    let both = vsriq_n_u8::<4>(halves, halves);
    // Of each two bytes, the lower half of the first one and the upper half of the second one are kept.
    let bits = vshrn_n_u16::<4>(vreinterpretq_u16_u8(both));
    vget_lane_u64::<0>(vreinterpret_u64_u8(bits))
}
