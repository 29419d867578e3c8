//! Which records can't match, told from their text alone.
//!
//! Nothing that matches is dismissed: an `eventName` that decodes to a wanted name is spelled literally, or holds a `\u00XX`
//! escape of a letter, digit, `_`, `.` or `-`; records with such an escape always pass. Names with other characters
//! (no AWS call has any) switch the filter off.

use std::collections::HashSet;

use memchr::memmem::Finder;

const KEY: &[u8] = b"\"eventName\"";

/// The filter for a set of event names.
#[derive(Debug)]
pub(super) struct Prefilter {
    /// The wanted names, with and without a version suffix; `None` lets everything pass.
    names: Option<HashSet<Box<[u8]>>>,
    key: Finder<'static>,
    escape: Finder<'static>,
}

impl Prefilter {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut wanted = Some(HashSet::new());
        for name in names {
            if !name.bytes().all(is_plain) {
                wanted = None;
            }
            if let Some(wanted) = &mut wanted {
                wanted.insert(Box::from(name.as_bytes()));
                wanted.insert(Box::from(without_version(name.as_bytes())));
            }
        }
        Self { names: wanted, key: Finder::new(KEY), escape: Finder::new(b"\\u00") }
    }

    /// Whether the record may be a wanted one. Records without any `eventName` pass too: they are broken, and counted.
    pub(super) fn may_match(&self, record: &str) -> bool {
        let Some(names) = &self.names else { return true };
        let record = record.as_bytes();
        let mut has_name = false;
        for at in self.key.find_iter(record) {
            let Some(name) = string_value(&record[at + KEY.len()..]) else { continue };
            has_name = true;
            if names.contains(name) || names.contains(without_version(name)) {
                return true;
            }
        }
        !has_name || self.escape.find_iter(record).any(|at| spells_plain(&record[at + b"\\u00".len()..]))
    }
}

/// The string after a key, `: "…"`, without its quotes; up to the first quote, so with escapes it is not the whole.
fn string_value(after_key: &[u8]) -> Option<&[u8]> {
    let value = after_key.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    memchr::memchr(b'"', value).map(|end| &value[..end])
}

/// Whether a `\u00` escape with these two digits stands for a character that names are made of.
fn spells_plain(digits: &[u8]) -> bool {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    match digits {
        [high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => u8::try_from(high * 16 + low).is_ok_and(is_plain),
            _ => false,
        },
        _ => false,
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Lambda's names end with an API version, `CreateFunction20150331v2`; maps may leave it out.
fn without_version(name: &[u8]) -> &[u8] {
    const DATE_DIGITS: usize = 8;
    let digits = |name: &[u8]| name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let revision = digits(name);
    let before_revision = &name[..name.len() - revision];
    let dated = match before_revision.strip_suffix(b"v") {
        Some(dated) if revision > 0 => dated,
        _ => name,
    };
    if digits(dated) == DATE_DIGITS { &dated[..dated.len() - DATE_DIGITS] } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_that_can_match_pass() {
        let filter = Prefilter::new(["CreateBucket", "CreateFunction20150331"].into_iter());
        for passing in [
            r#"{"eventName":"CreateBucket"}"#,
            r#"{"eventName" :  "CreateBucket"}"#,
            "{\"eventName\"\n:\t\"CreateBucket\"}",
            r#"{"x":{"eventName":"Other"},"eventName":"CreateBucket"}"#,
            r#"{"eventName":"Other","eventName":"CreateBucket"}"#,
            r#"{"eventName":"Other","event\u004eame":"CreateBucket"}"#,
            r#"{"eventName":"Create\u0042ucket"}"#,
            r#"{"eventName":"CreateFunction20150331v2"}"#,
            r#"{"eventName":"CreateFunction"}"#,
            r#"{"x":1}"#,
            r#"{"x":"\"eventName\""}"#,
        ] {
            assert!(filter.may_match(passing), "{passing}");
        }
        for dismissed in [
            r#"{"eventName":"ListBuckets"}"#,
            r#"{"eventName":"ListBuckets","x":"CreateBucket"}"#,
            r#"{"eventName":"ListBuckets","x":"a\u003db\u0026c"}"#,
            r#"{"eventName":"xCreateBucket"}"#,
        ] {
            assert!(!filter.may_match(dismissed), "{dismissed}");
        }
    }

    #[test]
    fn a_name_that_could_be_escaped_otherwise_switches_the_filter_off() {
        assert!(Prefilter::new(["A/B"].into_iter()).may_match(r#"{"eventName":"C"}"#));
    }

    #[test]
    fn versions_are_dates_with_or_without_a_revision() {
        let names = ["CreateFunction20150331v2", "CreateFunction20150331", "CreateFunction", "v2", "20150331", "A1v2"];
        let without = names.map(|name| std::str::from_utf8(without_version(name.as_bytes())).unwrap());
        assert_eq!(without, ["CreateFunction", "CreateFunction", "CreateFunction", "v2", "", "A1v2"]);
    }
}
