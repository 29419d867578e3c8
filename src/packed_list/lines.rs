//! Blocks of a list, and their lines: a document each.

use std::borrow::Borrow;
use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor, Decompressor};

use super::overflow::Extent;

/// Between the documents of a block: in JSON it is never part of a text.
pub(super) const SEPARATOR: u8 = b'\n';

/// The list cannot be damaged: nothing else writes it.
pub(super) const OWN_TEXT: &str = "it was written by this list";

/// The fastest level of the compression; 0 is none.
const LEVEL: i32 = 1;

thread_local! {
    static COMPRESSOR: RefCell<Compressor> = RefCell::new(Compressor::new(CompressionLvl::new(LEVEL).expect("a level")));
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
    /// A buffer for a compressed block.
    static COMPRESSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A part of the list, compressed.
#[derive(Clone)]
pub struct Block {
    pub(super) storage: Storage,
    /// Bytes of its JSON.
    pub(super) size: usize,
}

/// Where a block is.
#[derive(Clone)]
pub(super) enum Storage {
    Memory(Box<[u8]>),
    File(Extent),
}

/// Gives the compressed text to `take`.
pub(super) fn compress<R>(text: &[u8], take: impl FnOnce(&[u8]) -> R) -> R {
    COMPRESSED.with_borrow_mut(|compressed| {
        let length = COMPRESSOR.with_borrow_mut(|compressor| {
            compressed.resize(compressor.deflate_compress_bound(text.len()), 0);
            compressor.deflate_compress(text, compressed).expect("the bound is room enough")
        });
        take(&compressed[..length])
    })
}

/// The lines of blocks, and of the open end of their list. Blocks that it owns are dropped when they have been read.
pub(super) struct Lines<B, O> {
    blocks: B,
    open: Option<O>,
    /// The text of the block that is read.
    text: Vec<u8>,
    at: usize,
}

impl<B: Iterator<Item: Borrow<Block>>, O: AsRef<[u8]>> Lines<B, O> {
    pub(super) fn new(blocks: B, open: O) -> Self {
        Self { blocks, open: Some(open), text: Vec::new(), at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<&[u8]> {
        while self.at == self.text.len() {
            self.at = 0;
            // After the last one there is nothing to read again.
            self.text.clear();
            if let Some(block) = self.blocks.next() {
                block.borrow().read_to(&mut self.text);
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
    fn read_to(&self, text: &mut Vec<u8>) {
        match &self.storage {
            Storage::Memory(compressed) => self.decompress(compressed, text),
            Storage::File(extent) => COMPRESSED.with_borrow_mut(|compressed| {
                // It was just written, so that only a broken disk gets here. A run that was begun can be resumed.
                extent.read_to(compressed).expect("this program's temporary file can be read");
                self.decompress(compressed, text);
            }),
        }
    }

    fn decompress(&self, compressed: &[u8], text: &mut Vec<u8>) {
        text.resize(self.size, 0);
        let decompress = |decompressor: &mut Decompressor| decompressor.deflate_decompress(compressed, text);
        let size = DECOMPRESSOR.with_borrow_mut(decompress).expect(OWN_TEXT);
        text.truncate(size);
    }
}
