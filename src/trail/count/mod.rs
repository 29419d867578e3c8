//! Counts the calls in a document, including failed ones.
//!
//! Uses the same walk over records as the scan ([`super::scan`]). In each record it reads only the fields to count by, which that
//! walk finds. Values are compared as written, and parsed at the end. Memory is bounded by a maximum number of bytes of
//! distinct values.

mod field;

use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;

pub use field::{FIELDS, Field, UnknownField};

use super::broken::{BrokenDocument, BrokenRecord};
use super::envelope::Kind;
use super::scan::{Buffers, FoundValues, Keys, Limits, Records, Scan, Sizes, split};
use super::window::TimeWindow;

/// Memory for distinct values of all threads, in bytes.
const MEMORY: usize = 256 * 1024 * 1024;

/// The approximate overhead of a distinct value, in bytes.
const ENTRY: usize = 64;

/// Fields that decide whether a record counts, in the order of `Counter::names`. The fields to count by come after them.
const DECIDING: [&str; 7] =
    ["eventName", "eventSource", "eventTime", "errorCode", "errorMessage", "eventCategory", "eventType"];

/// Their indexes that determine the result for a record, apart from the time.
const OF_CALLS: [usize; 4] = [0, 1, 3, 4];

/// The index of `eventTime`.
const TIME: usize = 2;

/// The texts of the values of `Counter::names`.
type Values<'r> = [Option<&'r str>; DECIDING.len() + FIELDS.len()];

const NO_VALUES: Values<'static> = [None; DECIDING.len() + FIELDS.len()];

/// Separates the values in a key. No JSON text contains it.
const SEPARATOR: char = '\0';

/// The values of the fields to count by, in order. `None` if a record lacks the field.
pub type Key = Vec<Option<String>>;

/// The counts of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All calls, including failed ones.
    pub count: u64,
    /// Failed calls.
    pub failed: u64,
}

/// The counts of one thread, by the values as written in the records.
#[derive(Debug, Default)]
pub struct Tally(HashMap<String, Calls>);

/// There are more distinct values than memory allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the fields have too many distinct values: more than {} MiB", .0 / 1024 / 1024)]
pub struct TooManyValues(usize);

/// Counts calls. Shared by threads, each with its own [`Tally`].
#[derive(Debug)]
pub struct Counter {
    fields: Vec<Field>,
    window: TimeWindow,
    /// The top-level fields that are read.
    names: Vec<&'static str>,
    /// The index in `names` of each field's top-level field.
    places: Vec<usize>,
    /// The indexes of the fields that determine the result for a record.
    needed: Vec<usize>,
    keys: Keys,
    limits: Limits,
    memory: usize,
    held: AtomicUsize,
    is_full: AtomicBool,
}

impl Counter {
    /// Counts the calls in a time range by some fields.
    pub fn new(fields: Vec<Field>, window: TimeWindow) -> Self {
        let mut names = DECIDING.to_vec();
        let mut place = |field: &Field| {
            let name = field.top_level();
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let places: Vec<usize> = fields.iter().map(&mut place).collect();
        let mut needed = [&OF_CALLS[..], &places].concat();
        needed.extend((!window.is_open()).then_some(TIME));
        needed.sort_unstable();
        needed.dedup();
        let keys = Keys::new(&names);
        let (held, is_full) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { fields, window, names, places, needed, keys, limits: Limits::default(), memory: MEMORY, held, is_full }
    }

    /// The fields to count by.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Checks that all calls could be counted so far.
    ///
    /// # Errors
    /// The limit is exceeded, and the counts are useless.
    pub fn check(&self) -> Result<(), TooManyValues> {
        if self.is_full.load(Ordering::Relaxed) { Err(TooManyValues(self.memory)) } else { Ok(()) }
    }

    /// Counts a document's calls. In the counts of the scan, `matched` is the number of counted calls.
    pub fn scan(&self, input: &mut dyn Read, buffers: &mut Buffers, tally: &mut Tally) -> Scan {
        let mut collector =
            Collector { counter: self, tally, scan: Scan::default(), has_list: false, key: String::new() };
        let sizes = Sizes::default();
        let broken = split(&self.limits, &self.keys, input, buffers, &mut collector, &sizes).err();
        let mut scan = collector.scan;
        scan.broken = broken;
        scan.counts.stored_bytes = sizes.stored.get();
        scan.counts.bytes = sizes.decompressed.get();
        scan.is_gzip = sizes.is_gzip.get();
        scan
    }

    /// The values of `names` in a framed record that determine its result. `None` if it is not certainly
    /// a call, or if one of them is not JSON.
    fn call<'r>(&self, record: &'r [u8], found: &FoundValues) -> Option<Values<'r>> {
        if found.is_doubtful {
            return None;
        }
        let mut values = NO_VALUES;
        for &index in &self.needed {
            if let Some(at) = found.values[index] {
                values[index] = Some(field::value(&record[at..])?);
            }
        }
        (is_text(values[0]) && is_text(values[1])).then_some(values)
    }

    /// The result for a record, by its values of `names`. Leaves the key of a call in `key`.
    fn read(&self, values: &[Option<&str>], key: &mut String) -> Result<RecordKind, BrokenRecord> {
        let raw = |index: usize| values.get(index).copied().flatten();
        let text = |index: usize| raw(index).unwrap_or("null");
        let is_text = |index| is_text(raw(index));
        if !is_text(0) || !is_text(1) {
            let is = |index, name: &str| field::text(text(index)).is_some_and(|text| text == name);
            if is(5, "Insight") || is(6, "AwsCloudTrailInsight") {
                return Ok(RecordKind::Insight);
            }
            let missing = if is_text(0) { DECIDING[1] } else { DECIDING[0] };
            return Err(BrokenRecord::NoField(missing));
        }
        if !self.window.is_open() && !self.window.contains(moment(text(TIME))?) {
            return Ok(RecordKind::Outside);
        }
        key.clear();
        for (field, place) in self.fields.iter().zip(&self.places) {
            key.push_str(raw(*place).and_then(|raw| field.raw(raw)).unwrap_or("null"));
            key.push(SEPARATOR);
        }
        Ok(RecordKind::Call { failed: text(3) != "null" || text(4) != "null" })
    }
}

