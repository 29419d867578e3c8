//! Classifies bytes of JSON: for each block of 64 bytes, bitmaps of the structural characters.
//!
//! Unsafe code, as in `avx2`, `avx512`, `sse2` and `neon`. [`Scalar`] is the reference and works everywhere. SSE2, AVX2, AVX-512 and NEON (on ARM) have
//! the same result, and tests compare all implementations that the machine supports.
//!
//! `Collect::walk` is compiled once for each of them, so its bitmaps stay in registers. AVX2 and AVX-512 have walks of their own, for four and
//! eight blocks at a time. Who reads the marks can be compiled for processors with AVX2 too, by [`Classifier::call`].
//!
//! # Why it is safe
//! Three things are unsafe. Functions are called that are compiled for instructions that the processor may lack: [`Classifier`] can be
//! created only by [`Classifier::detect`] (and by the tests, with the same check), which selects an implementation only if the
//! processor supports it. Vectors are loaded and stored: with SSE2, a load reads `VECTOR` bytes at an offset into a `&[u8; BLOCK]` that is a
//! multiple of `VECTOR` and less than `BLOCK`, so it stays inside; otherwise, each array that is loaded or stored is as large as its
//! vectors. The instructions need no alignment. And with AVX2, numbers of 64 bits are written as two of 32 bits.

#![allow(unsafe_code, reason = "vector instructions have no safe way in; the argument is above")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod bmi;
pub(super) mod marks;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod sse2;

use marks::Collect;

/// The size of a block in bytes: one bit each in a `u64`.
pub(super) const BLOCK: usize = 64;

/// The bit that distinguishes `{` and `}` from `[` and `]`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const CASE: u8 = 0x20;

/// How far ahead to prefetch, in bytes. A file that was just decompressed is often larger than a core's own caches.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 2048;

/// The bitmaps of a block. The lowest bit is its first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// `"`
    pub(super) quotes: u64,
    /// `\`
    pub(super) backslashes: u64,
    /// `{`, `[`
    pub(super) opens: u64,
    /// `}`, `]`
    pub(super) closes: u64,
    /// Characters that can precede a string (`{`, `[`, `,`, `:` and white space), and the marked byte. They share a bitmap because each
    /// bitmap costs time. So a string right after the marked byte, which is not valid JSON, does not count as unusual.
    pub(super) leads: u64,
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
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg_attr(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        allow(dead_code, reason = "every processor of these kinds has vectors; the tests compare with it")
    )]
    Scalar,
}

