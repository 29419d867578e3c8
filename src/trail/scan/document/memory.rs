//! Splits a document in memory.
//!
//! The structure is walked by our own code, over offsets. Keys, values and unusual records are read by `serde_json`, lists of
//! records by `frame`. Errors have the wording and position of `serde_json`. What an object is that has no `eventName` of its
//! own is for `element` to find out.

use std::ops::Range;

use serde::de::Deserialize;
use serde_json::value::RawValue;

use super::super::frame::{self, FoundValues, PassEnd, Position};
use super::{BYTE_ORDER_MARK, EVENT_NAME, RECORDS_KEY, Records, Wants};
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::{Kind, List, Members, may_be_notification, text};
use crate::trail::mend;
use crate::trail::text::Text;

/// Splits `json`: one document, or several.
///
/// # Errors
/// Why it can't be read completely. Everything before the error was passed on.
pub(in crate::trail::scan) fn split(
    json: &[u8],
    wants: Wants<'_>,
    records: &mut impl Records,
) -> Result<(), BrokenDocument> {
    let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    let mut walk = Walk::new(json, wants, records);
    if walk.skip_white(0) == json.len() {
        return Err(BrokenDocument::Empty);
    }
    walk.values()
}

/// Splits one value of JSON Lines: a record, or a document.
///
/// # Errors
/// Like those of [`split`].
pub(super) fn split_value(value: &str, wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    Walk::new(value.as_bytes(), wants, records).top_level(0).map(drop)
}

/// Splits a line of a CloudWatch Logs export.
///
/// # Errors
/// Like those of [`split`].
pub(super) fn split_line(line: &[u8], wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    let mut walk = Walk::new(line, wants, records);
    walk.is_export = true;
    walk.values()
}

/// Splits one element of a list.
///
/// # Errors
/// It is a record over the limit.
pub(super) fn split_element(
    element: &str,
    list: List,
    wants: Wants<'_>,
    records: &mut impl Records,
) -> Result<(), BrokenDocument> {
    let json = element.as_bytes();
    let mut walk = Walk::new(json, wants, records);
    walk.is_top = false;
    walk.hand_on(0..json.len(), list)
}

/// Whether a text begins with JSON that can have records.
pub(super) fn begins_with_json(text: &[u8]) -> bool {
    matches!(text, [b'{' | b'[', ..] | [b'"', b'{' | b'[', ..])
}

pub(super) struct Walk<'a, R> {
    pub(super) json: &'a [u8],
    pub(super) wants: Wants<'a>,
    pub(super) records: &'a mut R,
    /// The number of envelopes around this text.
    pub(super) depth: usize,
    /// Whether a list of records here is the document's own.
    pub(super) is_top: bool,
    /// Whether lines have a time stamp before their JSON, or are log events of another kind.
    pub(super) is_export: bool,
    /// What the values are.
    pub(super) list: List,
}

impl<'a, R: Records> Walk<'a, R> {
    fn new(json: &'a [u8], wants: Wants<'a>, records: &'a mut R) -> Self {
        Self { json, wants, records, depth: 0, is_top: true, is_export: false, list: List::Values }
    }

    /// A walk over a log file's list of records.
    pub(super) fn of_list(json: &'a [u8], wants: Wants<'a>, records: &'a mut R) -> Self {
        Self { is_top: false, ..Self::new(json, wants, records) }
    }

    /// All values of the text: JSON, and lines with a time stamp before it.
    pub(super) fn values(&mut self) -> Result<(), BrokenDocument> {
        let (mut at, mut is_first) = (self.skip_white(0), true);
        while at < self.json.len() {
            let is_stamped = self.is_stamped(at);
            let is_json = begins_with_json(&self.json[at..]) || !(is_first || self.is_export || is_stamped);
            let end = if is_json { self.top_level(at)? } else { self.line(at, is_first && !self.is_export)? };
            self.is_export |= is_stamped;
            at = self.skip_white(end);
            is_first = false;
        }
        Ok(())
    }

    fn is_stamped(&self, at: usize) -> bool {
        text::begins_with_time_stamp(&self.json[at..])
    }

