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

use super::blocks::{BLOCK, Bits, CHUNK, Classifier};

/// The number of blocks classified first, for a list that is stopped soon. It doubles each time, up to [`CHUNK`].
const FIRST_BLOCKS: usize = 4;

/// Even bits.
const EVEN: u64 = 0x5555_5555_5555_5555;

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

/// The names of a record's own keys to find values of.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Keys {
    names: Vec<Key>,
    /// The lengths from a name's opening quote to its closing one, in bytes, without duplicates.
    distances: Vec<u32>,
    mark: Mark,
}

#[derive(Debug, Clone)]
struct Key {
    /// The opening quote and the name.
    spelled: Box<[u8]>,
    /// Its last bytes, for a fast comparison.
    tail: [u8; TAIL],
}

/// Bytes of a key that are compared at once.
const TAIL: usize = 8;

/// A byte that all names have at the same distance from the end: other strings of the same length are skipped.
#[derive(Debug, Clone, Copy)]
struct Mark {
    byte: u8,
    /// From the byte to the closing quote, in bytes.
    distance: u32,
}

impl Mark {
    /// A capital letter of the names, because these are rare; else the quote itself, which excludes nothing.
    fn of(names: &[&str]) -> Self {
        let capital = match names {
            [name] => name.bytes().rev().zip(1..).find(|(byte, _)| byte.is_ascii_uppercase()),
            _ => None,
        };
        let (byte, distance) = capital.unwrap_or((b'"', 0));
        Self { byte, distance }
    }
}

impl Keys {
    /// Each has 7 to 61 bytes and needs no escapes.
    pub(in crate::trail) fn new(names: &[&str]) -> Self {
        let mark = Mark::of(names);
        let key = |name: &&str| {
            let spelled = format!("\"{name}").into_bytes();
            let tail = *spelled.last_chunk().expect("names have 7 bytes");
            Key { spelled: spelled.into(), tail }
        };
        let names: Vec<Key> = names.iter().map(key).collect();
        let mut distances: Vec<u32> =
            names.iter().map(|key| u32::try_from(key.spelled.len()).expect("names are short")).collect();
        distances.sort_unstable();
        distances.dedup();
        assert!(distances.iter().all(|&distance| distance < u64::BITS), "names have fewer than 62 bytes");
        Self { names, distances, mark }
    }

    /// The closing quotes of strings with the length of a name and its mark, from the quotes and marks of this block and of
    /// the previous one.
    #[inline]
    fn candidates(&self, quotes: [u64; 2], marks: [u64; 2]) -> u64 {
        let all = self.distances.iter().fold(0, |all, &distance| all | shifted(quotes, distance));
        all & shifted(marks, self.mark.distance)
    }

    /// The name before the closing quote at `end`, regardless of what precedes it.
    fn index(&self, json: &[u8], end: usize) -> Option<usize> {
        let before = &json[..end];
        let tail = before.last_chunk::<TAIL>()?;
        // A quote after a backslash does not begin a string: it is in the text of a longer one.
        let precedes = |key: &Key| before.strip_suffix(&*key.spelled).is_some_and(|before| !before.ends_with(b"\\"));
        self.names.iter().position(|key| key.tail == *tail && precedes(key))
    }
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
    let found = FoundValues { values: vec![None; keys.names.len()], is_doubtful: false };
    let mut pass = Pass { json, keys, each, found, last: position, start: 0, nesting: Nesting::NONE };
    let (mut text, mut bits) = (StringState::default(), [Bits::default(); CHUNK]);
    let (mut blocks, mut base) = (FIRST_BLOCKS, position.offset);
    let classifier = Classifier::detect();
    while base < json.len() {
        let chunk = &json[base..json.len().min(base + blocks * BLOCK)];
        let classified = classifier.classify(chunk, keys.mark.byte, &mut bits);
        for bits in &bits[..classified] {
            let Marks { looked_at, is_unusual } = text.next(bits, keys, &json[base..]);
            if let Some(stop) = pass.block(base, looked_at) {
                return stop;
            }
            if is_unusual {
                return PassEnd::Unusual(pass.last);
            }
            base += BLOCK;
        }
        blocks = CHUNK.min(blocks * 2);
    }
    PassEnd::Unusual(pass.last)
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

/// The state of strings, carried from block to block.
#[derive(Default)]
struct StringState {
    /// All bits if the previous block ended in a string.
    in_string: u64,
    /// 1 if it ended with a backslash that escapes the next character.
    escapes: u64,
    /// The quotes that begin or end a string.
    quotes: u64,
    /// The marks of keys.
    marks: u64,
    /// Whether it ended with a character that can't precede a string. A list's `[` can.
    no_lead: bool,
}

/// The positions to handle in a block.
struct Marks {
    /// Brackets outside of strings, closing quotes of possible keys, and backslashes that escape plain characters.
    looked_at: u64,
    /// Whether something unusual follows the last of them.
    is_unusual: bool,
}

impl StringState {
    /// The positions for the block at the beginning of `json`. Called for every block, and inlined because a call costs as much as its work.
    #[inline(always)]
    fn next(&mut self, bits: &Bits, keys: &Keys, json: &[u8]) -> Marks {
        let escaped = self.escaped(bits.backslashes);
        let quotes = bits.quotes & !escaped;
        // From each opening quote to before its closing one.
        let inside = to_prefix_parity(quotes) ^ self.in_string;
        let mut unusual = quotes & inside & !(bits.leads << 1 | u64::from(!self.no_lead));
        let keys_end = quotes & !inside & keys.candidates([quotes, self.quotes], [bits.marks, self.marks]);
        let mut looked_at = bits.brackets & !inside | keys_end;
        if bits.backslashes != 0 {
            unusual |= bits.backslashes & !inside;
            looked_at |= plain_escapes(json, bits.backslashes & !escaped);
        }
        if unusual != 0 {
            // The characters before it.
            looked_at &= (unusual & unusual.wrapping_neg()) - 1;
        }
        self.in_string = 0_u64.wrapping_sub(inside >> (u64::BITS - 1));
        self.quotes = quotes;
        self.marks = bits.marks;
        self.no_lead = bits.leads >> (u64::BITS - 1) == 0;
        Marks { looked_at, is_unusual: unusual != 0 }
    }

