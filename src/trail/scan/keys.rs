//! The names of a record's own keys, and the strings that can be one of them.

/// The names of a record's own keys to find values of.
#[derive(Debug, Clone)]
pub(in crate::trail) struct Keys {
    names: Vec<Key>,
    /// The lengths from a name's opening quote to its closing one, in bytes, without duplicates.
    lengths: Vec<u32>,
    /// For one name.
    mark: Option<Mark>,
}

#[derive(Debug, Clone)]
struct Key {
    /// The opening quote and the name.
    spelled: Box<[u8]>,
    /// Its first and last bytes, for a fast comparison.
    ends: [[u8; END]; 2],
}

/// Bytes of a key that are compared at once.
const END: usize = 8;

impl Key {
    /// Whether a text ends with it.
    #[inline]
    fn ends(&self, text: &[u8]) -> bool {
        let [first, last] = self.ends;
        let Some(start) = text.len().checked_sub(self.spelled.len()) else { return false };
        text.last_chunk() == Some(&last)
            && text[start..].first_chunk() == Some(&first)
            && (self.spelled.len() <= 2 * END || text.ends_with(&self.spelled))
    }
}

/// A byte at a certain distance from the end: other strings are skipped.
#[derive(Debug, Clone, Copy)]
struct Mark {
    byte: u8,
    /// From the byte to the closing quote, in bytes.
    distance: u32,
}

impl Mark {
    /// A capital letter of the only name, because these are rare. `None` for several names, or without one.
    fn of(names: &[&str]) -> Option<Self> {
        let [name] = names else { return None };
        let capital = name.bytes().rev().zip(1..).find(|(byte, _)| byte.is_ascii_uppercase());
        capital.map(|(byte, distance)| Self { byte, distance })
    }
}

impl Keys {
    /// Each has 7 to 61 bytes and needs no escapes.
    pub(in crate::trail) fn new(names: &[&str]) -> Self {
        let mark = Mark::of(names);
        let key = |name: &&str| {
            let spelled = format!("\"{name}").into_bytes();
            let first = *spelled.first_chunk().expect("names have 7 bytes");
            let last = *spelled.last_chunk().expect("names have 7 bytes");
            Key { spelled: spelled.into(), ends: [first, last] }
        };
        let names: Vec<Key> = names.iter().map(key).collect();
        let mut lengths: Vec<u32> =
            names.iter().map(|key| u32::try_from(key.spelled.len()).expect("names are short")).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert!(lengths.iter().all(|&length| length < u64::BITS), "names have fewer than 62 bytes");
        Self { names, lengths, mark }
    }

    /// The number of names.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// What to look for in blocks.
    #[inline]
    pub(super) fn pattern(&self) -> Pattern<'_> {
        Pattern { mark: self.mark, lengths: &self.lengths }
    }

    /// The name before the closing quote at `end`, regardless of what precedes it.
    pub(super) fn index(&self, json: &[u8], end: usize) -> Option<usize> {
        let before = &json[..end];
        self.names.iter().position(|key| {
            // A quote after a backslash does not begin a string: it is in the text of a longer one.
            key.ends(before) && !before[..end - key.spelled.len()].ends_with(b"\\")
        })
    }
}

/// How strings that can be one of the keys look in the bitmaps of blocks.
#[derive(Clone, Copy)]
pub(super) struct Pattern<'k> {
    mark: Option<Mark>,
    /// Those of [`Keys`].
    lengths: &'k [u32],
}

impl<'k> Pattern<'k> {
    /// The byte to mark in blocks. Without one, a space, which is in the same bitmap anyway.
    #[inline(always)]
    pub(super) fn mark(&self) -> u8 {
        self.mark.map_or(b' ', |mark| mark.byte)
    }

    /// From the marked byte to the closing quote of a key, in bytes, if there is a mark.
    #[inline(always)]
    pub(super) fn distance(&self) -> Option<u32> {
        self.mark.map(|mark| mark.distance)
    }

    /// From the opening quotes to the closing ones, in bytes.
    #[inline(always)]
    pub(super) fn lengths(&self) -> &'k [u32] {
        self.lengths
    }

    /// The ends of strings with the length of a name and the mark, from the quotes and marks of this block and of the previous one.
    #[inline(always)]
    pub(super) fn candidates(&self, quotes: [u64; 2], marks: [u64; 2]) -> u64 {
        let ends = self.lengths().iter().fold(0, |all, &length| all | shifted(quotes, length));
        self.distance().map_or(ends, |distance| ends & shifted(marks, distance))
    }
}

/// The bits of a block shifted up by less than 64, with the bits that are shifted in from the previous block.
#[inline(always)]
fn shifted([bits, before]: [u64; 2], distance: u32) -> u64 {
    bits.wrapping_shl(distance) | before.unbounded_shr(u64::BITS - distance)
}

/// Whether an escape (without its backslash) is for a character of keys and event names.
pub(super) fn spells_plain(escape: &[u8]) -> bool {
    let [b'u', b'0', b'0', high, low, ..] = escape else { return false };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let code = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low);
    code.and_then(|code| u8::try_from(code).ok()).is_some_and(is_plain)
}

/// Whether event names, and records' own keys, consist of such characters.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
