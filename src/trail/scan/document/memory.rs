//! Splits a document in memory.
//!
//! The top level is walked by our own code, over offsets. Keys, values and unusual records are read by `serde_json`, lists of
//! records by `frame`. Errors have the wording and position of `serde_json`.

use std::ops::Range;

use serde::de::Deserialize;
use serde_json::value::RawValue;

use super::super::frame::{self, FoundValues, PassEnd, Position, is_white};
use super::{BYTE_ORDER_MARK, RECORDS_KEY, Records, Shape, Wants};
use crate::trail::broken::BrokenDocument;
use crate::trail::fields::Text;
use crate::trail::mend;

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
    let mut walk = Walk { json, wants, records };
    let mut at = walk.skip_white(0);
    if at == json.len() {
        return Err(BrokenDocument::Empty);
    }
    if !matches!(json[at], b'{' | b'[') {
        walk.end_of_value(at)?;
        return Err(walk.error("expected CloudTrail records (an object or a list)", at));
    }
    while at < json.len() {
        let end = walk.top_level(at)?;
        at = walk.skip_white(end);
    }
    Ok(())
}

/// Splits one value of JSON Lines: a record, or a document.
///
/// # Errors
/// Like those of [`split`].
pub(super) fn split_value(value: &str, wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    Walk { json: value.as_bytes(), wants, records }.top_level(0).map(drop)
}

struct Walk<'a, R> {
    json: &'a [u8],
    wants: Wants<'a>,
    records: &'a mut R,
}

impl<'a, R: Records> Walk<'a, R> {
    /// A document, or a single record. Returns the offset after it.
    fn top_level(&mut self, at: usize) -> Result<usize, BrokenDocument> {
        self.records.begin_document();
        let (shape, end) = match self.json[at] {
            b'[' => (Shape::Records, self.list(at + 1)?),
            b'{' => self.object(at)?,
            _ => (Shape::Other, self.end_of_value(at)?),
        };
        match shape {
            Shape::Records => {}
            Shape::Digest => self.records.digest(),
            Shape::Other => self.wants.hand_on(&self.json[at..end], self.records)?,
        }
        Ok(end)
    }

    fn object(&mut self, at: usize) -> Result<(Shape, usize), BrokenDocument> {
        let mut shape = Shape::Other;
        let mut at = self.skip_white(at + 1);
        if self.json.get(at) == Some(&b'}') {
            return Ok((shape, at + 1));
        }
        loop {
            let key = self.key(at)?;
            at = self.colon(at + key.spelled)?;
            shape = shape.with_key(&key.text);
            at = if key.text == RECORDS_KEY { self.records_value(at)? } else { self.end_of_value(at)? };
            at = self.skip_white(at);
            match self.json.get(at) {
                Some(b'}') => return Ok((shape, at + 1)),
                Some(b',') => at = self.skip_white(at + 1),
                Some(_) => return Err(self.error("expected `,` or `}`", at)),
                None => return Err(self.error("EOF while parsing an object", at)),
            }
        }
    }

    /// The value of the key `Records`: a list, or null.
    fn records_value(&mut self, at: usize) -> Result<usize, BrokenDocument> {
        self.records.begin_list()?;
        if self.json.get(at) == Some(&b'[') {
            return self.list(at + 1);
        }
        let end = self.end_of_value(at)?;
        match &self.json[at..end] {
            b"null" => Ok(end),
            _ => Err(self.error("expected a list of records", at)),
        }
    }

    /// A list from after its `[`.
    fn list(&mut self, start: usize) -> Result<usize, BrokenDocument> {
        let mut position = Position { offset: start, after_element: false };
        loop {
            let stop = frame::records(self.json, position, self.wants.keys, |record, found| self.take(record, found));
            position = match stop {
                PassEnd::End(end) => return Ok(end),
                PassEnd::Unusual(position) => position,
            };
            // Values that `frame` does not accept either are read directly.
            loop {
                let Some(at) = self.element(position)? else { return Ok(self.skip_white(position.offset) + 1) };
                let end = self.end_of_value(at)?;
                self.wants.hand_on(&self.json[at..end], self.records)?;
                position = Position { offset: end, after_element: true };
                if self.is_before_object(position) {
                    break;
                }
            }
        }
    }

    /// A framed record. Returns `false` if it must be read again as an unusual one.
    fn take(&mut self, record: Range<usize>, found: &FoundValues) -> bool {
        let bytes = &self.json[record];
        if bytes.len() as u64 > self.wants.record_limit {
            return false;
        }
        if !self.records.framed(bytes, found) {
            super::read(bytes, self.records);
        }
        true
    }

    /// The start of a list's next element. `None` at the end of the list.
    fn element(&self, position: Position) -> Result<Option<usize>, BrokenDocument> {
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
    fn is_before_object(&self, position: Position) -> bool {
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
    fn end_of_value(&self, at: usize) -> Result<usize, BrokenDocument> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.json[at..]);
        match <&RawValue>::deserialize(&mut deserializer) {
            Ok(value) => Ok(at + value.get().len()),
            Err(error) => mend::end_of_value(self.json, at).ok_or_else(|| self.relocated(&error, at)),
        }
    }

    fn skip_white(&self, at: usize) -> usize {
        at + self.json[at..].iter().take_while(|byte| is_white(**byte)).count()
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
