//! A list's JSON → where each of its records begins and ends, and where the values of some of their own keys are: one
//! pass over the bytes, 64 at a time, that parses nothing.
//!
//! Strings with their escapes and brackets with their kinds are followed from the list's first byte, so that nothing
//! in a request's parameters can look like a record or like a record's own key. Whatever is unusual (a record that isn't
//! an object, brackets that don't match, a string where none can begin, the end of the bytes) stops the pass before the record that
//! holds it: `document` reads that one with `serde_json` and decides.
//!
//! What is framed is not valid JSON for certain: scalars, escapes, commas and colons inside of a record aren't looked at.

use std::ops::Range;

use super::blocks::{BLOCK, Bits, CHUNK, Classifier};

/// Blocks that are classified at first, for a list that is stopped soon; each time twice as many up to [`CHUNK`].
const FIRST_BLOCKS: usize = 4;

/// Even bits.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// A list's position at which nothing of it was read yet, or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The offset after the list's `[` or the last element.
    pub(super) offset: usize,
    /// Whether there was an element.
    pub(super) after_element: bool,
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// With the list; the offset after its `]`.
    End(usize),
    /// At something unusual in the element after this position, or behind it.
    Unusual(Position),
}

/// The names of own keys whose values are looked for.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Keys {
    names: Vec<Key>,
    /// From a name's opening quote to its closing one, in bytes; without repeats.
    distances: Vec<u32>,
    mark: Mark,
}

#[derive(Debug, Clone)]
struct Key {
    /// The opening quote and the name.
    spelled: Box<[u8]>,
    /// Its last bytes, to be compared at once.
    tail: [u8; TAIL],
}

/// Bytes of a key that are compared at once.
const TAIL: usize = 8;

/// A byte that all names have in one place: other strings as long as one of them are not looked at.
#[derive(Debug, Clone, Copy)]
struct Mark {
    byte: u8,
    /// From the byte to the closing quote, in bytes.
    distance: u32,
}

impl Mark {
    /// One name's capital, for others are rare; else the quote itself, which says nothing.
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
    /// Of at least 7 and fewer than 62 bytes each; none needs escapes.
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

    /// Closing quotes of strings that have one of the names' lengths and their mark, by the quotes and marks of the block, and those
    /// of the block before.
    #[inline]
    fn candidates(&self, quotes: [u64; 2], marks: [u64; 2]) -> u64 {
        let all = self.distances.iter().fold(0, |all, &distance| all | shifted(quotes, distance));
        all & shifted(marks, self.mark.distance)
    }

    /// Which name stands before the closing quote at `end`, whatever is before it.
    fn index(&self, json: &[u8], end: usize) -> Option<usize> {
        let before = &json[..end];
        let tail = before.last_chunk::<TAIL>()?;
        // A quote with a backslash before it is none: it is the text of a longer string.
        let stands = |key: &Key| before.strip_suffix(&*key.spelled).is_some_and(|before| !before.ends_with(b"\\"));
        self.names.iter().position(|key| key.tail == *tail && stands(key))
    }
}

/// What a record's own keys are found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trail) struct Found {
    /// Where the value of each of [`Keys`] begins, as an offset in the record: the last one's where a key is repeated.
    pub(in crate::trail) values: Vec<Option<usize>>,
    /// Whether other values may count: a string of the record's own, a key it may be, spells a plain character as
    /// `\u00XX`; or a key is repeated, as where a broken record has run into the next.
    pub(in crate::trail) is_doubtful: bool,
}

/// Goes through a list from `position` in it, and hands each record on: its offsets, and whether it may hold what isn't
/// ASCII. Where `each` doesn't take a record, the pass ends before it.
pub(super) fn records(
    json: &[u8],
    position: Position,
    keys: &Keys,
    each: impl FnMut(Range<usize>, bool, &Found) -> bool,
) -> Stop {
    let found = Found { values: vec![None; keys.names.len()], is_doubtful: false };
    let mut pass = Pass { json, keys, each, found, last: position, start: 0, non_ascii: 0, nesting: Nesting::NONE };
    let (mut text, mut bits) = (Text::default(), [Bits::default(); CHUNK]);
    let (mut blocks, mut base) = (FIRST_BLOCKS, position.offset);
    let classifier = Classifier::detect();
    while base < json.len() {
        let chunk = &json[base..json.len().min(base + blocks * BLOCK)];
        let classified = classifier.classify(chunk, keys.mark.byte, &mut bits);
        for bits in &bits[..classified] {
            let Marks { looked_at, is_unusual } = text.next(bits, keys, &json[base..]);
            if bits.non_ascii != 0 {
                pass.non_ascii = base + BLOCK;
            }
            if let Some(stop) = pass.block(base, looked_at) {
                return stop;
            }
            if is_unusual {
                return Stop::Unusual(pass.last);
            }
            base += BLOCK;
        }
        blocks = CHUNK.min(blocks * 2);
    }
    Stop::Unusual(pass.last)
}

