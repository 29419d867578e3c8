//! Which records can't match, told from their text alone.
//!
//! Nothing that matches is dismissed: an `eventName` that decodes to a wanted name is spelled literally, or holds a `\u00XX`
//! escape of a letter, digit, `_`, `.` or `-`; records with such an escape always pass. Names with other characters
//! (no AWS call has any) switch the filter off.

use std::collections::HashSet;

use memchr::memmem::Finder;

use crate::resource_map::events::without_version;

const KEY: &str = "\"eventName\"";
const ESCAPE: &str = "\\u00";

/// The filter for a set of event names.
#[derive(Debug)]
pub(super) struct Prefilter {
    /// The wanted names, with and without a version suffix; `None` lets everything pass.
    names: Option<HashSet<Box<str>>>,
    key: Finder<'static>,
    escape: Finder<'static>,
}

impl Prefilter {
    pub(super) fn new(names: &[&str]) -> Self {
        let mut wanted = Some(HashSet::new());
        for &name in names {
            if !name.bytes().all(is_plain) {
                wanted = None;
            }
            if let Some(wanted) = &mut wanted {
                wanted.insert(Box::from(name));
                wanted.insert(Box::from(without_version(name)));
            }
        }
        Self { names: wanted, key: Finder::new(KEY), escape: Finder::new(ESCAPE) }
    }

    /// Whether the record may be a wanted one. Records without any `eventName` pass too: they are broken, and counted.
    pub(super) fn may_match(&self, record: &str) -> bool {
        let Some(names) = &self.names else { return true };
        let mut has_name = false;
        for at in self.key.find_iter(record.as_bytes()) {
            let Some(name) = string_value(&record[at + KEY.len()..]) else { continue };
            has_name = true;
            if names.contains(name) || names.contains(without_version(name)) {
                return true;
            }
        }
        !has_name || self.escape.find_iter(record.as_bytes()).any(|at| spells_plain(&record[at + ESCAPE.len()..]))
    }
}

/// The string after a key, `: "…"`, without its quotes; up to the first quote, so with escapes it is not the whole.
fn string_value(after_key: &str) -> Option<&str> {
    let value = after_key.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    memchr::memchr(b'"', value.as_bytes()).map(|end| &value[..end])
}

/// Whether a `\u00` escape with these two digits stands for a character that names are made of.
fn spells_plain(digits: &str) -> bool {
    digits.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).is_some_and(is_plain)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_that_can_match_pass() {
        let filter = Prefilter::new(&["CreateBucket", "CreateFunction20150331"]);
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
        assert!(Prefilter::new(&["A/B"]).may_match(r#"{"eventName":"C"}"#));
    }
}
