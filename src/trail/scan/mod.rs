//! Scans a document's bytes for the events in the resource map.
//!
//! Accepts gzip (with any number of members), zstd and plain text, and records in any of the [envelopes](super::envelope): one
//! `{"Records":[…]}`, a list of records, JSON Lines, a single record, events of EventBridge or CloudWatch Logs, and others.
//! Correct for any valid JSON: key order, white space, escapes, and event names inside other strings. Digest files,
//! Insights events and what is not CloudTrail's are recognized and counted by [`Kind`].
//!
//! # Steps
//! 1. `inflate` decompresses a whole gzip file at once, into a buffer that is reused for the next document. `input`
//!    handles the rest: plain JSON, several members, damaged files, and large ones, of which only a part is in memory ([`Limits`]).
//! 2. `document` walks its top level. `frame` finds the end of each record and its own `eventName` (`keys`), in one pass over the bytes
//!    with the bitmaps of `blocks`, of which `blocks::marks` keeps those that matter. Nothing is parsed.
//! 3. `prefilter` dismisses records without a matching `eventName` and `eventSource`. It may keep too many, and never decides that a
//!    record matches.
//! 4. [`extract::read`] decides, on the fields of the remaining records, read by `serde_json`.
//!
//! # Errors in documents
//! A document fails if it ends too early, or if its strings, the number of its brackets or the text between records are not valid JSON.
//! Everything before the error is kept. A record that is complete by its brackets and strings never fails its document: faults in its texts
//! (bytes that are not UTF-8, unpaired surrogates) are mended by [`super::mend`], and a record that is not JSON, or JSON but not a record,
//! counts as a broken one. Errors inside of a dismissed record that don't hide its end, or another record, are not detected: a
//! misspelt `true`, a bad escape, two commas, a `]` in place of a `}`. Large documents other than log files are parsed to the last
//! byte: there, a record that is not JSON fails the document. Nothing else depends on the size of a document or the position in it.
//!
//! # Invariants
//! [`Scanner::scan`] is the whole interface: bytes in, events and [`Counts`] out. Every record that step 4 would match
//! reaches it, records stay in order, everything before an error is kept, and `records` counts all records.

mod blocks;
mod document;
mod frame;
mod inflate;
mod input;
mod keys;
mod layer;
mod prefilter;
mod texts;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::sync::Arc;

use super::broken::{BrokenDocument, BrokenRecord};
use super::envelope::Kind;
use super::extract::{self, Extraction};
use super::fields::Fields;
use super::filter::RecordFilter;
use super::left_out::LeftOut;
use crate::model::event::ResourceEvent;
use crate::resource_map::ResourceMap;
pub(super) use document::{Records, Wants};
pub(super) use frame::FoundValues;
use inflate::Inflater;
use input::Rest;
pub(super) use input::Sizes;
pub(super) use keys::Keys;
use prefilter::Prefilter;
use texts::Texts;

/// The size of a mebibyte in bytes.
const MIB: u64 = 1024 * 1024;

/// Files up to this stored size are decompressed at once, in bytes. CloudTrail's files are usually smaller than 1 MiB.
const STORED_AT_ONCE: usize = 2 * 1024 * 1024;

/// The number of events after which they are passed on, so that a document with many matches is not held in memory.
const EVENTS_AT_ONCE: usize = 512;

/// Limits for a document, in bytes of JSON.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Gzip files with less than this size of JSON, in one member of at most 2 MiB, are decompressed at once, which is faster.
    pub at_once: u64,
    /// Other documents up to this size are scanned in memory, except log files. Of larger ones, this much is held to find out what they
    /// are. Larger than `record`, so that the first record of a file is complete.
    pub buffered: u64,
    /// Log files that are not decompressed at once are scanned in parts of this size, or of a larger record's.
    pub part: u64,
    /// A larger record makes its document fail. CloudTrail's records have at most 256 KiB.
    pub record: u64,
    /// A gzip file that decompresses to more is treated as a decompression bomb. CloudTrail's files stay below 100 MiB.
    pub decompressed: u64,
}

