//! Finds the start and end of each record in a list's JSON, and the positions of the values of some of its own keys, in one
//! pass over the bytes, 64 at a time, without parsing.
//!
//! Strings with their escapes are tracked and brackets are counted from the first byte of the list, so that nothing in a
//! request's parameters can look like a record or like a record's own key. Anything unusual (a record that is not an object, a
//! bracket of the wrong kind at its end, a string where none can begin, the end of the bytes) stops the pass before that
//! record: `document` reads it with `serde_json` and decides.
//!
//! A framed record is not certainly valid JSON: scalars, escapes, commas, colons and the kinds of brackets inside of a record are not
//! checked.

use std::ops::Range;

use super::blocks::marks::{CHUNK, Collect, Marks, State};
use super::blocks::{BLOCK, Classifier};
use super::keys::{Keys, spells_plain};

/// The number of open brackets between records.
const BETWEEN_RECORDS: i64 = 0;

/// The number of open brackets in a record, at its own depth.
const OF_RECORD: i64 = 1;

/// The number of blocks to collect marks of at first: many lists end early.
const FIRST_BLOCKS: usize = 8;

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
    /// The bytes end in the element after this position, or after the position.
    Open(Position),
    /// Something unusual is in the element after this position, or after the position.
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
    let classifier = Classifier::detect();
    let pass = Pass { json, keys, each, found, last: position, start: 0 };
    classifier.call(|| pass.run(classifier))
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

struct Pass<'a, F> {
    json: &'a [u8],
    keys: &'a Keys,
    each: F,
    found: FoundValues,
    /// After the last record.
    last: Position,
    /// The start of the open record.
    start: usize,
}

impl<F: FnMut(Range<usize>, &FoundValues) -> bool> Pass<'_, F> {
    // Inlined, so that it is compiled for the processor.
    #[inline(always)]
    fn run(mut self, classifier: Classifier) -> PassEnd {
        let pattern = self.keys.pattern();
        let (mut state, mut marks) = (State::new(), Marks::new());
        let (mut blocks, mut base) = (FIRST_BLOCKS, self.last.offset);
        while base < self.json.len() {
            let json = &self.json[base..];
            classifier.collect(Collect { state: &mut state, json, blocks, pattern, marks: &mut marks });
            let mut marked = marks.blocks;
            while marked != 0 {
                if let Some(end) = self.marked(base, &marks, marked.trailing_zeros() as usize % CHUNK) {
                    return end;
                }
                marked &= marked - 1;
            }
            if marks.is_unusual {
                return PassEnd::Unusual(self.last);
            }
            base += blocks * BLOCK;
            blocks = CHUNK;
        }
        PassEnd::Open(self.last)
    }

    /// Handles the marks of the block with this index in the chunk at `base`.
    #[inline(always)]
    fn marked(&mut self, base: usize, marks: &Marks, index: usize) -> Option<PassEnd> {
        let base = base + index * BLOCK;
        let (opens, closes, strings) = (marks.opens[index], marks.closes[index], marks.strings[index]);
        let mut depth = marks.depths[index];
        if opens | closes == 0 {
            if depth == OF_RECORD {
                self.own_strings(base, strings);
            }
            return None;
        }
        if strings == 0
            && let Some(close) = only_border(depth, opens, closes)
        {
            let at = base + close.trailing_zeros() as usize;
            return if self.border(at) { None } else { Some(PassEnd::Unusual(self.last)) };
        }
        let count = |bits: u64| i64::from(bits.count_ones());
        if depth.wrapping_sub(count(closes)) >= OF_RECORD {
            // No bracket of the block begins or ends a record. Its strings are few: escapes, most of them deeper in the record.
            let mut strings = strings;
            while strings != 0 {
                let before = (strings & strings.wrapping_neg()) - 1;
                if depth.wrapping_add(count(opens & before)).wrapping_sub(count(closes & before)) == OF_RECORD {
                    self.own_string(base + strings.trailing_zeros() as usize);
                }
                strings &= strings - 1;
            }
            return None;
        }
        let mut marks = opens | closes | strings;
        while marks != 0 {
            let mark = marks & marks.wrapping_neg();
            marks ^= mark;
            if mark & strings != 0 {
                if depth == OF_RECORD {
                    self.own_string(base + mark.trailing_zeros() as usize);
                }
                continue;
            }
            let before = depth;
            depth = depth.wrapping_add(if mark & opens != 0 { 1 } else { -1 });
            if before.min(depth) < OF_RECORD
                && let Some(end) = self.edge(base + mark.trailing_zeros() as usize, before)
            {
                return Some(end);
            }
        }
        None
    }

    /// A bracket that begins or ends a record, or the list, or is unusual. `depth`: before it.
    // Not inlined, like `border` and `own_string`: the loop over all brackets would lose registers to it.
    #[inline(never)]
    fn edge(&mut self, at: usize, depth: i64) -> Option<PassEnd> {
        let goes_on = match (self.json[at], depth) {
            (b'{', BETWEEN_RECORDS) => self.begin(at),
            (b'}', OF_RECORD) => self.complete(at + 1),
            (b']', BETWEEN_RECORDS) => return Some(self.end(at)),
            _ => false,
        };
        (!goes_on).then_some(PassEnd::Unusual(self.last))
    }

    /// Handles the end of a record and the start of the next one two bytes later. Returns whether these are their brackets and the pass
    /// continues.
    #[inline(never)]
    fn border(&mut self, at: usize) -> bool {
        self.json[at] == b'}' && self.complete(at + 1) && self.json[at + 2] == b'{' && self.begin(at + 2)
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

    fn own_strings(&mut self, base: usize, mut strings: u64) {
        while strings != 0 {
            self.own_string(base + strings.trailing_zeros() as usize);
            strings &= strings - 1;
        }
    }

    /// In a record's own text, one of its keys may end, or a character is escaped by its code. Never unusual.
    #[inline(never)]
    fn own_string(&mut self, at: usize) {
        // A backslash at the end of the bytes escapes what is not there.
        if self.json.get(at) == Some(&b'u') {
            self.found.is_doubtful |= spells_plain(&self.json[at..]);
        } else if let Some(index) = self.keys.index(self.json, at) {
            let colon = skip_white(self.json, at + 1);
            if self.json.get(colon) == Some(&b':') {
                let value = skip_white(self.json, colon + 1) - self.start;
                self.found.is_doubtful |= self.found.values[index].replace(value).is_some();
            }
        }
    }
}

