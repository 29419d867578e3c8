//! Dismisses records that can't match, by the position of their own `eventName`.
//!
//! A matching record is never dismissed: its `eventName` is written literally, or a key or the
//! name has a `\u00XX` escape of a letter, digit, `_`, `.` or `-`; records with such an escape always pass. Event names with
//! other characters (AWS has none) disable the filter.

use std::collections::HashSet;

use super::frame::{FoundValues, Keys, is_plain};
use crate::resource_map::events::without_version;

/// The only key that is read; the only one of [`Prefilter::keys`].
const KEY: &str = "eventName";

/// The filter for a set of event names.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    /// The event names without a version suffix. `None` lets everything pass.
    names: Option<HashSet<Box<str>>>,
    keys: Keys,
}

impl Prefilter {
    pub(super) fn new(names: &[&str]) -> Self {
        let are_plain = names.iter().all(|name| name.bytes().all(is_plain));
        let names = are_plain.then(|| names.iter().map(|name| Box::from(without_version(name))).collect());
        Self { names, keys: Keys::new(&[KEY]) }
    }

    /// The keys to find in records.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether the record can match. Records without `eventName` pass too: they are invalid, and counted.
    pub(super) fn may_match(&self, record: &[u8], found: &FoundValues) -> bool {
        let Some(names) = &self.names else { return true };
        let [Some(at)] = found.values[..] else { return true };
        found.is_doubtful || string(&record[at..]).is_none_or(|name| names.contains(without_version(name)))
    }
}

/// The text of a string without escapes.
fn string(value: &[u8]) -> Option<&str> {
    let text = value.strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', text)?;
    if text[end] == b'"' { str::from_utf8(&text[..end]).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::scan::frame;

    fn may_match(filter: &Prefilter, record: &str) -> bool {
        filter.may_match(record.as_bytes(), &frame::one(record.as_bytes(), filter.keys()).unwrap())
    }

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
            assert!(may_match(&filter, passing), "{passing}");
        }
        for dismissed in [
            r#"{"eventName":"ListBuckets"}"#,
            r#"{"eventName":"ListBuckets","x":"CreateBucket"}"#,
            r#"{"eventName":"ListBuckets","x":"a\u003db\u0026c"}"#,
            r#"{"eventName":"xCreateBucket"}"#,
        ] {
            assert!(!may_match(&filter, dismissed), "{dismissed}");
        }
    }

    #[test]
    fn event_name_that_can_be_escaped_differently_disables_the_filter() {
        assert!(may_match(&Prefilter::new(&["A/B"]), r#"{"eventName":"C"}"#));
    }
}
