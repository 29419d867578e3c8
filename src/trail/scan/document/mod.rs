//! Splits a document's JSON into its records, in order, without parsing them.
//!
//! There are two implementations with the same result: `memory` frames records in one pass over the bytes; `stream`,
//! for documents that are too large, holds one record at a time and reads it with `serde_json`.

mod memory;
mod stream;

pub(super) use memory::split as split_slice;
pub(super) use stream::split as split_stream;

use serde_json::value::RawValue;

use super::frame::{self, FoundValues, Keys};
use crate::trail::broken::BrokenDocument;
use crate::trail::mend;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A key that every digest file has.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
const DIGEST_KEY: &str = "digestS3Bucket";

/// The key of the list of records.
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
    /// A record: one value of any type, complete by its strings and brackets. It may be no JSON.
    fn record(&mut self, record: &str);
    /// The document is a digest of log files.
    fn digest(&mut self);
}

/// The parameters of both implementations.
#[derive(Debug, Clone, Copy)]
pub(in crate::trail) struct Wants<'a> {
    /// The keys with values to find in a framed record.
    pub(in crate::trail) keys: &'a Keys,
    /// A larger record makes the document fail, in bytes.
    pub(in crate::trail) record_limit: u64,
}

impl Wants<'_> {
    /// Passes on a record that is one complete value as if it were framed.
    fn hand_on(&self, record: &[u8], records: &mut impl Records) -> Result<(), BrokenDocument> {
        if record.len() as u64 > self.record_limit {
            return Err(self.too_large());
        }
        let found = frame::one(record, self.keys);
        if !found.is_some_and(|found| records.framed(record, &found)) {
            read(record, records);
        }
        Ok(())
    }

    fn too_large(&self) -> BrokenDocument {
        BrokenDocument::RecordTooLarge(self.record_limit)
    }
}

/// Passes on a record as text, mended if it is not JSON.
fn read(record: &[u8], records: &mut impl Records) {
    match serde_json::from_slice::<&RawValue>(record) {
        Ok(json) => records.record(json.get()),
        Err(_) => records.record(&mend::mended(record)),
    }
}

/// The kind of a top-level value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Records,
    Digest,
    Other,
}

impl Shape {
    /// The same after another key.
    fn with_key(self, key: &str) -> Self {
        match key {
            RECORDS_KEY => Self::Records,
            DIGEST_KEY if self == Self::Other => Self::Digest,
            _ => self,
        }
    }
}