impl Limits {
    /// The limits of the program.
    pub const DEFAULT: Self =
        Self { at_once: 16 * MIB, buffered: 32 * MIB, part: MIB, record: 16 * MIB, decompressed: 4096 * MIB };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The counts for one document, or for many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read, as stored.
    pub stored_bytes: u64,
    /// Bytes of JSON.
    pub bytes: u64,
    /// Records of any kind.
    pub records: u64,
    /// Successful calls with events in the map that the filter selects.
    pub matched: u64,
    /// Successful calls with events in the map that the filter excludes.
    pub filtered: u64,
    /// The excluded records, by what excluded them.
    pub left_out: LeftOut,
    /// Resource identifiers in matched records.
    pub ids: u64,
    /// Sessions that were created, if the map has session events.
    pub sessions: u64,
    /// Matched records without any identifier, by `eventSource:eventName`.
    pub without_ids: BTreeMap<String, u64>,
    /// Records that can't be read, in documents that can.
    pub broken_records: u64,
    /// Insights events.
    pub insights: u64,
    /// Values that are not records, by kind: files, log events, or elements of lists.
    pub others: BTreeMap<Kind, u64>,
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.stored_bytes += other.stored_bytes;
        self.bytes += other.bytes;
        self.records += other.records;
        self.matched += other.matched;
        self.filtered += other.filtered;
        self.left_out.merge(&other.left_out);
        self.ids += other.ids;
        self.sessions += other.sessions;
        self.broken_records += other.broken_records;
        self.insights += other.insights;
        for (kind, count) in &other.others {
            *self.others.entry(*kind).or_default() += count;
        }
        for (call, count) in &other.without_ids {
            *self.without_ids.entry(call.clone()).or_default() += count;
        }
    }
}

impl Counts {
    /// Counts something that is not a record.
    pub fn add_other(&mut self, kind: Kind) {
        *self.others.entry(kind).or_default() += 1;
    }

    /// Counts the result for a record (which is counted already). Returns the event if it has resources.
    ///
    /// # Errors
    /// The reason why the record is broken.
    pub fn take(&mut self, reading: Extraction) -> Result<Option<ResourceEvent>, BrokenRecord> {
        match reading {
            Extraction::Unmatched => {}
            Extraction::Insight => self.insights += 1,
            Extraction::Filtered(record) => {
                self.filtered += 1;
                self.left_out.add(record);
            }
            Extraction::WithoutIds { call } => {
                self.matched += 1;
                *self.without_ids.entry(call).or_default() += 1;
            }
            Extraction::Touched(event) => {
                self.matched += 1;
                self.sessions += event.sessions.len() as u64;
                self.ids += event.touched.len() as u64;
                return Ok(Some(event));
            }
            Extraction::Broken(reason) => {
                self.broken_records += 1;
                return Err(reason);
            }
        }
        Ok(None)
    }
}

/// The result of scanning a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The counts.
    pub counts: Counts,
    /// Why the document can't be read completely. Everything before the error was passed on.
    pub broken: Option<BrokenDocument>,
    /// The reason for the first of its broken records.
    pub broken_record: Option<BrokenRecord>,
    /// Whether it was gzip.
    pub is_gzip: bool,
}

impl Scan {
    /// What the document is, if it has no records.
    pub fn kind(&self) -> Option<Kind> {
        if self.counts.records > self.counts.insights {
            return None;
        }
        let most = self.counts.others.iter().max_by_key(|(_, count)| **count).map(|(kind, _)| *kind);
        most.or((self.counts.records > 0).then_some(Kind::Insights))
    }

    /// The same for a document with this name. Text of no particular kind is only a broken document if it is named as JSON, or if it
    /// has no name of its own.
    #[must_use]
    pub fn under_name(mut self, name: &str) -> Self {
        let is_text = self.kind().is_some_and(Kind::is_unknown);
        let name = name.to_ascii_lowercase();
        let is_named_json = [".json", ".jsonl", ".gz", ".zst"].iter().any(|end| name.ends_with(end));
        let is_named_json = is_named_json || matches!(&*name, "stdin" | "-");
        if is_text && is_named_json {
            self.counts.others.clear();
        } else if is_text {
            self.broken = None;
        }
        self
    }
}

