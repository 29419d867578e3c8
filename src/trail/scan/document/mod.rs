//! Splits a document's JSON into its records, in order, without parsing them, whatever envelope they are in.
//!
//! `memory` frames the records of a document in one pass over its bytes, and `parts` those of a log file that is too large for
//! memory, part by part, with the same result. `stream` is for other documents of that size: it holds one record at a time and reads it
//! with `serde_json`. Its result differs only for records that are not JSON, which fail their document.

mod element;
mod memory;
mod parts;
mod stream;

pub(super) use memory::split as split_slice;
pub(super) use parts::{begins_with_list, split as split_stream};

use serde_json::value::RawValue;

use super::frame::FoundValues;
use super::keys::Keys;
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::Kind;
use crate::trail::mend;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The key of the list of records in CloudTrail's log files.
const RECORDS_KEY: &str = "Records";

/// Receives the contents of a document.
pub(in crate::trail) trait Records {
    /// A document begins. JSON Lines have many.
    fn begin_document(&mut self);
    /// Its list of records begins; a second time if the key is duplicated.
    fn begin_list(&mut self) -> Result<(), BrokenDocument>;
    /// A record that is framed, not parsed: an object with complete strings and brackets. Returns whether that is enough;
    /// otherwise [`Records::record`] is called with it.
    fn framed(&mut self, _record: &[u8], _found: &FoundValues) -> bool {
        false
    }
    /// A record: one value of any type, complete by its strings and brackets. It may not be JSON.
    fn record(&mut self, record: &str);
    /// A part of the document, or the whole of it, is something else.
    fn other(&mut self, kind: Kind);
}

/// The parameters of all implementations.
#[derive(Debug, Clone, Copy)]
pub(in crate::trail) struct Wants<'a> {
    /// The keys with values to find in a framed record. The first is `eventName`.
    pub(in crate::trail) keys: &'a Keys,
    /// A larger record makes the document fail, in bytes.
    pub(in crate::trail) record_limit: u64,
}

impl Wants<'_> {
    fn too_large(&self) -> BrokenDocument {
        BrokenDocument::RecordTooLarge(self.record_limit)
    }
}

/// The index of `eventName` in the keys: only records have it.
const EVENT_NAME: usize = 0;

/// Passes on a record as text, mended if it is not JSON.
fn read(record: &[u8], records: &mut impl Records) {
    match serde_json::from_slice::<&RawValue>(record) {
        Ok(json) => records.record(json.get()),
        Err(_) => records.record(&mend::mended(record)),
    }
}
