//! Blocks of a list, and their lines: a document each.

use libdeflater::Decompressor;

/// Between the documents of a block: in JSON it is never part of a text.
pub(super) const SEPARATOR: u8 = b'\n';

/// The list cannot be damaged: nothing else writes it.
pub(super) const OWN_TEXT: &str = "it was written by this list";

/// A part of the list, compressed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) compressed: Box<[u8]>,
    /// Bytes of its JSON.
    pub(super) size: usize,
}

/// The lines of a list.
pub(super) struct Lines<'l> {
    blocks: &'l [Block],
    open: Option<&'l [u8]>,
    /// The text of the block that is read.
    text: Vec<u8>,
    at: usize,
    decompressor: Option<Decompressor>,
}

impl<'l> Lines<'l> {
    pub(super) fn new(blocks: &'l [Block], open: &'l [u8]) -> Self {
        Self { blocks, open: Some(open), text: Vec::new(), at: 0, decompressor: None }
    }

    pub(super) fn next(&mut self) -> Option<&[u8]> {
        while self.at == self.text.len() {
            self.at = 0;
            if let Some((block, rest)) = self.blocks.split_first() {
                self.blocks = rest;
                block.read_to(&mut self.text, self.decompressor.get_or_insert_with(Decompressor::new));
            } else {
                self.text.clear();
                self.text.extend_from_slice(self.open.take()?);
            }
        }
        Some(next_line(&self.text, &mut self.at))
    }
}

/// The lines of a list that is not needed any more: a block is dropped when it has been read.
pub(super) struct OwnedLines {
    blocks: std::vec::IntoIter<Block>,
    open: Option<Vec<u8>>,
    text: Vec<u8>,
    at: usize,
    decompressor: Option<Decompressor>,
}

impl OwnedLines {
    pub(super) fn new(blocks: Vec<Block>, open: Vec<u8>) -> Self {
        Self { blocks: blocks.into_iter(), open: Some(open), text: Vec::new(), at: 0, decompressor: None }
    }

    pub(super) fn next(&mut self) -> Option<&[u8]> {
        while self.at == self.text.len() {
            // After the last one there is nothing to read again.
            self.text.clear();
            self.at = 0;
            if let Some(block) = self.blocks.next() {
                block.read_to(&mut self.text, self.decompressor.get_or_insert_with(Decompressor::new));
            } else {
                self.text = self.open.take()?;
            }
        }
        Some(next_line(&self.text, &mut self.at))
    }
}

impl Block {
    fn read_to(&self, text: &mut Vec<u8>, decompressor: &mut Decompressor) {
        text.resize(self.size, 0);
        let size = decompressor.deflate_decompress(&self.compressed, text).expect(OWN_TEXT);
        text.truncate(size);
    }
}

fn next_line<'t>(text: &'t [u8], at: &mut usize) -> &'t [u8] {
    let rest = &text[*at..];
    let length = memchr::memchr(SEPARATOR, rest).expect(OWN_TEXT);
    *at += length + 1;
    &rest[..length]
}
