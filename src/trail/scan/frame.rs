//! Finds the start and end of each record in a list's JSON, and the positions of the values of some of its own keys, in one
//! pass over the bytes, 64 at a time, without parsing.
//!
//! Strings with their escapes and brackets with their types are tracked from the first byte of the list, so that nothing
//! in a request's parameters can look like a record or like a record's own key. Anything unusual (a record that is not
//! an object, unbalanced brackets, a string where none can begin, the end of the bytes) stops the pass before that
//! record: `document` reads it with `serde_json` and decides.
//!
//! A framed record is not certainly valid JSON: scalars, escapes, commas and colons inside of a record are not checked.

use std::ops::Range;

use super::blocks::{BLOCK, Classifier};
use super::keys::{Keys, spells_plain};
use super::marks::{CHUNK, Collect, Marks, StringState};

/// The number of blocks to collect marks of at first: many lists end early. The number doubles each time, up to [`CHUNK`].
const FIRST_BLOCKS: usize = 4;

/// A position in a list, before its first element or after an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The offset after the list's `[` or the last element.
    pub(super) offset: usize,
    /// Whether there was an element.
    pub(super) after_element: bool,
}

/// The result of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PassEnd {
    /// The list ended; the offset after its `]`.
    End(usize),
    /// Something unusual is in the element after this position, or after it.
    Unusual(Position),
}

/// The own keys of a record that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trail) struct FoundValues {
    /// The offset in the record of the value of each of [`Keys`]. For duplicate keys, that of the last one.
    pub(in crate::trail) values: Vec<Option<usize>>,
    /// Whether other values may count: an own string of the record, possibly a key, has a plain character as
    /// `\u00XX`; or a key is duplicated, which also happens if a broken record runs into the next.
    pub(in crate::trail) is_doubtful: bool,
}

/// Walks a list from `position` and passes each record on by its offsets. If `each` does not accept a record, the pass ends before it.
pub(super) fn records(
    json: &[u8],
    position: Position,
    keys: &Keys,
    each: impl FnMut(Range<usize>, &FoundValues) -> bool,
) -> PassEnd {
    let found = FoundValues { values: vec![None; keys.len()], is_doubtful: false };
    Pass { json, keys, each, found, last: position, start: 0, nesting: Nesting::NONE }.run()
}

/// The result for the bytes of a record without anything unusual.
pub(super) fn one(record: &[u8], keys: &Keys) -> Option<FoundValues> {
    let mut one = None;
    let start = Position { offset: 0, after_element: false };
    records(record, start, keys, |range, found| {
        one = (range == (0..record.len())).then(|| found.clone());
        true
    });
    one
}

/// The open brackets: one bit each, the innermost lowest, below a 1 that marks the end. A 1 is an object.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Nesting(u64);

impl Nesting {
    /// Between records.
    const NONE: Self = Self(1);
    /// In a record, at its own depth.
    const RECORD: Self = Self(0b11);
    /// At the maximum depth.
    const DEEPEST: Self = Self(1 << 63);

    /// After a bracket, and whether it begins or ends a record, or is unusual. Brackets come in an order that no processor predicts, so
    /// both results are computed without a branch.
    #[inline(always)]
    fn after(self, bracket: u8) -> (Self, bool) {
        let Self(open) = self;
        // The bits that `{` and `[`, and that `{` and `}`, share and the others don't.
        let (opens, is_object) = (bracket & 0x02 != 0, u64::from(bracket >> 5 & 1));
        let if_opens = open == Self::NONE.0 || open >= Self::DEEPEST.0;
        let if_closes = open <= Self::RECORD.0 || open & 1 != is_object;
        let nesting = if opens { open << 1 | is_object } else { open >> 1 };
        (Self(nesting), if opens { if_opens } else { if_closes })
    }
}

struct Pass<'a, F> {
    json: &'a [u8],
    keys: &'a Keys,
    each: F,
    found: FoundValues,
    /// After the last record.
    last: Position,
    /// The start of the open record.
    start: usize,
    nesting: Nesting,
}

