//! Decompresses a whole gzip file with one member at once: twice as fast as in pieces, and decompression takes most of the time.
//!
//! Accepts only input that is certainly complete. `input` reads everything else as a stream, reports errors in it, and returns
//! the bytes before them.

use std::fmt;

use crc32fast::Hasher;
use libdeflater::{Decompressor, crc32};

/// The size of the decompressed bytes, at the end of a member (RFC 1952).
const SIZE: usize = 4;

/// The size of the checksum before it.
const CHECKSUM: usize = 4;

/// The size of a header without optional fields.
const HEADER: usize = 10;

/// The beginning of such a header: the signature, the method and the flags.
const PLAIN: [u8; 4] = [0x1f, 0x8b, 8, 0];

/// The fewest bytes of a member before its size: the header, an empty deflate stream and the checksum.
const BEFORE_SIZE: usize = HEADER + 2 + CHECKSUM;

/// Bytes that are checked at once: a part of a processor's second-level cache.
const CHECKED_AT_ONCE: usize = 512 * 1024;

/// The maximum compression ratio (deflate's longest match is 258 bytes, in two bits).
const LARGEST_RATIO: usize = 1032;

/// A decompressor with its buffer, for repeated use.
#[derive(Default)]
pub(super) struct Inflater {
    decompressor: Decompressor,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inflater").finish_non_exhaustive()
    }
}

impl Inflater {
    /// Decompresses `stored` to the beginning of `json`, which grows to at most `limit` bytes. Returns the decompressed
    /// size; `None` if it is not certain that this is everything.
    ///
    /// libdeflate stops after the first member and does not return its end, but it compares checksum and size with those at that
    /// end. So if the size occurs only at the end of the file, the member ends there: neither another member nor anything else follows it.
    /// By chance the size occurs earlier in one of twenty thousand files, which then only takes longer.
    pub(super) fn whole(&mut self, stored: &[u8], limit: u64, json: &mut Vec<u8>) -> Option<usize> {
        let after_checksum = stored.get(BEFORE_SIZE..)?;
        let in_trailer = after_checksum.last_chunk::<SIZE>()?;
        let size = usize::try_from(u32::from_le_bytes(*in_trailer)).ok()?;
        // The size is the one in the trailer, which can be wrong.
        if size as u64 >= limit || size / LARGEST_RATIO > stored.len() {
            return None;
        }
        if memchr::memmem::find(after_checksum, in_trailer) != Some(after_checksum.len() - SIZE) {
            return None;
        }
        if json.len() < size {
            json.resize(size, 0);
        }
        let json = &mut json[..size];
        let length = match stored.strip_prefix(&PLAIN) {
            Some(_) => {
                let (deflated, trailer) = stored.split_last_chunk::<{ CHECKSUM + SIZE }>()?;
                let length = self.decompressor.deflate_decompress(&deflated[HEADER..], json).ok()?;
                let is_intact = checksum(json).to_le_bytes() == trailer[..CHECKSUM];
                is_intact.then_some(length)?
            }
            None => self.decompressor.gzip_decompress(stored, json).ok()?,
        };
        (length == size).then_some(size)
    }
}

/// The checksum of a gzip member's bytes (CRC-32).
///
/// The last parts come first, because they are still in the cache when the bytes are just decompressed. At the end, the first parts are in the
/// cache, where whoever reads the bytes from the beginning finds them.
fn checksum(bytes: &[u8]) -> u32 {
    let mut all = Hasher::new();
    for part in bytes.chunks(CHECKED_AT_ONCE).rev() {
        let mut checked = Hasher::new_with_initial_len(crc32(part), part.len() as u64);
        checked.combine(&all);
        all = checked;
    }
    all.finalize()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u64 = 1024 * 1024;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn whole(stored: &[u8]) -> Option<Vec<u8>> {
        let mut json = vec![b'x'; 10];
        let length = Inflater::default().whole(stored, LIMIT, &mut json)?;
        Some(json[..length].to_vec())
    }

    #[test]
    fn only_a_complete_single_member_is_accepted() {
        let text = b"some text, some text, some text".repeat(100);
        let stored = gzip(&text);
        assert_eq!(whole(&stored).as_deref(), Some(&text[..]));
        assert_eq!(whole(&gzip(b"")).as_deref(), Some(&b""[..]));
        let with = |index: usize| {
            let mut damaged = stored.clone();
            damaged[index] ^= 1;
            damaged
        };
        let mut refused = vec![
            [&stored[..], &stored].concat(),
            [&stored[..], &gzip(b"")].concat(),
            [&stored[..], b"what is no gzip"].concat(),
            [&stored[..], b"what is no gzip", &stored[stored.len() - 8..]].concat(),
            [&stored[..], &stored[stored.len() - SIZE..]].concat(),
            [&stored[..], &[0; 512]].concat(),
            with(0),
            with(2),
            with(stored.len() - 1),
            with(stored.len() - 5),
            with(stored.len() / 2),
            gzip(&vec![b' '; usize::try_from(LIMIT).unwrap()]),
        ];
        refused.extend((0..stored.len()).map(|length| stored[..length].to_vec()));
        for stored in refused {
            assert_eq!(whole(&stored), None);
        }
        assert!(whole(&gzip(&vec![b' '; usize::try_from(LIMIT).unwrap() - 1])).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_taken_is_what_was_compressed(text in prop::collection::vec(0_u8..8, 0..5000)) {
            // The size can occur by chance.
            prop_assert!(whole(&gzip(&text)).is_none_or(|json| json == text));
        }
    }
}
