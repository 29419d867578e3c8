//! The receiving end of the queue: items shared by threads, until the queue ends or the load is stopped.

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::executor::block_on;
use tokio::sync::mpsc;

use super::Item;
use tokio_util::sync::CancellationToken;

/// Items that threads take in turn.
pub(super) struct Items<'a> {
    receiver: Mutex<mpsc::Receiver<Item>>,
    stop: &'a CancellationToken,
}

impl<'a> Items<'a> {
    pub(super) fn new(receiver: mpsc::Receiver<Item>, stop: &'a CancellationToken) -> Self {
        Self { receiver: Mutex::new(receiver), stop }
    }

    /// The next item, if there is one without waiting.
    pub(super) fn ready(&self) -> Option<Item> {
        // Another thread holds the lock while it waits itself.
        let mut receiver = self.receiver.try_lock().ok()?;
        if self.stop.is_cancelled() { None } else { receiver.try_recv().ok() }
    }

    /// Waits for the next item. `None` if there are no more, or if the load is stopped: a source that is itself waiting (for
    /// input from a terminal) may not notice that.
    pub(super) fn next(&self) -> Option<Item> {
        let mut receiver = self.lock();
        block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                item = receiver.recv() => item,
            }
        })
    }

    /// Closes the queue: the source may be waiting for space in it, which no one makes any more.
    pub(super) fn close(&self) {
        self.lock().close();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Wraps a unit's input so that it returns an error once the load is stopped.
    pub(super) fn stoppable(&self, input: Box<dyn Read + Send>) -> Stoppable<'a> {
        Stoppable { input, stop: self.stop }
    }

    fn lock(&self) -> MutexGuard<'_, mpsc::Receiver<Item>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Input that returns an error once the load is stopped.
pub(super) struct Stoppable<'a> {
    input: Box<dyn Read + Send>,
    stop: &'a CancellationToken,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.is_cancelled() {
                return Err(io::Error::other("stopped"));
            }
            match self.input.read(buffer) {
                // A pipe without data ([`super::piped`]) has waited a moment.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}