/// What a record's own text comes to, where nothing in it is unusual.
pub(super) fn one(record: &[u8], keys: &Keys) -> Option<Found> {
    let mut one = None;
    let start = Position { offset: 0, after_element: false };
    records(record, start, keys, |range, _, found| {
        one = (range == (0..record.len())).then(|| found.clone());
        true
    });
    one
}

/// Where strings are, carried from block to block.
#[derive(Default)]
struct Text {
    /// All bits when the block before ended in a string.
    in_string: u64,
    /// 1 when it ended with a backslash that escapes what comes next.
    escapes: u64,
    /// Its quotes that begin or end a string.
    quotes: u64,
    /// Its marks of keys.
    marks: u64,
    /// Whether it ended with something before which no string may begin; a list's `[` isn't.
    no_lead: bool,
}

/// What is to be looked at in a block.
struct Marks {
    /// Brackets outside of strings, closing quotes of strings that may be a key, and backslashes that spell plain characters.
    looked_at: u64,
    /// Whether something unusual follows the last of them.
    is_unusual: bool,
}

impl Text {
    /// The marks of the block at the beginning of `json`. Called for every block: a call costs as much as its work.
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
            // What comes before it.
            looked_at &= (unusual & unusual.wrapping_neg()) - 1;
        }
        self.in_string = 0_u64.wrapping_sub(inside >> (u64::BITS - 1));
        self.quotes = quotes;
        self.marks = bits.marks;
        self.no_lead = bits.leads >> (u64::BITS - 1) == 0;
        Marks { looked_at, is_unusual: unusual != 0 }
    }

    /// The characters that a backslash stands before, itself not escaped.
    #[inline]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return std::mem::take(&mut self.escapes);
        }
        let unescaped = backslashes & !self.escapes;
        let follows = unescaped << 1 | self.escapes;
        // Runs of backslashes that begin at an odd bit: adding carries through a run to the bit after it.
        let odd_starts = unescaped & !EVEN & !follows;
        let (after_runs, overflows) = odd_starts.overflowing_add(unescaped);
        self.escapes = u64::from(overflows);
        (EVEN ^ (after_runs << 1)) & follows
    }
}

/// Of the backslashes in a block at the beginning of `json`, those that spell a plain character.
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

/// The bits of a block moved up by fewer than 64, and what the block before it moves into it.
#[inline]
fn shifted([bits, before]: [u64; 2], distance: u32) -> u64 {
    bits << distance | before.unbounded_shr(u64::BITS - distance)
}

/// Each bit: whether there is an odd number of bits up to it, itself included.
#[inline]
fn to_prefix_parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The brackets that are open: one bit each, the innermost lowest, below a 1 that stands for none; a 1 is an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
struct Nesting(u64);

impl Nesting {
    /// Between records.
    const NONE: Self = Self(1);
    /// In a record, at its own depth.
    const RECORD: Self = Self(0b11);
    /// As deep as can be told.
    const DEEPEST: Self = Self(1 << 63);
}

struct Pass<'a, F> {
    json: &'a [u8],
    keys: &'a Keys,
    each: F,
    found: Found,
    /// After the last record.
    last: Position,
    /// Where the record begins that is open.
    start: usize,
    /// The end of the last block with bytes that aren't ASCII, 0 for none.
    non_ascii: usize,
    nesting: Nesting,
}

impl<F: FnMut(Range<usize>, bool, &Found) -> bool> Pass<'_, F> {
    /// Looks at what is marked in a block.
    #[inline]
    fn block(&mut self, base: usize, mut marks: u64) -> Option<Stop> {
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
                return Some(Stop::Unusual(self.last));
            }
        }
        None
    }

    /// `false`: it is unusual.
    #[inline]
    fn bracket(&mut self, at: usize, byte: u8) -> bool {
        // What `{` and `[`, and what `{` and `}`, have and the others haven't.
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
        let is_taken = (self.each)(self.start..end, self.non_ascii > self.start, &self.found);
        if is_taken {
            self.last = Position { offset: end, after_element: true };
        }
        is_taken
    }

    fn end(&self, at: usize) -> Stop {
        let is_clean = trim_white(&self.json[self.last.offset..at]).is_empty();
        if is_clean { Stop::End(at + 1) } else { Stop::Unusual(self.last) }
    }

    /// Whether what stands between the last record and this one is one comma, or nothing before the first.
    fn is_separated(&self, at: usize) -> bool {
        let Position { offset, after_element } = self.last;
        let between = match &self.json[offset..at] {
            [b','] if after_element => return true,
            between => trim_white(between),
        };
        between == if after_element { &b","[..] } else { b"" }
    }

    /// A string that may be a wanted key ends at `at`. Never unusual.
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

    /// A plain character is spelled as an escape. Never unusual.
    fn escape(&mut self) -> bool {
        self.found.is_doubtful |= self.nesting == Nesting::RECORD;
        true
    }
}

/// Whether what follows a backslash stands for a character that keys and names are made of.
pub(super) fn spells_plain(escape: &[u8]) -> bool {
    let digits = escape.strip_prefix(b"u00").and_then(|rest| rest.first_chunk::<2>());
    let byte =
        digits.and_then(|digits| str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.is_some_and(is_plain)
}

/// Whether names of AWS calls, and records' own keys, are made of it.
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
