//! Elements of lists, and what envelopes hold: records, further envelopes, and things that are not CloudTrail's.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::super::frame;
use super::memory::Walk;
use super::{EVENT_NAME, Records};
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::{Kind, List, Meaning, Members, recognize, text};
use crate::trail::fields::Fields;
use crate::trail::mend;
use crate::trail::text::Text;

/// Envelopes in envelopes that are opened, and lists in lists. People have four at most: an EventBridge event in a notification
/// in a message in a list of messages.
const DEEPEST: usize = 12;

/// The columns of query results that have a whole record.
const RECORD_COLUMNS: [&str; 3] = ["eventData", "CloudTrailEvent", "@message"];

impl<'a, R: Records> Walk<'a, R> {
    /// A complete value.
    ///
    /// # Errors
    /// It is a record over the limit.
    pub(super) fn hand_on(&mut self, value: Range<usize>, list: List) -> Result<(), BrokenDocument> {
        let json = &self.json[value.clone()];
        match (json[0], list) {
            (b'{', List::Rows) => self.open(value, list),
            (b'{', _) => {
                if self.has_name(json) {
                    self.record(json)
                } else {
                    self.open(value, list)
                }
            }
            (b'[', List::Rows) => self.row(json),
            (b'[', List::Values) => {
                self.nested(json, list);
                Ok(())
            }
            (b'"', _) => self.string(json, list),
            (_, List::Records | List::Values) => self.record(json),
            (_, List::LogEvents | List::Rows) => {
                self.records.other(Kind::Json);
                Ok(())
            }
        }
    }

    /// An object that is not certainly a record.
    ///
    /// # Errors
    /// It is a record over the limit.
    pub(super) fn open(&mut self, object: Range<usize>, list: List) -> Result<(), BrokenDocument> {
        let json = &self.json[object];
        let Some(mut inner) = self.inner(json, list) else { return Ok(()) };
        match inner.object(0) {
            Ok((members, _)) => inner.recognized(&members, 0..json.len(), list),
            // Its brackets are complete, and something in it is not JSON.
            Err(_) => {
                super::read(json, self.records);
                Ok(())
            }
        }
    }

    /// Passes an object on as what it is.
    ///
    /// # Errors
    /// It is a record over the limit.
    pub(super) fn recognized(
        &mut self,
        members: &Members<'_>,
        object: Range<usize>,
        list: List,
    ) -> Result<(), BrokenDocument> {
        match recognize(members, list) {
            Meaning::Record => self.record(&self.json[object]),
            Meaning::Walked => Ok(()),
            Meaning::Other(kind) => {
                self.records.other(kind);
                Ok(())
            }
            Meaning::Holds(value) if value[0] == b'"' => self.string(value, List::LogEvents),
            Meaning::Holds(value) => {
                self.nested(value, List::LogEvents);
                Ok(())
            }
        }
    }

    /// A record, complete by its brackets and strings.
    fn record(&mut self, json: &[u8]) -> Result<(), BrokenDocument> {
        if json.len() as u64 > self.wants.record_limit {
            return Err(self.wants.too_large());
        }
        let found = frame::one(json, self.wants.keys);
        if !found.is_some_and(|found| self.records.framed(json, &found)) {
            super::read(json, self.records);
        }
        Ok(())
    }

    /// A JSON string, with the JSON of a record or of an envelope in it.
    fn string(&mut self, json: &[u8], list: List) -> Result<(), BrokenDocument> {
        let decoded = match serde_json::from_slice(json) {
            Ok(Text(text)) => text,
            Err(_) => match serde_json::from_str::<Text<'_>>(&mend::mended(json)) {
                Ok(Text(text)) => Cow::Owned(text.into_owned()),
                Err(_) => return self.record(json),
            },
        };
        let text = decoded.trim_matches([' ', '\t', '\n', '\r', '\u{feff}', '\0']);
        if text.starts_with(['{', '[']) {
            self.nested(text.as_bytes(), list);
        } else if list == List::Records || list == List::Values && self.depth == 0 {
            return self.record(json);
        } else {
            let kind = text::kind_of(text.as_bytes());
            self.records.other(if kind.is_unknown() { Kind::LogEvent } else { kind });
        }
        Ok(())
    }

    /// The JSON in an envelope: one value, or several.
    fn nested(&mut self, json: &[u8], list: List) {
        let is_record = self.has_name(json);
        let Some(mut inner) = self.inner(json, list) else { return };
        let split = if is_record { inner.record(json) } else { inner.values() };
        match split {
            Ok(()) => {}
            // Log groups and queues have other texts too, which can begin with a bracket.
            Err(_) if is_like_a_record(json) => super::read(json, self.records),
            Err(_) => self.records.other(Kind::LogEvent),
        }
    }

    /// A walk over what is inside of an envelope. `None` if that is too deep.
    fn inner<'i>(&'i mut self, json: &'i [u8], list: List) -> Option<Walk<'i, R>> {
        if self.depth >= DEEPEST {
            self.records.other(Kind::Json);
            return None;
        }
        let (wants, depth) = (self.wants, self.depth + 1);
        Some(Walk { json, wants, records: self.records, depth, is_top: false, is_export: false, list })
    }

    /// Whether a text is one object with a name of its own, as only records have.
    fn has_name(&self, json: &[u8]) -> bool {
        json[0] == b'{' && frame::one(json, self.wants.keys).is_some_and(|found| found.values[EVENT_NAME].is_some())
    }

    /// A row of a query result: a list of columns, each an object.
    fn row(&mut self, json: &'a [u8]) -> Result<(), BrokenDocument> {
        let columns: Vec<&RawValue> = serde_json::from_slice(json).unwrap_or_default();
        let column = columns.iter().filter_map(|column| Fields::parse(column.get()).ok()).find_map(|fields| {
            let is_message = fields.text("field").is_some_and(|name| name == "@message");
            let own = RECORD_COLUMNS.iter().find_map(|name| fields.raw(name));
            own.or_else(|| fields.raw("value").filter(|_| is_message))
        });
        match column {
            Some(value) if value.starts_with('"') => self.string(value.as_bytes(), List::LogEvents),
            Some(value) => {
                self.nested(value.as_bytes(), List::LogEvents);
                Ok(())
            }
            None => {
                self.records.other(Kind::Rows);
                Ok(())
            }
        }
    }
}

/// Whether a text that can't be read is of a record.
fn is_like_a_record(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"\"eventName\"").is_some() || memchr::memmem::find(text, b"\"eventVersion\"").is_some()
}