    /// The characters after a backslash that is not escaped itself.
    #[inline]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return std::mem::take(&mut self.escapes);
        }
        let unescaped = backslashes & !self.escapes;
        let follows = unescaped << 1 | self.escapes;
        // For runs of backslashes that begin at an odd bit, an addition carries through the run to the bit after it.
        let odd_starts = unescaped & !EVEN & !follows;
        let (after_runs, overflows) = odd_starts.overflowing_add(unescaped);
        self.escapes = u64::from(overflows);
        (EVEN ^ (after_runs << 1)) & follows
    }
}

/// The backslashes in a block at the beginning of `json` that escape a plain character.
fn plain_escapes(json: &[u8], mut backslashes: u64) -> u64 {
    let mut plain = 0;
    while backslashes != 0 {
        let at = backslashes.trailing_zeros();
        if spells_plain(&json[at as usize + 1..]) {
            plain |= 1 << at;
        }
        backslashes &= backslashes - 1;
    }
    plain
}

/// The bits of a block shifted up by less than 64, with the bits that are shifted in from the previous block.
#[inline]
fn shifted([bits, before]: [u64; 2], distance: u32) -> u64 {
    bits << distance | before.unbounded_shr(u64::BITS - distance)
}

/// Each bit is the parity of the bits up to and including it.
#[inline]
fn to_prefix_parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The open brackets: one bit each, the innermost lowest, below a 1 that marks the end. A 1 is an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
struct Nesting(u64);

impl Nesting {
    /// Between records.
    const NONE: Self = Self(1);
    /// In a record, at its own depth.
    const RECORD: Self = Self(0b11);
    /// At the maximum depth.
    const DEEPEST: Self = Self(1 << 63);
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
    /// Handles the marked positions of a block.
    #[inline]
    fn block(&mut self, base: usize, mut marks: u64) -> Option<PassEnd> {
        while marks != 0 {
            let at = base + marks.trailing_zeros() as usize;
            marks &= marks - 1;
            let byte = self.json[at];
            let goes_on = match byte {
                b'"' => self.key(at),
                b'\\' => self.escape(),
                b']' if self.nesting == Nesting::NONE => return Some(self.end(at)),
                _ => self.bracket(at, byte),
            };
            if !goes_on {
                return Some(PassEnd::Unusual(self.last));
            }
        }
        None
    }

    /// Returns `false` if it is unusual.
    #[inline]
    fn bracket(&mut self, at: usize, byte: u8) -> bool {
        // The bits that `{` and `[`, and that `{` and `}`, share and the others don't.
        let (opens, is_object) = (byte & 0x02 != 0, u64::from(byte >> 5 & 1));
        let Nesting(open) = self.nesting;
        if opens {
            self.nesting = Nesting(open << 1 | is_object);
            if open == Nesting::NONE.0 {
                return self.begin(at);
            }
            open < Nesting::DEEPEST.0
        } else {
            self.nesting = Nesting(open >> 1);
            let matches = open & 1 == is_object;
            if self.nesting <= Nesting::NONE {
                return matches && self.nesting == Nesting::NONE && self.complete(at + 1);
            }
            matches
        }
    }

    fn begin(&mut self, at: usize) -> bool {
        self.start = at;
        self.found.values.fill(None);
        self.found.is_doubtful = false;
        self.nesting == Nesting::RECORD && self.is_separated(at)
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

    /// A string that may be one of the keys ends at `at`. Never unusual.
    #[inline]
    fn key(&mut self, at: usize) -> bool {
        if self.nesting == Nesting::RECORD
            && let Some(index) = self.keys.index(self.json, at)
        {
            let skip = |from: usize| from + self.json[from..].iter().take_while(|byte| is_white(**byte)).count();
            let colon = skip(at + 1);
            if self.json.get(colon) == Some(&b':') {
                let before = self.found.values[index].replace(skip(colon + 1) - self.start);
                self.found.is_doubtful |= before.is_some();
            }
        }
        true
    }

    /// A plain character is escaped. Never unusual.
    fn escape(&mut self) -> bool {
        self.found.is_doubtful |= self.nesting == Nesting::RECORD;
        true
    }
}

/// Whether the escape after a backslash is for a character of keys and event names.
pub(super) fn spells_plain(escape: &[u8]) -> bool {
    let digits = escape.strip_prefix(b"u00").and_then(|rest| rest.first_chunk::<2>());
    let byte =
        digits.and_then(|digits| str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_some_and(is_plain)
}

/// Whether event names, and records' own keys, consist of such characters.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
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
