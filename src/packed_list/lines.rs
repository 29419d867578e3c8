//! Blocks of a list, and their lines: a document each.

use std::borrow::Borrow;

use libdeflater::Decompressor;

/// Between the documents of a block: in JSON it is never part of a text.
pub(super) const SEPARATOR: u8 = b'\n';

/// The list cannot be damaged: nothing else writes it.
pub(super) const OWN_TEXT: &str = "it was written by this list";

/// A part of the list, compressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    pub(super) compressed: Box<[u8]>,
    /// Bytes of its JSON.
    pub(super) size: usize,
}

/// The lines of blocks, and of the open end of their list. Blocks that it owns are dropped when they have been read.
pub(super) struct Lines<B, O> {
    blocks: B,
    open: Option<O>,
    /// The text of the block that is read.
    text: Vec<u8>,
    at: usize,
    decompressor: Option<Decompressor>,
}

impl<B: Iterator<Item: Borrow<Block>>, O: AsRef<[u8]>> Lines<B, O> {
    pub(super) fn new(blocks: B, open: O) -> Self {
        Self { blocks, open: Some(open), text: Vec::new(), at: 0, decompressor: None }
    }

    pub(super) fn next(&mut self) -> Option<&[u8]> {
        while self.at == self.text.len() {
            self.at = 0;
            // After the last one there is nothing to read again.
            self.text.clear();
            if let Some(block) = self.blocks.next() {
                let decompressor = self.decompressor.get_or_insert_with(Decompressor::new);
                block.borrow().read_to(&mut self.text, decompressor);
            } else {
                self.text.extend_from_slice(self.open.take()?.as_ref());
            }
        }
        let rest = &self.text[self.at..];
        let length = memchr::memchr(SEPARATOR, rest).expect(OWN_TEXT);
        self.at += length + 1;
        Some(&rest[..length])
    }
}

impl Block {
    fn read_to(&self, text: &mut Vec<u8>, decompressor: &mut Decompressor) {
        text.resize(self.size, 0);
        let size = decompressor.deflate_decompress(&self.compressed, text).expect(OWN_TEXT);
        text.truncate(size);
    }
}
