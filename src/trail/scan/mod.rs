//! A document's bytes → the events that the resource map knows.
//!
//! Gzip (of any number of members) or plain; one `{"Records":[…]}`, a list of records, JSON Lines, a single record.
//! Correct for any valid JSON: key order, white space, escapes, wanted text inside other strings. Digest files and
//! Insights events are told apart and skipped.
//!
//! # How
//! 1. `inflate` decompresses a whole gzip file at once, into a buffer that is used again for the next document; `input`
//!    does what it leaves: plain JSON, several members, damaged files. A document larger than [`Limits::buffered`] is streamed,
//!    so that memory stays flat.
//! 2. `document` walks its top level; `frame` finds, in one pass over the bytes by the bitmaps of `blocks`, where each
//!    record ends and where its own `eventName` is. Nothing is parsed.
//! 3. `prefilter` dismisses a record that holds no wanted `eventName`. It over-approximates and never decides that a
//!    record matches.
//! 4. [`extract::read`] decides, on the fields of the few records that are left, read by `serde_json`.
//!
//! # What is broken
//! A document is broken where it ends too early, where strings, brackets or what stands between records aren't JSON's, where
//! bytes aren't UTF-8, and where a record that isn't dismissed isn't JSON; what stands before that is kept. What is wrong inside
//! of a dismissed record without hiding its end, or another record, isn't looked for: a misspelt `true`, a bad escape, two commas
//! (a document that is streamed is checked to the last byte). A record that is JSON but no record is counted as broken,
//! if it isn't dismissed; nothing depends on where in the document it stands.
//!
//! # What every way of scanning must keep
//! [`Scanner::scan`] is the whole interface: bytes in, events and [`Counts`] out. Every record that step 4 would match
//! comes to it, records come in their order, what stands before a break is kept, `records` counts all records.

mod blocks;
mod document;
mod frame;
mod inflate;
mod input;
mod prefilter;

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::AddAssign;
use std::sync::Arc;

use super::extract::{self, Reading};
use super::fields::Fields;
use super::filter::RecordFilter;
use super::left_out::LeftOut;
use super::record::ResourceEvent;
use crate::resource_map::ResourceMap;
use crate::resource_map::sessions::is_session;
pub(super) use document::{Records, Wants};
pub(super) use frame::{Found, Keys};
use inflate::Inflater;
use input::Rest;
pub(super) use input::Sizes;
use prefilter::Prefilter;

/// Bytes in a mebibyte.
const MIB: u64 = 1024 * 1024;

/// Files up to this size, as stored, are decompressed at once, in bytes. CloudTrail's own are mostly smaller than 1 MiB.
const STORED_AT_ONCE: u64 = 8 * MIB;

/// Events after which those found so far are handed on, so that a document full of matches isn't held in memory.
const EVENTS_AT_ONCE: usize = 4096;

/// What a document may demand. All in bytes of JSON.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Documents up to this size are scanned in memory; larger ones are streamed, slower. More than `record`, so that
    /// the first of a file's records is seen whole.
    pub buffered: u64,
    /// A larger record breaks its document. CloudTrail's own are at most 256 KiB.
    pub record: u64,
    /// A gzip file that decompresses to more is taken for a bomb. CloudTrail's own stay below 100 MiB.
    pub decompressed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { buffered: 32 * MIB, record: 16 * MIB, decompressed: 4096 * MIB }
    }
}

/// What was seen in one document, or in many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read, as stored.
    pub stored_bytes: u64,
    /// Bytes of JSON.
    pub bytes: u64,
    /// Records of any kind.
    pub records: u64,
    /// Successful calls that the map knows and the filter wants.
    pub matched: u64,
    /// Successful calls that the map knows but the filter doesn't want.
    pub filtered: u64,
    /// What those are of.
    pub left_out: LeftOut,
    /// Resource ids in matched records.
    pub ids: u64,
    /// Sessions that were made, where the map wants them.
    pub sessions: u64,
    /// Matched records in which no rule found an id, by `eventSource:eventName`.
    pub without_ids: BTreeMap<String, u64>,
    /// Records that can't be read, in documents that can.
    pub broken_records: u64,
    /// Insights events.
    pub insights: u64,
    /// Digest files.
    pub digests: u64,
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
        self.digests += other.digests;
        for (call, count) in &other.without_ids {
            *self.without_ids.entry(call.clone()).or_default() += count;
        }
    }
}

