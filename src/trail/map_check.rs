//! Tries a resource map on given records: the result for each, and the contents of records without a result.
//!
//! Uses the same walk and rules as the scan ([`super::scan`], [`super::extract`]), reported record by record.

use std::io::Read;

use serde::Serialize;
use serde_json::Value;

use super::broken::{BrokenDocument, BrokenRecord};
use super::envelope::Kind;
use super::extract::{Extraction, read};
use super::fields::Fields;
use super::filter::RecordFilter;
use super::scan::{Buffers, Keys, Limits, Records, Scan, Sizes, split};
use crate::model::event::Touched;
use crate::resource_map::ResourceMap;
use crate::text::secrets;

/// A record with an event in the map.
#[derive(Debug, Serialize)]
pub struct CheckedRecord {
    /// eventSource.
    pub service: String,
    /// eventName, as written in the record.
    pub event: String,
    /// eventID. Null if the record has none.
    pub event_id: Option<String>,
    /// eventTime, as in the record.
    pub event_time: Option<String>,
    /// The result of the event.
    pub resources: Vec<FoundResource>,
    /// The error code if the call failed. Such a record has no effect.
    pub failed: Option<String>,
    /// Without identifiers: the expressions, and the contents of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_ids: Option<WithoutIds>,
}

/// A resource of a record.
#[derive(Debug, Serialize)]
pub struct FoundResource {
    /// Its type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// create, upsert, delete or rename.
    pub action: &'static str,
    /// Its other names in the record, without those that follow from the ID.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Its new name, for a rename event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
}

/// Why a record has no identifier.
#[derive(Debug, Serialize)]
pub struct WithoutIds {
    /// The expressions that found nothing.
    pub ids: Vec<String>,
    /// The record's requestParameters and responseElements.
    pub record: Value,
}

impl From<Touched> for FoundResource {
    fn from(touched: Touched) -> Self {
        let Touched { resource_type, resource_id, action, names, renamed_to } = touched;
        Self {
            resource_type: resource_type.to_string(),
            id: resource_id.to_string(),
            action: action.as_str(),
            names,
            renamed_to: renamed_to.map(|name| name.to_string()),
        }
    }
}

/// Tries the map on a document. `each` is called with the records of events in the map, in order. In the returned counts,
/// `matched` is the number of those that did not fail.
pub fn try_map(map: &ResourceMap, input: &mut dyn Read, each: &mut dyn FnMut(CheckedRecord)) -> Scan {
    let mut trial = MapCheck { map, scan: Scan::default(), each };
    let sizes = Sizes::default();
    let keys = Keys::new(&["eventName"]);
    let broken = split(&Limits::default(), &keys, input, &mut Buffers::default(), &mut trial, &sizes).err();
    let mut scan = trial.scan;
    scan.broken = broken;
    scan.counts.stored_bytes = sizes.stored.get();
    scan.counts.bytes = sizes.decompressed.get();
    scan
}

struct MapCheck<'t> {
    map: &'t ResourceMap,
    scan: Scan,
    each: &'t mut dyn FnMut(CheckedRecord),
}

impl Records for MapCheck<'_> {
    fn begin_document(&mut self) {}

    fn begin_list(&mut self) -> Result<(), BrokenDocument> {
        Ok(())
    }

    fn record(&mut self, record: &str) {
        self.scan.counts.records += 1;
        let mut mended = String::new();
        let fields = match Fields::parse_or_mend(record, &mut mended) {
            Ok(fields) => fields,
            Err(error) => return self.broken(BrokenRecord::unreadable(&error)),
        };
        let reading = read(self.map, &RecordFilter::default(), &fields);
        let tried = tried(self.map, &fields);
        let is_without_ids = matches!(reading, Extraction::WithoutIds { .. });
        match (self.scan.counts.take(reading), tried) {
            (Err(reason), _) => self.broken(reason),
            (Ok(Some(event)), Some(tried)) => {
                let resources = event.touched.into_iter().map(FoundResource::from).collect();
                (self.each)(CheckedRecord { resources, ..tried });
            }
            (Ok(None), Some(tried)) if is_without_ids => {
                let without_ids = Some(without_ids(self.map, &fields, &tried));
                (self.each)(CheckedRecord { without_ids, ..tried });
            }
            (Ok(None), Some(tried)) if tried.failed.is_some() => (self.each)(tried),
            _ => {}
        }
    }

    fn other(&mut self, kind: Kind) {
        self.scan.counts.add_other(kind);
    }
}

impl MapCheck<'_> {
    fn broken(&mut self, reason: BrokenRecord) {
        self.scan.broken_record.get_or_insert(reason);
    }
}

/// The report on a record with an event in the map.
fn tried(map: &ResourceMap, fields: &Fields<'_>) -> Option<CheckedRecord> {
    let text = |name: &str| fields.text(name).map(|text| text.into_owned());
    let (service, event) = (text("eventSource")?, text("eventName")?);
    if map.rules(&service, &event).is_empty() {
        return None;
    }
    let has_failed = fields.is_set("errorCode") || fields.is_set("errorMessage");
    let failed = has_failed.then(|| text("errorCode").or_else(|| text("errorMessage")).unwrap_or_default());
    let (event_id, event_time) = (text("eventID"), text("eventTime"));
    Some(CheckedRecord { service, event, event_id, event_time, resources: Vec::new(), failed, without_ids: None })
}

fn without_ids(map: &ResourceMap, fields: &Fields<'_>, tried: &CheckedRecord) -> WithoutIds {
    let value = |name: &str| {
        let mut value = fields.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or(Value::Null);
        // An answer can hold a password or a session's token, and this one is printed.
        secrets::redact(&mut value);
        (name.to_owned(), value)
    };
    let rules = map.rules(&tried.service, &tried.event);
    WithoutIds {
        ids: rules.iter().map(|rule| rule.ids.source().to_owned()).collect(),
        record: ["requestParameters", "responseElements"].into_iter().map(value).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::event::Action;
    use crate::trail::samples;

    #[test]
    fn each_record_reports_its_result() {
        let rules = [("s.amazonaws.com", "Make", "thing", Action::Create, "requestParameters.name")];
        let map = samples::map(&rules);
        let record = |more: Value| samples::record("s.amazonaws.com", "Make", &more);
        let document = json!({"Records": [
            record(json!({"requestParameters": {"name": "a"}})),
            record(json!({"requestParameters": {"nmae": "b"}, "eventID": "e"})),
            record(json!({"requestParameters": {"name": "c"}, "errorCode": "Denied"})),
            samples::record("s.amazonaws.com", "Other", &json!({})),
            {"eventName": "Make"},
        ]})
        .to_string();
        let mut all = Vec::new();
        let scan = try_map(&map, &mut document.as_bytes(), &mut |tried| all.push(tried));
        let [made, empty, failed] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((made.resources[0].id.as_str(), made.resources[0].action), ("a", "create"));
        let found = empty.without_ids.as_ref().unwrap();
        assert_eq!(found.ids, ["requestParameters.name"]);
        assert_eq!(found.record["requestParameters"], json!({"nmae": "b"}));
        assert_eq!((failed.failed.as_deref(), failed.resources.len()), (Some("Denied"), 0));
        assert_eq!((scan.counts.records, scan.counts.matched, scan.counts.broken_records), (5, 2, 1));
        assert!(scan.broken_record.is_some() && scan.broken.is_none());
    }
}
