//! Layers around a document's JSON that no crate reads as streams: frames of zstd, one after the other, and UTF-16.

use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes of UTF-16 read at a time.
const READ_SIZE: usize = 64 * 1024;

/// Frames of zstd, as one text. The decoder reads a block at a time and refuses frames that need more than 100 MiB of memory.
pub(super) struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), is_in_frame: false }
    }

    /// Begins the next frame. Returns whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut skipped = self.source.by_ref().take(length.into());
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(as_io(&error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_in_frame && !self.begin()? {
                return Ok(0);
            }
            self.is_in_frame = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| as_io(&error))?;
            }
            let length = self.decoder.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            self.is_in_frame = false;
        }
    }
}

/// The error of reading, if that is the cause.
fn as_io(error: &FrameDecoderError) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return io::Error::new(error.kind(), error.to_string());
        }
        cause = error.source();
    }
    io::Error::other(error.to_string())
}

/// UTF-16 as UTF-8: what PowerShell writes for `aws … > file.json`.
pub(super) struct Utf16<R> {
    inner: R,
    is_big_endian: bool,
    /// Bytes that are not decoded yet.
    open: Vec<u8>,
    ready: io::Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(inner: R, is_big_endian: bool) -> Self {
        Self { inner, is_big_endian, open: Vec::new(), ready: io::Cursor::default() }
    }

    /// Decodes all complete characters, at the end of the input also what is left.
    fn decode(&mut self, is_end: bool) -> String {
        let read =
            |pair: &[u8; 2]| if self.is_big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
        let mut units: Vec<u16> = self.open.as_chunks::<2>().0.iter().map(read).collect();
        let is_half = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        if is_half && !is_end {
            units.pop();
        }
        self.open.drain(..units.len() * 2);
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.ready.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let start = self.open.len();
            self.open.resize(start + READ_SIZE, 0);
            let read = self.inner.read(&mut self.open[start..]);
            self.open.truncate(start + read.as_ref().copied().unwrap_or_default());
            let text = self.decode(read? == 0);
            if text.is_empty() && self.open.len() <= start {
                return Ok(0);
            }
            self.ready = io::Cursor::new(text.into_bytes());
        }
    }
}
