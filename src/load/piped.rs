//! Input that may never come: pipes, terminals and devices. A thread of its own waits for it, so that the reader can stop waiting.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The size of the pieces in which input is handed over, in bytes.
const PIECE: usize = 64 * 1024;

/// The pieces that may wait for the reader.
const PIECES: usize = 4;

/// How long the reader waits before it looks whether it was stopped.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a pipe may have no writer.
const OPENING: Duration = Duration::from_secs(10);

/// The input. A read that finds nothing returns [`io::ErrorKind::WouldBlock`] after a moment: try again.
pub(super) struct Piped {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Cursor<Vec<u8>>,
    begun: Instant,
    is_open: bool,
}

impl Piped {
    /// Opens and reads the input in a thread, which is left alone if the reader stops.
    pub(super) fn new(open: impl FnOnce() -> io::Result<Box<dyn Read>> + Send + 'static) -> Self {
        let (sender, pieces) = sync_channel(PIECES);
        thread::spawn(move || hand_over(open, &sender));
        Self { pieces, piece: Cursor::default(), begun: Instant::now(), is_open: false }
    }
}

/// The first piece is empty: the input is open.
fn hand_over(open: impl FnOnce() -> io::Result<Box<dyn Read>>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let read = || {
        let mut input = open()?;
        let mut piece = vec![0; PIECE];
        let mut length = 0;
        while sender.send(Ok(piece[..length].to_vec())).is_ok() {
            length = loop {
                match input.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            if length == 0 {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        // Without a receiver, the reader has stopped.
        let _ = sender.send(Err(error));
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.piece.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            match self.pieces.recv_timeout(PAUSE) {
                Ok(piece) => self.piece = Cursor::new(piece?),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if !self.is_open && self.begun.elapsed() > OPENING => {
                    let seconds = OPENING.as_secs();
                    return Err(io::Error::other(format!("no program has written to this pipe within {seconds} s")));
                }
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::WouldBlock.into()),
            }
            self.is_open = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut piped: Piped) -> io::Result<Vec<u8>> {
        let (mut all, mut buffer) = (Vec::new(), [0; 1000]);
        loop {
            match piped.read(&mut buffer) {
                Ok(0) => return Ok(all),
                Ok(length) => all.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    #[test]
    fn input_arrives_whole_and_errors_arrive_after_it() {
        let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let copy = content.clone();
        assert_eq!(read_all(Piped::new(move || Ok(Box::new(Cursor::new(copy))))).unwrap(), content);
        let failing = Piped::new(|| Err(io::Error::other("no such thing")));
        assert_eq!(read_all(failing).unwrap_err().to_string(), "no such thing");
    }

    #[test]
    fn reader_does_not_wait_for_input_that_never_comes() {
        let (_never, waited) = sync_channel::<()>(0);
        let mut piped = Piped::new(move || {
            let _ = waited.recv();
            Ok(Box::new(io::empty()))
        });
        assert_eq!(piped.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