/// Whether a value is a non-empty string.
fn is_text(raw: Option<&str>) -> bool {
    raw.is_some_and(|raw| raw.len() > 2 && raw.starts_with('"'))
}

fn moment(raw: &str) -> Result<Timestamp, BrokenRecord> {
    let time: Option<String> = serde_json::from_str(raw).ok();
    time.and_then(|time| time.parse().ok())
        .ok_or_else(|| BrokenRecord::InvalidTime { call: None, time: raw.to_owned() })
}

enum RecordKind {
    Call { failed: bool },
    Outside,
    Insight,
}

impl Tally {
    /// Adds the counts of another thread.
    pub fn merge(&mut self, other: Self) {
        for (key, calls) in other.0 {
            let sum = self.0.entry(key).or_default();
            sum.count += calls.count;
            sum.failed += calls.failed;
        }
    }

    /// The most frequent keys first. Keys with equal counts are ordered by their values.
    pub fn ranked(self) -> Vec<(Key, Calls)> {
        let mut sums: HashMap<Key, Calls> = HashMap::new();
        for (spelled, calls) in self.0 {
            // The same value can be written in several ways.
            let sum = sums.entry(spelled.split_terminator(SEPARATOR).map(field::text).collect()).or_default();
            sum.count += calls.count;
            sum.failed += calls.failed;
        }
        let mut ranked: Vec<_> = sums.into_iter().collect();
        ranked.sort_unstable_by(|(key, calls), (other, others)| others.count.cmp(&calls.count).then(key.cmp(other)));
        ranked
    }
}

struct Collector<'a> {
    counter: &'a Counter,
    tally: &'a mut Tally,
    scan: Scan,
    has_list: bool,
    /// The key of the current call.
    key: String,
}

impl Records for Collector<'_> {
    fn begin_document(&mut self) {
        self.has_list = false;
    }

    fn begin_list(&mut self) -> Result<(), BrokenDocument> {
        // Counts can't be removed again.
        if std::mem::replace(&mut self.has_list, true) {
            return Err(BrokenDocument::TwoLists);
        }
        Ok(())
    }

    fn framed(&mut self, record: &[u8], found: &FoundValues) -> bool {
        let call = self.counter.call(record, found);
        if let Some(values) = &call {
            self.take(true, values);
        }
        call.is_some()
    }

    fn record(&mut self, record: &str) {
        let mut values = NO_VALUES;
        match field::pick(record, &self.counter.names, &mut values) {
            Ok(is_object) => self.take(is_object, &values),
            Err(error) => {
                self.scan.counts.records += 1;
                self.broken(BrokenRecord::unreadable(&error));
            }
        }
    }

    fn other(&mut self, kind: Kind) {
        self.scan.counts.add_other(kind);
    }
}

impl Collector<'_> {
    fn take(&mut self, is_object: bool, values: &Values<'_>) {
        self.scan.counts.records += 1;
        if !is_object {
            return self.broken(BrokenRecord::NotAnObject);
        }
        match self.counter.read(values, &mut self.key) {
            Ok(RecordKind::Outside) => self.scan.counts.filtered += 1,
            Ok(RecordKind::Insight) => self.scan.counts.insights += 1,
            Ok(RecordKind::Call { failed }) => {
                self.scan.counts.matched += 1;
                self.count(failed);
            }
            Err(reason) => self.broken(reason),
        }
    }

    fn broken(&mut self, reason: BrokenRecord) {
        self.scan.counts.broken_records += 1;
        self.scan.broken_record.get_or_insert(reason);
    }

    fn count(&mut self, failed: bool) {
        if let Some(calls) = self.tally.0.get_mut(&self.key) {
            calls.count += 1;
            calls.failed += u64::from(failed);
            return;
        }
        let Counter { held, memory, is_full, fields, .. } = self.counter;
        let size = ENTRY * (1 + fields.len()) + self.key.len();
        if held.fetch_add(size, Ordering::Relaxed) + size > *memory {
            is_full.store(true, Ordering::Relaxed);
        } else {
            self.tally.0.insert(self.key.clone(), Calls { count: 1, failed: u64::from(failed) });
        }
    }
}

#[cfg(test)]
mod tests;
