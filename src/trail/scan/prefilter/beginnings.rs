//! Excludes texts by their first eight bytes, as nearly all records have a name that begins with `Describe`, `Get` or `List`.

/// Bytes that are compared.
const BEGINNING: usize = 8;

/// The number of bits in the set, as a power of 2: 4 KiB, which stay in the cache.
const BITS: u32 = 15;

/// Spreads beginnings over the set: the golden ratio, as a fraction of 2⁶⁴.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A set of beginnings of names, one bit for each hash.
#[derive(Debug, Clone)]
pub(super) struct Beginnings(Box<[u64]>);

impl Beginnings {
    /// Those of names without a version.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut set = vec![0; 1 << (BITS - u64::BITS.ilog2())].into_boxed_slice();
        let mut value = Vec::new();
        for name in names {
            value.clear();
            value.push(b'"');
            value.extend_from_slice(name.as_bytes());
            value.push(b'"');
            value.resize(value.len().max(1 + BEGINNING), 0);
            if let Some((word, bit)) = letters(&value).map(place) {
                set[word] |= bit;
            }
        }
        Self(set)
    }

    /// Whether a JSON value is certainly none of the names, also none with a version behind it.
    #[inline]
    pub(super) fn exclude(&self, value: &[u8]) -> bool {
        letters(value).map(place).is_some_and(|(word, bit)| self.0[word] & bit == 0)
    }
}

/// The word and the bit of a beginning.
#[inline]
fn place(beginning: u64) -> (usize, u64) {
    let hash = beginning.wrapping_mul(SPREAD) >> (u64::BITS - BITS);
    ((hash >> u64::BITS.ilog2()) as usize, 1 << (hash % u64::from(u64::BITS)))
}

/// The first letters of a string, at most eight. `None` if anything but a letter or the end of the string is among them: a version, an
/// escape.
#[inline]
fn letters(value: &[u8]) -> Option<u64> {
    let [b'"', text @ ..] = value.first_chunk::<{ 1 + BEGINNING }>()? else { return None };
    let text = u64::from_le_bytes(*text);
    let others = !are_letters(text) & HIGH;
    if others == 0 {
        return Some(text);
    }
    let first = others.trailing_zeros() / u8::BITS * u8::BITS;
    let is_end = text >> first & 0xff == u64::from(b'"');
    is_end.then_some(text & ((1 << first) - 1))
}

/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The highest bit of each byte that is a letter; the other bits mean nothing.
#[inline]
fn are_letters(text: u64) -> u64 {
    let each = |byte: u8| u64::from_le_bytes([byte; BEGINNING]);
    let lower = text & !HIGH | each(0x20);
    let from_a = lower + each(0x80 - b'a');
    let after_z = lower + each(0x7f - b'z');
    from_a & !after_z & !text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_a_letter_or_not() {
        for byte in 0..=u8::MAX {
            for index in 0..BEGINNING {
                for around in *b"aZ0\"" {
                    let mut text = [around; BEGINNING];
                    text[index] = byte;
                    let is = are_letters(u64::from_le_bytes(text)).to_le_bytes()[index] & 0x80 != 0;
                    assert_eq!(is, byte.is_ascii_alphabetic(), "{byte}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_name_is_excluded_with_or_without_a_version(
            names in prop::collection::vec("[A-Za-z0-9_.-]{0,12}", 1..20),
            version in prop::sample::select(vec!["", "20150331", "2014_01_31", "_2014_01_31", "__20150331v2"]),
            rest in "[ -~]{0,12}",
        ) {
            let set = Beginnings::of(names.iter().map(String::as_str));
            for name in names {
                let value = format!("\"{name}{version}\"{rest}");
                prop_assert!(!set.exclude(value.as_bytes()), "{}", value);
            }
        }
    }

    #[test]
    fn other_names_are_excluded() {
        let set = Beginnings::of(["CreateBucket", "Put"].into_iter());
        for excluded in ["\"ListBuckets\",", "\"Pu\"      ", "\"PutX\"    ", "\"\"         "] {
            assert!(set.exclude(excluded.as_bytes()), "{excluded}");
        }
        for open in
            ["\"CreateBuckets\"", "\"Put\"", "\"Put\"      ", "\"Put2\"    ", "\"P\\u0075t\"", "1          ", ""]
        {
            assert!(!set.exclude(open.as_bytes()), "{open}");
        }
    }
}
