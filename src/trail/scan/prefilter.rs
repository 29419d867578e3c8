//! Dismisses records that can't match, by the position of their own `eventName`, and by the `eventSource` before it.
//!
//! A matching record is never dismissed: its `eventName` and `eventSource` are written literally, or a key or the
//! text has a `\u00XX` escape of a letter, digit, `_`, `.` or `-`; records with such an escape always pass. Event names with
//! other characters (AWS has none) disable the filter.

mod beginnings;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use memchr::memmem::Finder;

use super::frame::FoundValues;
use super::keys::{Keys, is_plain};
use crate::resource_map::ResourceMap;
use crate::resource_map::events::without_version;
use beginnings::Beginnings;

/// The only key of [`Prefilter::keys`].
const NAME: &str = "eventName";

/// The spelled key of the source.
const SOURCE: &[u8] = b"\"eventSource\"";

/// The filter for the events of a resource map.
#[derive(Debug, Clone)]
pub(super) struct Prefilter {
    map: Arc<ResourceMap>,
    /// Whether all event names consist of plain characters. Otherwise every record passes.
    is_plain: bool,
    /// The event names without a version suffix. Only for records without an `eventSource` right before the name, so read on first use.
    names: OnceLock<HashSet<Box<str>>>,
    beginnings: Beginnings,
    keys: Keys,
    /// Finds [`SOURCE`].
    source: Finder<'static>,
}

impl Prefilter {
    pub(super) fn new(map: Arc<ResourceMap>) -> Self {
        let is_plain = map.events.each_name().all(|name| name.bytes().all(is_plain));
        let beginnings = Beginnings::of(map.events.each_name().map(without_version));
        let (names, keys, source) = (OnceLock::new(), Keys::new(&[NAME]), Finder::new(SOURCE));
        Self { map, is_plain, names, beginnings, keys, source }
    }

    /// The keys to find in records.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether the record can match. Records without `eventName` pass too: they are invalid, and counted.
    #[inline]
    pub(super) fn may_match(&self, record: &[u8], found: &FoundValues) -> bool {
        let [Some(at)] = &found.values[..] else { return true };
        if found.is_doubtful || !self.is_plain {
            return true;
        }
        let name = &record[*at..];
        if self.beginnings.exclude(name) {
            return false;
        }
        let Some(name) = string(name) else { return true };
        match self.source_before(record, *at) {
            Some(source) => !self.map.rules(source, name).is_empty(),
            None => self.names().contains(without_version(name)),
        }
    }

    /// The record's own source, if no parse is needed to be certain of it: CloudTrail writes `eventSource` right before `eventName`. The value
    /// of the name begins at `at`. A key follows the quote before it, so that quote ends a string, and every earlier quote without a
    /// backslash begins or ends one too.
    fn source_before<'r>(&self, record: &'r [u8], at: usize) -> Option<&'r str> {
        let before = record[..at].strip_suffix(b"\"eventName\":")?.strip_suffix(b"\",")?;
        let start = memchr::memrchr(b'"', before)? + 1;
        let (text, key) = (&before[start..], before[..start - 1].strip_suffix(b":")?.strip_suffix(SOURCE)?);
        let is_plain = !text.contains(&b'\\') && !key.ends_with(b"\\");
        // Of two equal keys, the last counts.
        let is_only = || self.source.find(&record[at..]).is_none();
        if is_plain && is_only() { str::from_utf8(text).ok() } else { None }
    }

    fn names(&self) -> &HashSet<Box<str>> {
        self.names.get_or_init(|| self.map.events.each_name().map(|name| Box::from(without_version(name))).collect())
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
    use crate::model::event::Action;
    use crate::trail::samples::map;
    use crate::trail::scan::frame;

    fn filter(events: &[(&str, &str)]) -> Prefilter {
        let rules: Vec<_> = events.iter().map(|(source, name)| (*source, *name, "s3", Action::Create, "x")).collect();
        Prefilter::new(Arc::new(map(&rules)))
    }

    fn may_match(filter: &Prefilter, record: &str) -> bool {
        filter.may_match(record.as_bytes(), &frame::one(record.as_bytes(), filter.keys()).unwrap())
    }

    #[test]
    fn only_records_that_can_match_pass() {
        let filter = filter(&[("s3.x", "CreateBucket"), ("lambda.x", "CreateFunction20150331"), ("a.x", "Put")]);
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
            r#"{"eventName":"Put"}"#,
            r#"{"eventName":"Put20150331"}"#,
            r#"{"eventName":"Put_2015_03_31","eventSource":"a.x"}"#,
            r#"{"x":1}"#,
            r#"{"x":"\"eventName\""}"#,
            r#"{"eventSource":"s3.x","eventName":"CreateBucket"}"#,
            r#"{"eventSource":"\u0073\u0033.x","eventName":"CreateBucket"}"#,
            r#"{"eventSource":"other.x","eventName":"CreateBucket","eventSource":"s3.x"}"#,
            r#"{"eventSource":"other.x","eventName":"CreateBucket","event\u0053ource":"s3.x"}"#,
            r#"{"x":"\"eventSource":"other.x","eventName":"CreateBucket"}"#,
            r#"{"x":"\"eventSource\":\"other.x","eventName":"CreateBucket"}"#,
            r#"{"eventSource":1,"eventName":"CreateBucket"}"#,
            r#"{"eventSource":"other.x", "eventName":"CreateBucket"}"#,
        ] {
            assert!(may_match(&filter, passing), "{passing}");
        }
        for dismissed in [
            r#"{"eventName":"ListBuckets"}"#,
            r#"{"eventName":"ListBuckets","x":"CreateBucket"}"#,
            r#"{"eventName":"ListBuckets","x":"a\u003db\u0026c"}"#,
            r#"{"eventName":"xCreateBucket"}"#,
            r#"{"eventName":"CreateBuckets"}"#,
            r#"{"eventName":"PutX"}"#,
            r#"{"eventName":""}"#,
            r#"{"eventSource":"lambda.x","eventName":"CreateBucket"}"#,
            r#"{"x":{"eventSource":"s3.x"},"eventSource":"lambda.x","eventName":"CreateBucket","y":1}"#,
            r#"{"eventSource":"lambda.x","eventName":"CreateBucket","y":{"eventName":"Other"}}"#,
        ] {
            assert!(!may_match(&filter, dismissed), "{dismissed}");
        }
    }

    #[test]
    fn event_name_that_can_be_escaped_differently_disables_the_filter() {
        assert!(may_match(&filter(&[("s.x", "A/B")]), r#"{"eventName":"C"}"#));
    }
}