impl Counts {
    /// Counts what a record (counted already) came to; gives the event where it touched resources.
    ///
    /// # Errors
    /// Why the record is broken.
    pub fn take(&mut self, reading: Reading) -> Result<Option<ResourceEvent>, String> {
        match reading {
            Reading::Unmatched => {}
            Reading::Insight => self.insights += 1,
            Reading::Filtered(record) => {
                self.filtered += 1;
                self.left_out.add(record);
            }
            Reading::WithoutIds { call } => {
                self.matched += 1;
                *self.without_ids.entry(call).or_default() += 1;
            }
            Reading::Touched(event) => {
                self.matched += 1;
                let sessions = event.touched.iter().filter(|touched| is_session(&touched.resource_type)).count();
                self.sessions += sessions as u64;
                self.ids += (event.touched.len() - sessions) as u64;
                return Ok(Some(event));
            }
            Reading::Broken(reason) => {
                self.broken_records += 1;
                return Err(reason);
            }
        }
        Ok(None)
    }
}

/// How a document's scan ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// What was seen.
    pub counts: Counts,
    /// Why the document can't be read to its end; what stood before the break was handed on.
    pub broken: Option<String>,
    /// Why the first of its broken records is broken.
    pub broken_record: Option<String>,
    /// Whether it was gzip.
    pub is_gzip: bool,
}

/// Whether a file's name says that it holds no records: CloudTrail's digest and Insights files.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
pub fn is_digest_or_insight(file_name: &str) -> bool {
    file_name.contains("CloudTrail-Digest") || file_name.contains("CloudTrail-Insight")
}

/// Memory that a thread uses for one document after the other.
#[derive(Debug, Default)]
pub struct Buffers {
    /// A document as stored, or its beginning.
    stored: Vec<u8>,
    /// Its JSON, or the beginning of that; what is behind it is from earlier documents.
    document: Vec<u8>,
    inflater: Inflater,
}

/// Splits a document into its records for `records`; what went through is in `sizes`, however it ends.
///
/// # Errors
/// Why it can't be read to its end; what stood before that was handed on.
pub(super) fn split(
    limits: &Limits,
    keys: &Keys,
    input: &mut dyn Read,
    buffers: &mut Buffers,
    records: &mut impl Records,
    sizes: &Sizes,
) -> Result<(), String> {
    let wants = Wants { keys, record_limit: limits.record };
    let rest = input::beginning(input, STORED_AT_ONCE, &mut buffers.stored);
    let limit = limits.buffered.min(limits.decompressed);
    if matches!(rest, Rest::Nothing)
        && let Some(length) = buffers.inflater.whole(&buffers.stored, limit, &mut buffers.document)
    {
        sizes.set_whole(buffers.stored.len(), length);
        return document::split_slice(&buffers.document[..length], wants, records);
    }
    let mut stored = buffers.stored.chain(rest);
    let mut json = input::decompressed(&mut stored, sizes, limits.decompressed).map_err(|error| error.to_string())?;
    buffers.document.clear();
    let read = json.by_ref().take(limits.buffered).read_to_end(&mut buffers.document);
    let complete = read.as_ref().is_ok_and(|&length| (length as u64) < limits.buffered);
    if complete || read.is_err() {
        let split = document::split_slice(&buffers.document, wants, records);
        return read.map_err(|error| error.to_string()).and(split);
    }
    document::split_stream(&buffers.document, json, wants, records)
}