/// What a file is that has no records according to its name: CloudTrail's files beside its log files.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
pub fn kind_of_name(file_name: &str) -> Option<Kind> {
    const NAMES: [(&str, Kind); 3] = [
        ("CloudTrail-Digest", Kind::Digest),
        ("CloudTrail-Insight", Kind::Insights),
        ("CloudTrail-Aggregated", Kind::Aggregated),
    ];
    NAMES.into_iter().find(|(part, _)| file_name.contains(part)).map(|(_, kind)| kind)
}

/// The buffers of a thread, reused for each document.
#[derive(Debug, Default)]
pub struct Buffers {
    /// A document as stored, or its beginning. The bytes before and after it are from earlier documents, too.
    stored: Vec<u8>,
    /// Its JSON, or the beginning of it. The bytes after it are from earlier documents.
    document: Vec<u8>,
    inflater: Inflater,
    /// The events of the last document that were passed on at its end. Space for a few more is reserved in the next one.
    events: usize,
    texts: Texts,
}

/// Splits a document into its records for `records`. `sizes` has the bytes read, with or without an error.
///
/// # Errors
/// Why it can't be read completely. Everything before the error was passed on.
pub(super) fn split(
    limits: &Limits,
    keys: &Keys,
    input: &mut dyn Read,
    buffers: &mut Buffers,
    records: &mut impl Records,
    sizes: &Sizes,
) -> Result<(), BrokenDocument> {
    let wants = Wants { keys, record_limit: limits.record };
    let (place, rest) = input::beginning(input, STORED_AT_ONCE, &mut buffers.stored);
    let stored = &buffers.stored[place];
    let limit = limits.at_once.min(limits.buffered).min(limits.decompressed);
    if matches!(rest, Rest::Nothing)
        && let Some(length) = buffers.inflater.whole(stored, limit, &mut buffers.document)
    {
        let document = &buffers.document[..length];
        if !input::is_wrapped(document) {
            sizes.set_whole(stored.len(), length);
            known_format(document)?;
            return document::split_slice(document, wants, records);
        }
    }
    let mut stored = stored.chain(rest);
    let unreadable = |error: io::Error| BrokenDocument::Unreadable(error.to_string());
    let mut json = input::decompressed(&mut stored, sizes, limits.decompressed).map_err(unreadable)?;
    let document = &mut buffers.document;
    document.clear();
    // In a log file, records are found in a part of any size. Of other documents, so much is held that the first record is complete.
    let sizes = [limits.part.min(limits.buffered), limits.buffered];
    for size in sizes {
        let read = json.by_ref().take(size - document.len() as u64).read_to_end(document);
        known_format(document)?;
        let complete = read.is_ok() && (document.len() as u64) < size;
        if complete || read.is_err() {
            let split = document::split_slice(document, wants, records);
            return read.map_err(unreadable).and(split);
        }
        if document::begins_with_list(document) {
            break;
        }
    }
    document::split_stream(document, json, wants, records)
}

fn known_format(document: &[u8]) -> Result<(), BrokenDocument> {
    input::foreign(document).map_or(Ok(()), |advice| Err(BrokenDocument::Foreign(advice)))
}

/// Scans documents for the events of a resource map. Shared by threads.
#[derive(Debug, Clone)]
pub struct Scanner {
    map: Arc<ResourceMap>,
    filter: RecordFilter,
    prefilter: Prefilter,
    limits: Limits,
}