impl Classifier {
    /// Selects the fastest implementation.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let way = match () {
            () if avx512::is_supported() => InstructionSet::Avx512,
            () if avx2::is_supported() => InstructionSet::Avx2,
            () => InstructionSet::Sse2,
        };
        #[cfg(target_arch = "aarch64")]
        let way = InstructionSet::Neon;
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let way = InstructionSet::Scalar;
        Self(way)
    }

    /// Calls a function, which is compiled for the processor as far as it is inlined: numbers of bits are counted with one instruction.
    #[inline(always)]
    pub(super) fn call<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects these only if the processor has the instructions of `bmi` too.
            InstructionSet::Avx512 | InstructionSet::Avx2 => unsafe { bmi::call(work) },
            _ => work(),
        }
    }

    /// Marks the next blocks.
    pub(super) fn collect(self, collect: Collect<'_>) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects this implementation only if the processor has its instructions.
            InstructionSet::Avx512 => unsafe { avx512::collect(collect) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` selects this implementation only if the processor has its instructions.
            InstructionSet::Avx2 => unsafe { avx2::collect(collect) },
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Sse2 => collect.walk(sse2::Sse2),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => collect.walk(neon::Neon),
            InstructionSet::Scalar => collect.walk(Scalar),
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
            bits.leads |= if *byte == mark { bit } else { 0 };
            match byte {
                b'"' => bits.quotes |= bit,
                b'\\' => bits.backslashes |= bit,
                b'{' | b'[' => {
                    bits.opens |= bit;
                    bits.leads |= bit;
                }
                b'}' | b']' => bits.closes |= bit,
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => bits.leads |= bit,
                _ => {}
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trail::scan::keys::Keys;
    use marks::{CHUNK, Marks, State};

    /// Other implementations than the reference, all that the machine supports.
    fn ways() -> Vec<InstructionSet> {
        #[cfg(target_arch = "x86_64")]
        return [
            (InstructionSet::Sse2, true),
            (InstructionSet::Avx2, avx2::is_supported()),
            (InstructionSet::Avx512, avx512::is_supported()),
        ]
        .into_iter()
        .filter_map(|(way, is_supported)| is_supported.then_some(way))
        .collect();
        #[cfg(target_arch = "aarch64")]
        return vec![InstructionSet::Neon];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return Vec::new();
    }

    /// A marked block: its index, depth, opening and closing brackets and strings.
    type Block = (usize, i64, u64, u64, u64);

    /// The marks of a text, chunk by chunk, with the state after each.
    fn marks(way: InstructionSet, keys: &Keys, text: &[u8]) -> Vec<(Vec<Block>, Option<State>)> {
        let mut state = State::new();
        let mut chunks = Vec::new();
        for json in text.chunks(CHUNK * BLOCK) {
            let mut marks = Marks::new();
            let pattern = keys.pattern();
            let state = &mut state;
            Classifier(way).collect(Collect { state, json, blocks: CHUNK, pattern, marks: &mut marks });
            let block = |at| (at, marks.depths[at], marks.opens[at], marks.closes[at], marks.strings[at]);
            let is_marked = |at: &usize| marks.blocks >> at & 1 == 1;
            // Some implementations also mark the padding: a backslash at the very end escapes its first byte.
            let blocks = (0..json.len().div_ceil(BLOCK))
                .filter(is_marked)
                .map(block)
                .filter(|block| block.2 | block.3 | block.4 != 0)
                .collect();
            let is_complete = json.len() == CHUNK * BLOCK && !marks.is_unusual;
            chunks.push((blocks, is_complete.then_some(*state)));
            if marks.is_unusual {
                break;
            }
        }
        chunks
    }

    fn assert_as_reference(keys: &Keys, text: &[u8]) {
        let expected = marks(InstructionSet::Scalar, keys, text);
        for way in ways() {
            assert_eq!(marks(way, keys, text), expected, "{way:?}: {}", String::from_utf8_lossy(text));
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
                    opens: bit(b"{[".contains(&byte)),
                    closes: bit(b"}]".contains(&byte)),
                    leads: bit(b"{[,: \t\n\rN".contains(&byte)),
                };
                assert_eq!(Scalar.bits(&block, b'N'), expected, "{byte} at {index}");
                #[cfg(target_arch = "x86_64")]
                assert_eq!(sse2::Sse2.bits(&block, b'N'), expected, "SSE2: {byte} at {index}");
                #[cfg(target_arch = "aarch64")]
                assert_eq!(neon::Neon.bits(&block, b'N'), expected, "NEON: {byte} at {index}");
                // A string follows the byte. If none can begin there, the marks end before it, without the bracket.
                let text: Vec<u8> = [&block[..=index], &b"\"N\"{"[..], &block[..]].concat();
                assert_as_reference(&Keys::new(&["eventName"]), &text);
            }
        }
    }

    /// Texts that are often like JSON for a while.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(vec![
            "{\"",
            "\"}",
            "\":{\"",
            "\"},\"",
            "\":[",
            "],\"",
            "\":\"",
            "\",\"",
            "\\\"",
            "\\\\",
            "\\u0041",
            "\\",
            "eventName",
            "eventSource",
            "a",
            "aaaaaaaaaaaaaaaaaaaaaaa",
            " ",
            "\n",
            ":",
            ",",
            "[",
            "]",
            "{",
            "}",
            "\"",
            "1",
            "é",
        ]);
        let parts = prop::collection::vec(part, 0..400);
        (parts, 0..130_usize).prop_map(|(parts, pad)| [" ".repeat(pad), parts.concat()].concat().into_bytes())
    }

    /// Texts that are like JSON to the end.
    fn records() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(vec![
            "\"eventName\":\"CreateBucket\",",
            "\"a\":{\"eventName\":[{},[\"\"]]},",
            "\"b\":\"\\\\\\\"{[\",",
            "\"c\":1.5,",
            "},{",
            "\"userAgent\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",",
            "\"d\":\"\\u0041\\\\\\\\\", ",
        ]);
        let parts = prop::collection::vec(part, 0..300);
        (parts, 0..130_usize)
            .prop_map(|(parts, pad)| ["{", &" ".repeat(pad), &parts.concat(), "}]}"].concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_way_gives_the_same(text in text(), records in records(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            for keys in [Keys::new(&["eventName"]), Keys::new(&["eventName", "eventSource", "userAgent"])] {
                assert_as_reference(&keys, &text);
                assert_as_reference(&keys, &records);
                assert_as_reference(&keys, &bytes);
            }
        }

        #[test]
        fn parity_is_that_of_the_bits_up_to_each(bits in any::<u64>()) {
            let parity = Scalar.prefix_parity(bits);
            prop_assert!((0..u64::BITS).all(|at| parity >> at & 1 == u64::from((bits << (63 - at)).count_ones() & 1)));
        }
    }
}