/// Scans documents for the events of a resource map. Shared by threads.
#[derive(Debug)]
pub struct Scanner {
    map: Arc<ResourceMap>,
    filter: RecordFilter,
    prefilter: Prefilter,
    limits: Limits,
}

impl Scanner {
    /// A scanner for the map's events that the filter wants.
    pub fn new(map: Arc<ResourceMap>, filter: RecordFilter) -> Self {
        let prefilter = Prefilter::new(&map.event_names());
        Self { map, filter, prefilter, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What the scanner looks for.
    pub fn map(&self) -> &ResourceMap {
        &self.map
    }

    /// The same, to be kept.
    pub fn shared_map(&self) -> Arc<ResourceMap> {
        Arc::clone(&self.map)
    }

    /// What it wants of that.
    pub fn filter(&self) -> &RecordFilter {
        &self.filter
    }

    /// Reads a document to its end and hands its events to `take`, in their order, some thousands at a time.
    pub fn scan(&self, input: &mut dyn Read, buffers: &mut Buffers, take: &mut dyn FnMut(Vec<ResourceEvent>)) -> Scan {
        let mut collector = Collector { scanner: self, scan: Scan::default(), events: Vec::new(), start: None, take };
        let sizes = Sizes::default();
        let broken = split(&self.limits, self.prefilter.keys(), input, buffers, &mut collector, &sizes).err();
        let mut scan = collector.finish();
        scan.broken = broken;
        scan.counts.stored_bytes = sizes.stored.get();
        scan.counts.bytes = sizes.decompressed.get();
        scan.is_gzip = sizes.is_gzip.get();
        scan
    }

    fn read(&self, record: &str) -> Reading {
        match Fields::parse(record) {
            Ok(fields) => extract::read(&self.map, &self.filter, &fields),
            Err(error) => Reading::Broken(format!("a record can't be read: {error}")),
        }
    }
}

/// Receives a document's records and keeps what counts.
struct Collector<'s, 't> {
    scanner: &'s Scanner,
    scan: Scan,
    events: Vec<ResourceEvent>,
    /// The state before the list of records that is being read.
    start: Option<Start>,
    take: &'t mut dyn FnMut(Vec<ResourceEvent>),
}

struct Start {
    scan: Scan,
    events: usize,
}

impl Records for Collector<'_, '_> {
    fn begin_document(&mut self) {
        self.start = None;
    }

    fn begin_list(&mut self) -> Result<(), String> {
        match &self.start {
            None => self.start = Some(Start { scan: self.scan.clone(), events: self.events.len() }),
            // The last of two equal keys counts, here as in records.
            Some(start) if start.events <= self.events.len() => {
                self.scan = start.scan.clone();
                self.events.truncate(start.events);
            }
            Some(_) => return Err("the document has two lists of Records".to_owned()),
        }
        Ok(())
    }

    fn framed(&mut self, record: &[u8], found: &Found) -> bool {
        let is_dismissed = !self.scanner.prefilter.may_match(record, found);
        self.scan.counts.records += u64::from(is_dismissed);
        is_dismissed
    }

    fn record(&mut self, record: &str) {
        let counts = &mut self.scan.counts;
        counts.records += 1;
        match counts.take(self.scanner.read(record)) {
            Ok(None) => {}
            Ok(Some(event)) => {
                self.events.push(event);
                self.hand_on_when_full();
            }
            Err(reason) => {
                self.scan.broken_record.get_or_insert(reason);
            }
        }
    }

    fn digest(&mut self) {
        self.scan.counts.digests += 1;
    }
}

impl Collector<'_, '_> {
    fn hand_on_when_full(&mut self) {
        if self.events.len() >= EVENTS_AT_ONCE {
            (self.take)(std::mem::take(&mut self.events));
            // What was handed on can't be taken back.
            if let Some(start) = &mut self.start {
                start.events = usize::MAX;
            }
        }
    }

    fn finish(self) -> Scan {
        if !self.events.is_empty() {
            (self.take)(self.events);
        }
        self.scan
    }
}

#[cfg(test)]
mod tests;
