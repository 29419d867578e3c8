//! Decompresses a whole gzip file with one member at once: twice as fast as in pieces, and decompression takes most of the time.
//!
//! Accepts only input that is certainly complete. `input` reads everything else as a stream, reports errors in it, and returns
//! the bytes before them.
//!
//! Source: RFC 1952 (<https://www.rfc-editor.org/rfc/rfc1952>)

mod libdeflate;

use std::fmt;

use crc32fast::Hasher;
use libdeflater::crc32;

use libdeflate::{Decompressor, Inflated};

/// The beginning of a member: the signature, and deflate as the method.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// The size of a header without optional fields.
const HEADER: usize = 10;

/// The flags of the optional fields, in their order: one with a length before it, and two texts that end with a zero.
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// The size of the checksum after the stream, and of the size after the checksum.
const CHECKSUM: usize = 4;
const SIZE: usize = 4;

/// The maximum compression ratio (deflate's longest match is 258 bytes, in two bits).
const LARGEST_RATIO: usize = 1032;

/// Bytes in a part of the checksum: they fit into a processor's second-level cache.
const CHECKED_AT_ONCE: usize = 512 * 1024;

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
    pub(super) fn whole(&mut self, stored: &[u8], limit: u64, json: &mut Vec<u8>) -> Option<usize> {
        let (stream, [checksum, size]) = parts(stored)?;
        let size = usize::try_from(size).ok()?;
        // The size is the one in the trailer, which can be wrong.
        if size as u64 >= limit || size / LARGEST_RATIO > stored.len() {
            return None;
        }
        if json.len() < size {
            json.resize(size, 0);
        }
        let json = &mut json[..size];
        // Another member, or anything else, would be between the end of the stream and the trailer.
        let all = Inflated { stored: stream.len(), decompressed: size };
        let is_whole = self.decompressor.inflate(stream, json)? == all && checksum_of(json) == checksum;
        is_whole.then_some(size)
    }
}

/// The stream of a file with one member, and the checksum and size in its trailer. `None` if it begins differently, or has a checksum of its header.
fn parts(stored: &[u8]) -> Option<(&[u8], [u32; 2])> {
    let (header, mut rest) = stored.split_at_checked(HEADER)?;
    let flags = header.strip_prefix(&MAGIC)?[0];
    if flags & !(EXTRA | NAME | COMMENT) != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk()?;
        rest = extra.get(u16::from_le_bytes(*length).into()..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = &rest[memchr::memchr(0, rest)? + 1..];
        }
    }
    let (stream, trailer) = rest.split_last_chunk::<{ CHECKSUM + SIZE }>()?;
    let (checksum, size) = trailer.split_first_chunk()?;
    Some((stream, [u32::from_le_bytes(*checksum), u32::from_le_bytes(*size.first_chunk()?)]))
}

/// The checksum of a member's bytes (CRC-32).
///
/// The last parts come first, because they are still in the cache when the bytes are just decompressed. At the end, the first parts are in the
/// cache, where whoever reads the bytes from the beginning finds them.
fn checksum_of(bytes: &[u8]) -> u32 {
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
            [&stored[..stored.len() - 8], b"junk", &stored[stored.len() - 8..]].concat(),
            [&stored[..stored.len() - 8], b"no trailer", &gzip(b"another member"), &stored].concat(),
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

    #[test]
    fn a_header_can_have_a_name_a_comment_and_other_fields() {
        let text = b"some text, some text, some text";
        let with = |encoder: flate2::GzBuilder| {
            let mut encoder = encoder.write(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let builder = flate2::GzBuilder::new;
        for stored in [
            with(builder().filename("a.json")),
            with(builder().comment("c")),
            with(builder().extra([1, 2, 0, 3]).filename("").comment("c").mtime(7).operating_system(3)),
        ] {
            assert_eq!(whole(&stored).as_deref(), Some(&text[..]));
            for length in 0..stored.len() {
                assert_eq!(whole(&stored[..length]), None);
            }
        }
        let mut checked = gzip(text);
        checked[3] = 2;
        assert_eq!(whole(&checked), None, "the header has a checksum");
    }

    #[test]
    fn a_checksum_is_of_all_parts_in_their_order() {
        let byte = |index: usize| (index * index / 7).to_le_bytes()[0];
        for length in [0, 1, CHECKED_AT_ONCE, CHECKED_AT_ONCE + 1, 3 * CHECKED_AT_ONCE - 1] {
            let bytes: Vec<u8> = (0..length).map(byte).collect();
            assert_eq!(checksum_of(&bytes), crc32(&bytes));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_taken_is_what_was_compressed(text in prop::collection::vec(0_u8..8, 0..5000)) {
            prop_assert_eq!(whole(&gzip(&text)), Some(text));
        }
    }
}
