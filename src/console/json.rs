//! JSON documents that are written to stdout while they are made: neither their text nor their lists are in memory as a whole.

use std::io;
use std::str;

use serde::{Serialize, Serializer};

use super::Console;
use crate::text::safe;

/// Bytes that are written at a time. A shorter document is one write.
const PART: usize = 64 * 1024;

/// A list that is serialized entry by entry, so that it is never in memory as a whole. Each call of the function returns an iterator over the
/// same entries.
#[derive(Debug)]
pub struct Each<F>(pub F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Where `serde_json` writes to. What stdout does not take is noted by the console, and is no error here.
pub(super) struct Parts<'c> {
    console: &'c Console,
    pending: Vec<u8>,
}

impl<'c> Parts<'c> {
    pub(super) fn new(console: &'c Console) -> Self {
        Self { console, pending: Vec::new() }
    }

    /// Writes what is left, and a line end.
    pub(super) fn finish(self) {
        // Pieces of `serde_json` are whole texts.
        self.console.json_part(&String::from_utf8_lossy(&self.pending));
    }

    /// Writes all whole characters.
    fn pass_on(&mut self) {
        let whole = match str::from_utf8(&self.pending) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&self.pending[..error.valid_up_to()]).unwrap_or_default(),
        };
        if !self.console.is_closed() {
            self.console.write_data(&safe::json(whole), "");
        }
        let written = whole.len();
        self.pending.drain(..written);
    }
}

impl io::Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PART {
            self.pass_on();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