impl Scanner {
    /// A scanner for the map's events that the filter selects.
    pub fn new(map: Arc<ResourceMap>, filter: RecordFilter) -> Self {
        let prefilter = Prefilter::new(Arc::clone(&map));
        Self { map, filter, prefilter, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The resource map.
    pub fn map(&self) -> &ResourceMap {
        &self.map
    }

    /// The resource map, shared.
    pub fn shared_map(&self) -> Arc<ResourceMap> {
        Arc::clone(&self.map)
    }

    /// The filter.
    pub fn filter(&self) -> &RecordFilter {
        &self.filter
    }

    /// Scans a document and passes its events to `take`, in order, in batches of some hundreds.
    pub fn scan(&self, input: &mut dyn Read, buffers: &mut Buffers, take: &mut dyn FnMut(Vec<ResourceEvent>)) -> Scan {
        let mut collector = Collector {
            scanner: self,
            scan: Scan::default(),
            events: Vec::new(),
            expected: buffers.events + buffers.events / 4,
            texts: std::mem::take(&mut buffers.texts),
            start: None,
            hand_on: take,
        };
        let sizes = Sizes::default();
        let broken = split(&self.limits, self.prefilter.keys(), input, buffers, &mut collector, &sizes).err();
        if !collector.events.is_empty() {
            buffers.events = collector.events.len();
        }
        buffers.texts = std::mem::take(&mut collector.texts);
        let mut scan = collector.finish();
        scan.broken = broken;
        scan.counts.stored_bytes = sizes.stored.get();
        scan.counts.bytes = sizes.decompressed.get();
        scan.is_gzip = sizes.is_gzip.get();
        scan
    }
}

/// Receives a document's records and keeps the matching events.
struct Collector<'s, 't> {
    scanner: &'s Scanner,
    scan: Scan,
    events: Vec<ResourceEvent>,
    /// The number of events to reserve space for.
    expected: usize,
    texts: Texts,
    /// The state before the current list of records.
    start: Option<Start>,
    hand_on: &'t mut dyn FnMut(Vec<ResourceEvent>),
}

struct Start {
    scan: Scan,
    events: usize,
}

impl Records for Collector<'_, '_> {
    fn begin_document(&mut self) {
        self.start = None;
    }

    fn begin_list(&mut self) -> Result<(), BrokenDocument> {
        match &self.start {
            None => self.start = Some(Start { scan: self.scan.clone(), events: self.events.len() }),
            // The last of two equal keys counts, as in records.
            Some(start) if start.events <= self.events.len() => {
                self.scan = start.scan.clone();
                self.events.truncate(start.events);
            }
            Some(_) => return Err(BrokenDocument::TwoLists),
        }
        Ok(())
    }

    fn framed(&mut self, record: &[u8], found: &FoundValues) -> bool {
        if !self.scanner.prefilter.may_match(record, found) {
            self.scan.counts.records += 1;
            return true;
        }
        // What can't be read at once is mended first.
        let Ok(fields) = Fields::parse_bytes(record) else { return false };
        self.take(extract::read(&self.scanner.map, &self.scanner.filter, &fields));
        true
    }

    fn record(&mut self, record: &str) {
        self.take(extract::read_record(&self.scanner.map, &self.scanner.filter, record));
    }

    fn other(&mut self, kind: Kind) {
        self.scan.counts.add_other(kind);
    }
}

impl Collector<'_, '_> {
    /// Takes the result for a record.
    fn take(&mut self, extraction: Extraction) {
        self.scan.counts.records += 1;
        match self.scan.counts.take(extraction) {
            Ok(None) => {}
            Ok(Some(mut event)) => {
                self.texts.share(&mut event.event);
                if self.events.capacity() == 0 {
                    self.events.reserve(self.expected);
                }
                self.events.push(event);
                self.hand_on_when_full();
            }
            Err(reason) => {
                self.scan.broken_record.get_or_insert(reason);
            }
        }
    }

    fn hand_on_when_full(&mut self) {
        if self.events.len() >= EVENTS_AT_ONCE {
            (self.hand_on)(std::mem::take(&mut self.events));
            // Events that were passed on can't be withdrawn.
            if let Some(start) = &mut self.start {
                start.events = usize::MAX;
            }
        }
    }

    fn finish(mut self) -> Scan {
        if !self.events.is_empty() {
            // Events wait in memory until a transaction has enough, so they should take no spare space.
            self.events.shrink_to_fit();
            (self.hand_on)(self.events);
        }
        self.scan
    }
}

#[cfg(test)]
mod tests;