/// The bit of the bracket that ends a record, if the next record begins two bytes later and no other bracket of the block begins or ends a
/// record. This is so in nearly all blocks where a record ends. The kinds of brackets are not checked.
#[inline]
fn only_border(depth: i64, opens: u64, closes: u64) -> Option<u64> {
    let close = closes & opens >> 2;
    if !close.is_power_of_two() {
        return None;
    }
    let (before, next) = (close - 1, close << 1);
    // No bracket closes after it, so the next record is still open at the end of the block.
    let is_last = closes & !before == close;
    let is_first = opens & (before | next) == 0;
    let is_of_record = depth.wrapping_sub(i64::from((closes & before).count_ones())) == OF_RECORD;
    (is_first && is_last && is_of_record).then_some(close)
}

/// JSON's white space.
pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The offset of the first byte at or after `at` that is not white space, or the end.
#[inline]
pub(super) fn skip_white(json: &[u8], mut at: usize) -> usize {
    while json.get(at).is_some_and(|byte| is_white(*byte)) {
        at += 1;
    }
    at
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The brackets with fewer than one open bracket before or after them.
    fn edges(mut depth: i64, opens: u64, closes: u64) -> Vec<u32> {
        let mut edges = Vec::new();
        for bit in (0..u64::BITS).filter(|bit| (opens | closes) >> bit & 1 == 1) {
            let before = depth;
            depth += if opens >> bit & 1 == 1 { 1 } else { -1 };
            if before.min(depth) < OF_RECORD {
                edges.push(bit);
            }
        }
        edges
    }

    #[test]
    fn escapes_and_keys_count_only_at_the_depth_of_the_record() {
        let keys = Keys::new(&["eventName"]);
        // Before and after: blocks begin everywhere. Few and many brackets are in the block of a string.
        for pad in 0..BLOCK {
            for (inside, is_doubtful, value) in [
                (r#""a":{"b":[{"c":"\u0041"}],"d":[1]},"e":{}"#, false, None),
                (r#""a":{"b":[{"c":1}],"d":[1]},"e":"\u0041","f":{}"#, true, None),
                (r#""a":{"b":"\u003d"},"e":"\u0041""#, true, None),
                (r#""a":{"eventName":"X","b":{}},"eventName":"A","c":{"d":{}}"#, false, Some(r#""A""#)),
                (r#""a":[{},{"eventName":"X"}],"c":[[],{}]"#, false, None),
                (r#""a":[{}],"eventName":"A","c":[{"eventName":"X"}],"eventName":"B""#, true, Some(r#""B""#)),
            ] {
                let record = format!(r#"{{"p":"{}",{inside},"q":"{}"}}"#, "-".repeat(pad), "-".repeat(BLOCK));
                let found = one(record.as_bytes(), &keys).unwrap();
                assert_eq!(found.is_doubtful, is_doubtful, "{record}");
                let at = found.values[0].map(|at| &record[at..at + 3]);
                assert_eq!(at, value, "{record}");
            }
        }
    }

    #[test]
    fn a_border_is_found() {
        // `"}},{`
        assert_eq!(only_border(2, 0b10000, 0b110), Some(0b100));
        // `}]{`, `}[{`, `},{}`, `{},{`, `},{`
        for (depth, opens, closes) in
            [(1, 0b100, 0b11), (1, 0b110, 0b1), (1, 0b100, 0b1001), (0, 0b1001, 0b10), (2, 0b100, 0b1)]
        {
            assert_eq!(only_border(depth, opens, closes), None);
        }
    }

    #[test]
    fn a_border_is_all_that_begins_or_ends_a_record() {
        const BRACKETS: u32 = 9;
        let mut found = 0;
        // Each place has no bracket, one that opens or one that closes.
        for number in 0..3_u32.pow(BRACKETS) {
            let place = |at: u32| u64::from(number / 3_u32.pow(at) % 3);
            let [opens, closes] = [1, 2].map(|kind| (0..BRACKETS).map(|at| u64::from(place(at) == kind) << at).sum());
            for depth in 0..5 {
                if let Some(close) = only_border(depth, opens, closes) {
                    let at = close.trailing_zeros();
                    assert_eq!(edges(depth, opens, closes), [at, at + 2], "{depth} {opens:b} {closes:b}");
                    found += 1;
                }
            }
        }
        assert!(found > 400);
    }
}
