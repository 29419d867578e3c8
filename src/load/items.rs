//! The scanners' end of the queue: items shared by threads, until they end or the load is to stop.

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::executor::block_on;
use tokio::sync::mpsc;

use super::{Item, Stop};

/// Items that threads take in turn.
pub(super) struct Items<'a> {
    receiver: Mutex<mpsc::Receiver<Item>>,
    stop: &'a Stop,
}

impl<'a> Items<'a> {
    pub(super) fn new(receiver: mpsc::Receiver<Item>, stop: &'a Stop) -> Self {
        Self { receiver: Mutex::new(receiver), stop }
    }

    /// The next one; waits for it. `None`: there are no more, or the load is to stop, which a source that waits itself (for
    /// a terminal's input) may not notice.
    pub(super) fn next(&self) -> Option<Item> {
        let mut receiver = self.lock();
        block_on(async {
            tokio::select! {
                biased;
                () = self.stop.wait() => None,
                item = receiver.recv() => item,
            }
        })
    }

    /// Takes no more: the source may be waiting for room in the queue that nobody will make any more.
    pub(super) fn close(&self) {
        self.lock().close();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// A unit's bytes, which end with an error once the load is to stop.
    pub(super) fn stoppable(&self, input: Box<dyn Read + Send>) -> Stoppable<'a> {
        Stoppable { input, stop: self.stop }
    }

    fn lock(&self) -> MutexGuard<'_, mpsc::Receiver<Item>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Input that ends with an error once the load is to stop.
pub(super) struct Stoppable<'a> {
    input: Box<dyn Read + Send>,
    stop: &'a Stop,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other("stopped"));
        }
        self.input.read(buffer)
    }
}