    /// A line that is not JSON. Returns the offset of the next value.
    fn line(&mut self, at: usize, is_first: bool) -> Result<usize, BrokenDocument> {
        let rest = &self.json[at..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if let Some(json) = text::json_after_time_stamp(&rest[..length]) {
            return Ok(at + json);
        }
        let kind = text::kind_of(rest);
        // Lines of other logs in the same group, and further lines of their events.
        if !is_first || kind.is_unknown() && self.is_stamped(at) {
            self.records.other(Kind::LogEvent);
            return Ok(at + length);
        }
        self.records.other(kind);
        if kind.is_unknown() {
            // The words of the JSON parser: it may be a damaged document.
            self.end_of_value(at)?;
            return Err(self.error("expected CloudTrail records (an object or a list)", at));
        }
        Ok(self.json.len())
    }

    /// A document, or a single record. Returns the offset after it.
    fn top_level(&mut self, at: usize) -> Result<usize, BrokenDocument> {
        if self.is_top {
            self.records.begin_document();
        }
        match self.json[at] {
            b'[' => self.list(at + 1, self.list),
            b'{' => {
                let (members, end) = self.object(at)?;
                self.recognized(&members, at..end, self.list)?;
                Ok(end)
            }
            _ => {
                let end = self.end_of_value(at)?;
                self.hand_on(at..end, self.list)?;
                Ok(end)
            }
        }
    }

    /// Walks an object, and the lists of envelopes in it. Returns the members that it is recognized by, and the offset after it.
    pub(super) fn object(&mut self, at: usize) -> Result<(Members<'a>, usize), BrokenDocument> {
        let mut members = Members::default();
        let mut at = self.skip_white(at + 1);
        if self.json.get(at) == Some(&b'}') {
            return Ok((members, at + 1));
        }
        loop {
            let key = self.key(at)?;
            let start = self.colon(at + key.spelled)?;
            at = match List::of_key(&key.text) {
                Some(list) => self.list_value(start, &key.text, list, &mut members)?,
                None => self.end_of_value(start)?,
            };
            members.add(&key.text, &self.json[start..at]);
            at = self.skip_white(at);
            match self.json.get(at) {
                Some(b'}') => return Ok((members, at + 1)),
                Some(b',') => at = self.skip_white(at + 1),
                Some(_) => return Err(self.error("expected `,` or `}`", at)),
                None => return Err(self.error("EOF while parsing an object", at)),
            }
        }
    }

    /// The value of a key that has a list in an envelope. Only the key of log files must have one, or null.
    fn list_value(
        &mut self,
        at: usize,
        key: &str,
        list: List,
        members: &mut Members<'_>,
    ) -> Result<usize, BrokenDocument> {
        let is_documents_own = self.is_top && key == RECORDS_KEY;
        if is_documents_own {
            self.records.begin_list()?;
        }
        if self.json.get(at) == Some(&b'[') {
            members.add_list();
            let is_top = std::mem::replace(&mut self.is_top, false);
            let end = self.list(at + 1, list);
            self.is_top = is_top;
            return end;
        }
        let end = self.end_of_value(at)?;
        match &self.json[at..end] {
            b"null" if is_documents_own => {
                members.add_list();
                Ok(end)
            }
            _ if is_documents_own => Err(self.error("expected a list of records", at)),
            _ => Ok(end),
        }
    }

    /// A list from after its `[`.
    fn list(&mut self, start: usize, list: List) -> Result<usize, BrokenDocument> {
        let mut position = Position { offset: start, after_element: false };
        let (mut is_first, mut is_checked) = (true, list == List::Rows);
        loop {
            let json = self.json;
            let stop = frame::records(json, position, self.wants.keys, |record, found| {
                is_checked |= std::mem::take(&mut is_first) && may_be_notification(&json[record.clone()]);
                self.take(record, found, list, is_checked)
            });
            position = match stop {
                PassEnd::End(end) => return Ok(end),
                PassEnd::Open(position) | PassEnd::Unusual(position) => position,
            };
            // Values that `frame` does not accept either are read directly.
            loop {
                let Some(at) = self.element(position)? else { return Ok(self.skip_white(position.offset) + 1) };
                let end = self.end_of_value(at)?;
                self.hand_on(at..end, list)?;
                position = Position { offset: end, after_element: true };
                if self.is_before_object(position) {
                    break;
                }
            }
        }
    }

    /// A framed element. Returns `false` if it must be read again as an unusual one. `is_checked`: even with a name of its own it may
    /// not be a record.
    #[inline]
    pub(super) fn take(&mut self, element: Range<usize>, found: &FoundValues, list: List, is_checked: bool) -> bool {
        let bytes = &self.json[element.clone()];
        if found.values[EVENT_NAME].is_none() || is_checked {
            return self.open(element, list).is_ok();
        }
        if bytes.len() as u64 > self.wants.record_limit {
            return false;
        }
        if !self.records.framed(bytes, found) {
            super::read(bytes, self.records);
        }
        true
    }

    /// The start of a list's next element. `None` at the end of the list.
    pub(super) fn element(&self, position: Position) -> Result<Option<usize>, BrokenDocument> {
        let at = self.skip_white(position.offset);
        match self.json.get(at) {
            None => Err(self.error("EOF while parsing a list", at)),
            Some(b']') => Ok(None),
            Some(b',') if position.after_element => {
                let at = self.skip_white(at + 1);
                if self.json.get(at) == Some(&b']') { Err(self.error("trailing comma", at)) } else { Ok(Some(at)) }
            }
            Some(_) if position.after_element => Err(self.error("expected `,` or `]`", at)),
            Some(_) => Ok(Some(at)),
        }
    }

    /// Whether `frame` can read the next element.
    pub(super) fn is_before_object(&self, position: Position) -> bool {
        matches!(self.element(position), Ok(Some(at)) if self.json.get(at) == Some(&b'{'))
    }

    fn key(&self, at: usize) -> Result<SpelledKey<'a>, BrokenDocument> {
        match self.json.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(self.error("key must be a string", at)),
            None => return Err(self.error("EOF while parsing an object", at)),
        }
        let spelled = &self.json[at..self.end_of_value(at)?];
        let text = match serde_json::from_slice(spelled) {
            Ok(Text(text)) => text,
            Err(_) => serde_json::from_str(&mend::mended(spelled)).map_err(|error| self.relocated(&error, at))?,
        };
        Ok(SpelledKey { text, spelled: spelled.len() })
    }

    /// The start of the value after a key.
    fn colon(&self, at: usize) -> Result<usize, BrokenDocument> {
        let at = self.skip_white(at);
        match self.json.get(at) {
            Some(b':') => Ok(self.skip_white(at + 1)),
            Some(_) => Err(self.error("expected `:`", at)),
            None => Err(self.error("EOF while parsing an object", at)),
        }
    }

    /// The offset after the value at `at`, which has no white space before it. If it is not JSON, its brackets and quotes decide.
    pub(super) fn end_of_value(&self, at: usize) -> Result<usize, BrokenDocument> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.json[at..]);
        match <&RawValue>::deserialize(&mut deserializer) {
            Ok(value) => Ok(at + value.get().len()),
            Err(error) => mend::end_of_value(self.json, at).ok_or_else(|| self.relocated(&error, at)),
        }
    }

    pub(super) fn skip_white(&self, at: usize) -> usize {
        frame::skip_white(self.json, at)
    }

    fn error(&self, what: &str, at: usize) -> BrokenDocument {
        let before = &self.json[..self.json.len().min(at + 1)];
        let line_start = memchr::memrchr(b'\n', &self.json[..at]).map_or(0, |newline| newline + 1);
        let line = 1 + memchr::memchr_iter(b'\n', &self.json[..at]).count();
        BrokenDocument::Invalid { what: what.to_owned(), line, column: before.len() - line_start }
    }

    /// Converts an error from reading at `at` to a position in the document.
    fn relocated(&self, error: &serde_json::Error, at: usize) -> BrokenDocument {
        let text = error.to_string();
        let location = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(&location).unwrap_or(&text);
        let met = at + offset(&self.json[at..], error.line(), error.column());
        self.error(what, met.saturating_sub(1))
    }
}

struct SpelledKey<'a> {
    text: std::borrow::Cow<'a, str>,
    /// Its bytes, quotes included.
    spelled: usize,
}

/// The bytes up to a line and column, both from 1, as `serde_json` counts them: the column of the last byte read.
fn offset(json: &[u8], line: usize, column: usize) -> usize {
    let line_start = line
        .checked_sub(2)
        .and_then(|index| memchr::memchr_iter(b'\n', json).nth(index))
        .map_or(0, |newline| newline + 1);
    (line_start + column).min(json.len())
}
