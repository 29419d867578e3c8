//! Opens input: recognizes gzip, zstd and UTF-16 by the first bytes, counts sizes, and limits the decompressed size.
//!
//! Layers can be nested: Firehose compresses the objects of subscription data, which CloudWatch Logs has compressed before.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::ops::Range;

use flate2::bufread::MultiGzDecoder;

use super::layer::{Utf16, Zstd};

/// Bytes of compressed input read at a time.
const READ_SIZE: usize = 64 * 1024;

/// The number of bytes read.
#[derive(Debug, Default)]
pub(in crate::trail) struct Sizes {
    /// As stored.
    pub(in crate::trail) stored: Cell<u64>,
    /// Of JSON.
    pub(in crate::trail) decompressed: Cell<u64>,
    /// Whether they were gzip.
    pub(in crate::trail) is_gzip: Cell<bool>,
}

impl Sizes {
    /// The maximum size of a complete gzip file, in bytes.
    pub(super) fn set_whole(&self, stored: usize, decompressed: usize) {
        self.stored.set(stored as u64);
        self.decompressed.set(decompressed as u64);
        self.is_gzip.set(true);
    }
}

/// The rest of the input after a beginning in memory.
pub(super) enum Rest<'a> {
    /// Nothing.
    Nothing,
    /// A read error, which is reported after the beginning was processed.
    Failed(Option<io::Error>),
    /// More input.
    More(&'a mut dyn Read),
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Nothing => Ok(0),
            Self::Failed(error) => error.take().map_or(Ok(0), Err),
            Self::More(input) => input.read(buffer),
        }
    }
}

/// The size of the buffer for stored bytes at first. Most of CloudTrail's files fit into it.
const STORED: usize = 256 * 1024;

/// The usual size of a page, in bytes.
const PAGE: usize = 4096;

/// Reads the first bytes of `input`, at most `limit`, into `stored`, and returns where they are.
pub(super) fn beginning<'a>(input: &'a mut dyn Read, limit: usize, stored: &mut Vec<u8>) -> (Range<usize>, Rest<'a>) {
    if stored.is_empty() {
        stored.resize(PAGE + STORED.min(limit), 0);
    }
    // At the beginning of a page. glibc allocates large buffers 16 bytes after one, and AMD's Zen 3 copies the pages of a file there at a third
    // of the speed.
    let start = stored.as_ptr().align_offset(PAGE).min(PAGE);
    let mut end = start;
    while end - start < limit {
        if end == stored.len() {
            // Grows once for most files, and not for each again: the bytes after the end are from earlier files.
            stored.resize(start + (2 * (end - start)).clamp(STORED.min(limit), limit), 0);
        }
        let until = stored.len().min(start + limit);
        match input.read(&mut stored[end..until]) {
            Ok(0) => return (start..end, Rest::Nothing),
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (start..end, Rest::Failed(Some(error))),
        }
    }
    (start..end, Rest::More(input))
}

/// Layers of compression that are opened.
const LAYERS: usize = 4;

/// How the first bytes of a layer say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Gzip,
    Zstd,
    Utf16 { is_big_endian: bool },
    Plain,
}

impl Layer {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one that is skipped (RFC 8878).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xff, 0xfe, ..] => Self::Utf16 { is_big_endian: false },
            [0xfe, 0xff, ..] => Self::Utf16 { is_big_endian: true },
            _ => Self::Plain,
        }
    }
}

/// Bytes that a layer is recognized by.
const MAGIC: usize = 4;

/// Whether a decompressed file has another layer inside.
pub(super) fn is_wrapped(document: &[u8]) -> bool {
    Layer::of(document) != Layer::Plain
}

/// What the first bytes of a document say about its format, if it is none that is read and may hide log files: what it is, and what
/// to do. What can hold none is of another kind ([`crate::trail::envelope`]) and no failure.
pub(super) fn foreign(document: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 6] = [
        (b"BZh", "it is compressed with bzip2; decompress it, or compress it with gzip"),
        (b"\xfd7zXZ\0", "it is compressed with xz; decompress it, or compress it with gzip"),
        (b"\x04\x22\x4d\x18", "it is compressed with lz4; decompress it, or compress it with gzip"),
        (b"PK\x03\x04", "it is a zip archive; extract its files"),
        (b"{\0", "it is UTF-16 text; convert it to UTF-8"),
        (b"\0{", "it is UTF-16 text; convert it to UTF-8"),
    ];
    FORMATS.iter().find(|(magic, _)| document.starts_with(magic)).map(|(_, advice)| *advice)
}

/// Opens `input`: decompresses it where it is compressed, to at most `limit` bytes, and decodes UTF-16.
/// All members of a gzip file are read; what follows them is an error, for it would be silently lost.
pub(super) fn decompressed<'a>(
    input: &'a mut dyn Read,
    sizes: &'a Sizes,
    limit: u64,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut reader: Box<dyn Read + 'a> = Box::new(Counted { inner: input, count: &sizes.stored });
    for _ in 0..LAYERS {
        let mut head = Vec::with_capacity(MAGIC);
        reader.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
        let layer = Layer::of(&head);
        let whole = BufReader::with_capacity(READ_SIZE, io::Cursor::new(head).chain(reader));
        let (format, opened): (_, Box<dyn Read + 'a>) = match layer {
            Layer::Gzip => ("gzip", Box::new(MultiGzDecoder::new(whole))),
            Layer::Zstd => ("zstd", Box::new(Zstd::new(whole))),
            Layer::Utf16 { is_big_endian } => {
                reader = Box::new(Utf16::new(whole, is_big_endian));
                continue;
            }
            Layer::Plain => {
                reader = Box::new(whole);
                break;
            }
        };
        sizes.is_gzip.set(true);
        reader = Box::new(Bounded { inner: opened, read: 0, limit, format });
    }
    Ok(Box::new(Counted { inner: reader, count: &sizes.decompressed }))
}

struct Counted<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.set(self.count.get() + length as u64);
        Ok(length)
    }
}

/// Decompressed bytes, up to a limit, with errors that name the cause.
struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    read: u64,
    limit: u64,
    /// The name of the compression.
    format: &'static str,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let format = self.format;
        let length = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), format!("the {format} data is truncated")),
            kind => io::Error::new(kind, format!("the {format} data is damaged: {error}")),
        })?;
        self.read += length as u64;
        if self.read > self.limit {
            return Err(io::Error::other(format!("decompresses to more than {} bytes", self.limit)));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(60_000);
            self.0.read(&mut buffer[..some])
        }
    }

    #[test]
    fn a_beginning_is_all_bytes_up_to_the_limit_at_the_start_of_a_page() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * STORED + 5).collect();
        let mut stored = Vec::new();
        for limit in [1, 100, STORED - 1, STORED, STORED + 1, 2 * STORED + 1, 4 * STORED] {
            for length in [0, 1, 99, 100, 101, STORED, STORED + 1, 2 * STORED, bytes.len()] {
                let mut input = Slow(&bytes[..length]);
                let (place, rest) = beginning(&mut input, limit, &mut stored);
                assert_eq!(stored[place.clone()], bytes[..length.min(limit)], "{length} bytes, at most {limit}");
                assert_eq!(matches!(rest, Rest::Nothing), length < limit, "{length} bytes, at most {limit}");
                // A buffer that just grew may be at another place.
                let _ = beginning(&mut Slow(&bytes[..length]), limit, &mut stored);
                let (place, _) = beginning(&mut Slow(&bytes[..length]), limit, &mut stored);
                assert_eq!(stored[place.start..].as_ptr().addr() % PAGE, 0);
            }
        }
    }
}
