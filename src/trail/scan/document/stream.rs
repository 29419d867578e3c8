//! Splits a document that is too large for memory: holds one record at a time, read by `serde_json`.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{BYTE_ORDER_MARK, RECORDS_KEY, Records, Wants, memory};
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::{self, List, Meaning, Members, kind, text};
use crate::trail::mend::{self, TextReader};
use crate::trail::scan::frame::is_white;

/// Bytes read at a time from a stream.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// Splits a document that continues after `head`.
///
/// # Errors
/// Why it can't be read completely, including a record over the limit. Everything before the error was passed on.
pub(in crate::trail::scan) fn split(
    head: &[u8],
    rest: impl Read,
    wants: Wants<'_>,
    records: &mut impl Records,
) -> Result<(), BrokenDocument> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    // A value that ends within the head is one of JSON Lines; a document of records would continue.
    let start = head.iter().take_while(|byte| is_white(**byte)).count();
    if !memory::begins_with_json(&head[start..]) {
        return if text::begins_with_time_stamp(&head[start..]) {
            split_lines(BufReader::with_capacity(READ_SIZE, Cursor::new(head).chain(rest)), wants, records)
        } else {
            memory::split(head, wants, records)
        };
    }
    let lines = mend::end_of_value(head, start).is_some();
    let place = if lines { Place::BetweenValues } else { Place::Beginning };
    if place == Place::Beginning {
        records.begin_document();
    }
    values(place, Cursor::new(head).chain(rest), wants, records)
}

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a document that is larger than what is held of it.
    Beginning,
    /// Between documents of JSON Lines.
    BetweenValues,
    /// After the list of records of a log file.
    AfterList,
}

/// Splits what is left of a document after its list of records.
///
/// # Errors
/// Those of [`split`].
pub(super) fn after_list(left: impl Read, wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    // An empty list in place of the one that was read.
    let begun = format!("{{\"{RECORDS_KEY}\":[]");
    values(Place::AfterList, begun.as_bytes().chain(left), wants, records)
}

fn values(place: Place, json: impl Read, wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    let pending = Cell::new(0);
    let reader = Gauge { inner: TextReader::new(json), pending: &pending, wants };
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(READ_SIZE, reader));
    if place != Place::BetweenValues {
        let is_other = Cell::new(false);
        let document = Document { records, wants, pending: &pending, is_other: &is_other, place };
        let read = document.deserialize(&mut deserializer);
        if is_other.get() {
            return Ok(());
        }
        if !read.map_err(|error| place.error(&error))? {
            return Err(BrokenDocument::NoRecords);
        }
    }
    for value in deserializer.into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| place.error(&error))?;
        pending.set(0);
        memory::split_value(value.get(), wants, records)?;
    }
    Ok(())
}

/// Splits the lines of a CloudWatch Logs export, one at a time.
fn split_lines(mut text: impl BufRead, wants: Wants<'_>, records: &mut impl Records) -> Result<(), BrokenDocument> {
    let mut line = Vec::new();
    loop {
        let is_first = line.is_empty();
        line.clear();
        let read = text.by_ref().take(wants.record_limit + 1).read_until(b'\n', &mut line);
        let length = read.map_err(|error| BrokenDocument::InvalidStream(error.to_string()))?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 > wants.record_limit {
            return Err(wants.too_large());
        }
        let kind = is_first.then(|| text::kind_of(&line)).filter(|kind| !kind.is_unknown());
        if let Some(kind) = kind.filter(|_| text::json_after_time_stamp(&line).is_none()) {
            records.other(kind);
            return Ok(());
        }
        memory::split_line(&line, wants, records)?;
    }
}

impl Place {
    /// Why what follows can't be read. The position is that in the document, if it is known.
    fn error(self, error: &serde_json::Error) -> BrokenDocument {
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let text = match self {
            Self::Beginning | Self::BetweenValues => &text,
            Self::AfterList => text.strip_suffix(&position).unwrap_or(&text),
        };
        BrokenDocument::InvalidStream(text.to_owned())
    }
}

/// Reads one top-level value and passes its records on. The result is whether it has a list of them, or is recognized.
struct Document<'a, R> {
    records: &'a mut R,
    wants: Wants<'a>,
    /// Bytes read since the last record.
    pending: &'a Cell<u64>,
    /// Set if it is recognized as something else before its end, where reading stops.
    is_other: &'a Cell<bool>,
    /// After a list, `begin_list` was called for that list already.
    place: Place,
}

/// In place of the values of members, which are not held.
const SOME_VALUE: &[u8] = b"0";

impl<'de, R: Records> DeserializeSeed<'de> for Document<'_, R> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Records> Visitor<'de> for Document<'_, R> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CloudTrail records (an object or a list)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut members = Members::default();
        let mut is_begun = self.place == Place::AfterList;
        while let Some(key) = map.next_key::<String>()? {
            if let Some(kind) = kind::of_large_object(&key) {
                self.records.other(kind);
                self.is_other.set(true);
                return Err(A::Error::custom(kind.phrase()));
            }
            if let Some(list) = List::of_key(&key) {
                if key == RECORDS_KEY && !std::mem::take(&mut is_begun) {
                    self.records.begin_list().map_err(A::Error::custom)?;
                }
                members.add_list();
                map.next_value_seed(Elements {
                    list,
                    records: self.records,
                    wants: self.wants,
                    pending: self.pending,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            members.add(&key, SOME_VALUE);
        }
        Ok(match envelope::recognize(&members, List::Values) {
            Meaning::Walked => true,
            Meaning::Other(kind) => {
                self.records.other(kind);
                true
            }
            Meaning::Record | Meaning::Holds(_) => members.has_list(),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        let Self { records, wants, pending, .. } = self;
        Elements { list: List::Values, records, wants, pending }.visit_seq(list)?;
        Ok(true)
    }
}

/// Reads a list of an envelope.
struct Elements<'a, R> {
    list: List,
    records: &'a mut R,
    wants: Wants<'a>,
    pending: &'a Cell<u64>,
}

impl<'de, R: Records> DeserializeSeed<'de> for Elements<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Records> Visitor<'de> for Elements<'_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Box<RawValue>>()? {
            memory::split_element(record.get(), self.list, self.wants, self.records).map_err(A::Error::custom)?;
            self.pending.set(0);
        }
        Ok(())
    }
}

/// A reader that fails if it returns more bytes than a record may have without reaching the end of a record, because these
/// bytes are held in memory until then.
struct Gauge<'a, R> {
    inner: R,
    pending: &'a Cell<u64>,
    wants: Wants<'a>,
}

impl<R: Read> Read for Gauge<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.get() > self.wants.record_limit + READ_SIZE as u64 {
            return Err(io::Error::other(self.wants.too_large()));
        }
        let length = self.inner.read(buffer)?;
        self.pending.set(self.pending.get() + length as u64);
        Ok(length)
    }
}