impl<F: FnMut(Range<usize>, &FoundValues) -> bool> Pass<'_, F> {
    fn run(mut self) -> PassEnd {
        let (classifier, pattern) = (Classifier::detect(), self.keys.pattern());
        let (mut state, mut marks) = (StringState::new(), Marks::new());
        let (mut blocks, mut base) = (FIRST_BLOCKS, self.last.offset);
        while base < self.json.len() {
            let json = &self.json[base..];
            let is_unusual = classifier.run(Collect { state: &mut state, json, blocks, pattern, marks: &mut marks });
            if let Some(end) = self.marked(base, marks.offsets()) {
                return end;
            }
            if is_unusual {
                break;
            }
            base += blocks * BLOCK;
            blocks = CHUNK.min(blocks * 2);
        }
        PassEnd::Unusual(self.last)
    }

    /// Handles marked positions, given by their offsets from `base`.
    #[inline(always)]
    fn marked(&mut self, base: usize, offsets: &[u16]) -> Option<PassEnd> {
        let json = &self.json[base..];
        let mut nesting = self.nesting;
        for &offset in offsets {
            let byte = json[usize::from(offset)];
            // The bit that all brackets have, and `"` and `u` don't.
            let is_bracket = byte & 0x08 != 0;
            if !is_bracket {
                if nesting == Nesting::RECORD {
                    self.own_string(base + usize::from(offset), byte);
                }
                continue;
            }
            let (after, is_edge) = nesting.after(byte);
            if is_edge && let Some(end) = self.edge(base + usize::from(offset), byte, nesting) {
                return Some(end);
            }
            nesting = after;
        }
        self.nesting = nesting;
        None
    }

    /// A bracket that begins or ends a record, or the list, or is unusual.
    #[inline]
    fn edge(&mut self, at: usize, bracket: u8, open: Nesting) -> Option<PassEnd> {
        let goes_on = match (bracket, open) {
            (b'{', Nesting::NONE) => self.begin(at),
            (b'}', Nesting::RECORD) => self.complete(at + 1),
            (b']', Nesting::NONE) => return Some(self.end(at)),
            _ => false,
        };
        (!goes_on).then_some(PassEnd::Unusual(self.last))
    }

    fn begin(&mut self, at: usize) -> bool {
        self.start = at;
        self.found.values.fill(None);
        self.found.is_doubtful = false;
        self.is_separated(at)
    }

    fn complete(&mut self, end: usize) -> bool {
        let is_taken = (self.each)(self.start..end, &self.found);
        if is_taken {
            self.last = Position { offset: end, after_element: true };
        }
        is_taken
    }

    fn end(&self, at: usize) -> PassEnd {
        let is_clean = trim_white(&self.json[self.last.offset..at]).is_empty();
        if is_clean { PassEnd::End(at + 1) } else { PassEnd::Unusual(self.last) }
    }

    /// Whether the text between the last record and this one is one comma, or nothing before the first.
    fn is_separated(&self, at: usize) -> bool {
        let Position { offset, after_element } = self.last;
        let between = match &self.json[offset..at] {
            [b','] if after_element => return true,
            between => trim_white(between),
        };
        between == if after_element { &b","[..] } else { b"" }
    }

    /// In a record's own text, one of its keys may end, or a character is escaped by its code. Never unusual.
    #[inline]
    fn own_string(&mut self, at: usize, byte: u8) {
        if byte == b'u' {
            self.found.is_doubtful |= spells_plain(&self.json[at..]);
        } else if let Some(index) = self.keys.index(self.json, at) {
            let skip = |from: usize| from + self.json[from..].iter().take_while(|byte| is_white(**byte)).count();
            let colon = skip(at + 1);
            if self.json.get(colon) == Some(&b':') {
                let before = self.found.values[index].replace(skip(colon + 1) - self.start);
                self.found.is_doubtful |= before.is_some();
            }
        }
    }
}

/// JSON's white space.
pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn trim_white(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_white(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_white(*last)
    {
        text = rest;
    }
    text
}
