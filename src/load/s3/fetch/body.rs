//! Bodies on their way to the scanner: held in memory within the limit, or streamed in chunks.

use std::io::{self, Cursor, Read};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// The destination of a body.
pub(super) enum Taker<'a> {
    Memory(&'a mut Vec<u8>),
    Scanner(&'a mpsc::Sender<io::Result<Vec<u8>>>),
}

impl Taker<'_> {
    /// Takes a chunk. Returns whether more is needed.
    pub(super) async fn take(&mut self, chunk: &[u8]) -> bool {
        match self {
            Self::Memory(bytes) => {
                bytes.extend_from_slice(chunk);
                true
            }
            Self::Scanner(scanner) => scanner.send(Ok(chunk.to_vec())).await.is_ok(),
        }
    }
}

/// Bytes that count towards the memory limit while they are held.
pub(super) struct Held {
    pub(super) bytes: Cursor<Vec<u8>>,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

/// A body that is still arriving.
pub(super) struct Chunks {
    pub(super) chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    pub(super) current: Cursor<Vec<u8>>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.current.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            match self.chunks.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => self.current = Cursor::new(chunk?),
            }
        }
    }
}
