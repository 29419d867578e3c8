//! Opens input: recognizes gzip by its first bytes, counts sizes, and limits the decompressed size.

use std::cell::Cell;
use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// The magic bytes of gzip (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

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

/// Reads the first bytes of `input`, at most `limit`, to `stored`.
pub(super) fn beginning<'a>(input: &'a mut dyn Read, limit: u64, stored: &mut Vec<u8>) -> Rest<'a> {
    stored.clear();
    match input.take(limit).read_to_end(stored) {
        Ok(length) if (length as u64) < limit => Rest::Nothing,
        Ok(_) => Rest::More(input),
        Err(error) => Rest::Failed(Some(error)),
    }
}

/// What the first bytes of a document say about its format, if it is none that is read: what it is, and what to do.
pub(super) fn foreign(document: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 13] = [
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; decompress it, or compress it with gzip"),
        (b"\x1f\x8b", "it is compressed with gzip twice; decompress it once"),
        (b"BZh", "it is compressed with bzip2; decompress it, or compress it with gzip"),
        (b"\xfd7zXZ\0", "it is compressed with xz; decompress it, or compress it with gzip"),
        (b"\x04\x22\x4d\x18", "it is compressed with lz4; decompress it, or compress it with gzip"),
        (b"PK\x03\x04", "it is a zip archive; extract its files"),
        (b"\xff\xfe", "it is UTF-16 text; convert it to UTF-8"),
        (b"\xfe\xff", "it is UTF-16 text; convert it to UTF-8"),
        (b"{\0", "it is UTF-16 text; convert it to UTF-8"),
        (b"\0{", "it is UTF-16 text; convert it to UTF-8"),
        (b"PAR1", "it is a Parquet file; load its table with load-athena"),
        (b"ORC", "it is an ORC file; load its table with load-athena"),
        (b"SQLite format 3\0", "it is a SQLite database; see trailcreator import"),
    ];
    FORMATS.iter().find(|(magic, _)| document.starts_with(magic)).map(|(_, advice)| *advice)
}

/// Opens `input`: decompresses it where it is gzip, to at most `limit` bytes.
/// All members of a gzip file are read. Other bytes after them are an error, because they would be lost silently.
/// All members of a gzip file are read; what follows them is an error, for it would be silently lost.
pub(super) fn decompressed<'a>(
    input: &'a mut dyn Read,
    sizes: &'a Sizes,
    limit: u64,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut stored = Counted { inner: input, count: &sizes.stored };
    let mut head = Vec::with_capacity(GZIP_MAGIC.len());
    stored.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut head)?;
    let is_gzip = head == GZIP_MAGIC;
    sizes.is_gzip.set(is_gzip);
    let whole = io::Cursor::new(head).chain(stored);
    if !is_gzip {
        return Ok(Box::new(Counted { inner: whole, count: &sizes.decompressed }));
    }
    let json = MultiGzDecoder::new(BufReader::with_capacity(READ_SIZE, whole));
    Ok(Box::new(Bounded { inner: Counted { inner: json, count: &sizes.decompressed }, limit }))
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
struct Bounded<'a, R> {
    inner: Counted<'a, R>,
    limit: u64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the gzip data is truncated"),
            kind => io::Error::new(kind, format!("the gzip data is damaged: {error}")),
        })?;
        if self.inner.count.get() > self.limit {
            return Err(io::Error::other(format!("decompresses to more than {} bytes", self.limit)));
        }
        Ok(length)
    }
}
