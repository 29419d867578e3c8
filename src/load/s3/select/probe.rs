//! Checks S3 Select: compares its records for an object with the object itself.
//!
//! Some S3-compatible servers accept the expression and return nothing, and most objects have no record for us.
//! So only an object with a record to load can decide.

use std::io::Cursor;
use std::sync::Arc;

use crate::model::event::ResourceEvent;
use crate::resource_map::ResourceMap;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::{Buffers, Scanner};

/// Counts the records that Select must return. Stores none of them.
#[derive(Debug, Clone)]
pub(in crate::load::s3) struct SelectProbe {
    scanner: Arc<Scanner>,
}

/// The records of an object that Select must return too.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::load::s3) struct ExpectedRecords {
    /// Records with event names in the map, also those without identifiers.
    pub(in crate::load::s3) records: u64,
    events: Vec<ResourceEvent>,
}

impl SelectProbe {
    pub(in crate::load::s3) fn new(map: Arc<ResourceMap>) -> Self {
        Self { scanner: Arc::new(Scanner::new(map, RecordFilter::default())) }
    }

    /// Scans a document, as stored. `None` if it can't be read completely.
    pub(in crate::load::s3) fn find(&self, document: &[u8]) -> Option<ExpectedRecords> {
        let mut events = Vec::new();
        let mut take = |mut found: Vec<ResourceEvent>| events.append(&mut found);
        let scan = self.scanner.scan(&mut Cursor::new(document), &mut Buffers::default(), &mut take);
        let is_whole = scan.broken.is_none() && scan.counts.broken_records == 0;
        is_whole.then_some(ExpectedRecords { records: scan.counts.matched, events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Action;
    use crate::trail::samples::{map, record};
    use serde_json::json;

    fn find(records: &[serde_json::Value]) -> Option<ExpectedRecords> {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.bucketName")];
        SelectProbe::new(Arc::new(map(&rules))).find(json!({"Records": records}).to_string().as_bytes())
    }

    fn bucket(name: &str) -> serde_json::Value {
        record("s3.amazonaws.com", "CreateBucket", &json!({"requestParameters": {"bucketName": name}}))
    }

    #[test]
    fn only_events_in_the_map_are_compared() {
        let other = record("s3.amazonaws.com", "ListBuckets", &json!({}));
        let all = find(&[other.clone(), bucket("a"), other]).unwrap();
        assert_eq!(all.records, 1);
        assert_eq!(find(&[bucket("a")]), Some(all));
        assert_ne!(find(&[bucket("a")]), find(&[bucket("b")]));
        assert_ne!(find(&[bucket("a")]), find(&[]));
    }

    #[test]
    fn records_without_identifiers_count_too() {
        let without_id = record("s3.amazonaws.com", "CreateBucket", &json!({}));
        assert_eq!(find(&[without_id]).unwrap().records, 1);
    }

    #[test]
    fn broken_document_is_not_compared() {
        assert_eq!(find(&[json!({"eventSource": "s3.amazonaws.com"})]), None);
        assert_eq!(SelectProbe::new(Arc::new(map(&[]))).find(b"{\"Records\":["), None);
    }
}
